//! From bytes to text and back. The network carries bytes. Which characters
//! they mean is an agreement between the two programs: the encoding.

use std::str;

use anyhow::{Result, anyhow};
use encoding_rs::GBK;

/// The agreement
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    /// Every character there is, in one to four bytes
    #[value(name = "utf-8")]
    Utf8,
    /// ASCII and Chinese characters, in one or two bytes
    Gbk,
}

impl Encoding {
    /// The first character and its length in bytes. Nothing, when the bytes do
    /// not begin with a character of this encoding.
    fn character(self, bytes: &[u8]) -> Option<(char, usize)> {
        match (self, bytes) {
            (_, [byte, ..]) if byte.is_ascii() => Some((char::from(*byte), 1)),
            (Encoding::Utf8, _) => (2..=bytes.len().min(4)).find_map(|length| {
                let text = str::from_utf8(&bytes[..length]).ok()?;
                Some((text.chars().next()?, length))
            }),
            // Outside ASCII, a character of GBK has two bytes, and the second
            // can be a byte that stands for a letter when it is alone.
            (Encoding::Gbk, [0x81..=0xFE, _, ..]) => {
                let text = GBK.decode_without_bom_handling_and_without_replacement(&bytes[..2])?;
                Some((text.chars().find(|&one| !private(one))?, 2))
            }
            (Encoding::Gbk, _) => None,
        }
    }

    /// The bytes to send for what was typed, which is UTF-8, as terminals and
    /// files are. For UTF-8 there is nothing to do, also if it is no text.
    pub fn encode(self, typed: &[u8]) -> Result<Vec<u8>> {
        if self == Encoding::Utf8 {
            return Ok(typed.to_vec());
        }
        let subject = Encoding::Utf8.quoted(typed);
        let text = str::from_utf8(typed)
            .map_err(|_| anyhow!("encode {subject}: not UTF-8; type or store it as UTF-8"))?;
        // The crate knows the GBK of the web, which gives the Euro sign the
        // byte 0x80. Python's codec does not know that byte.
        let (bytes, _, lacking) = GBK.encode(text);
        if lacking || text.contains('€') {
            return Err(anyhow!(
                "encode {subject}: a character is not in GBK; pass --encoding utf-8"
            ));
        }
        Ok(bytes.into_owned())
    }

    /// The same text with the letters a to z in upper case. It goes from
    /// character to character: a second byte in GBK only looks like a letter.
    pub fn upper(self, bytes: &[u8]) -> Vec<u8> {
        let mut upper = bytes.to_vec();
        let mut at = 0;
        while at < upper.len() {
            let length = self.character(&upper[at..]).map_or(1, |(_, length)| length);
            // Where the character is longer, its first byte is no letter.
            upper[at].make_ascii_uppercase();
            at += length;
        }
        upper
    }

    /// Bytes as a person reads them: in quotes, with escapes for what is not text.
    /// Of a long text, the beginning.
    pub fn quoted(self, bytes: &[u8]) -> String {
        let (mut shown, mut text, mut at) = (String::new(), String::new(), 0);
        while at < bytes.len().min(32) {
            match self.character(&bytes[at..]) {
                Some((character, length)) => {
                    text.push(character);
                    at += length;
                }
                None => {
                    shown += &escaped(&text);
                    shown += &bytes[at..=at].escape_ascii().to_string();
                    text.clear();
                    at += 1;
                }
            }
        }
        let more = if at < bytes.len() { " …" } else { "" };
        format!("\"{shown}{}\"{more}", escaped(&text))
    }
}

/// Whether Unicode leaves the meaning to private agreement. The GBK of the web
/// puts such code points where GBK itself has no character.
fn private(character: char) -> bool {
    ('\u{e000}'..='\u{f8ff}').contains(&character)
}

/// Text with its control characters escaped, so that no sender can steer the
/// terminal of the reader.
fn escaped(text: &str) -> String {
    let quoted = format!("{text:?}");
    quoted[1..quoted.len() - 1].to_string()
}
