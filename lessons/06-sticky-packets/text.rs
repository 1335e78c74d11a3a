//! Bytes as a person reads them.

/// How many bytes of a text are shown; the rest is `…`.
const SHOWN: usize = 32;

/// Text in quotes, escaped where it is none.
pub fn quoted(bytes: &[u8]) -> String {
    let (shown, more) = beginning(bytes, SHOWN);
    let mut text = String::new();
    for chunk in shown.utf8_chunks() {
        let valid = format!("{:?}", chunk.valid());
        text += &valid[1..valid.len() - 1];
        text += &chunk.invalid().escape_ascii().to_string();
    }
    format!("\"{text}\"{more}")
}

/// Text as it is, on one line; escaped is only what would disturb the terminal.
/// JSON is easier to read so: it is full of quotes of its own.
pub fn plain(bytes: &[u8], most: usize) -> String {
    let (shown, more) = beginning(bytes, most);
    let mut text = String::new();
    for chunk in shown.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' | '\\' => text.push(character),
                _ => text.extend(character.escape_debug()),
            }
        }
        text += &chunk.invalid().escape_ascii().to_string();
    }
    text + more
}

/// At most so many bytes, and no character in halves.
fn beginning(bytes: &[u8], most: usize) -> (&[u8], &str) {
    if bytes.len() <= most {
        return (bytes, "");
    }
    // The bytes of a character after its first one look like 10xxxxxx.
    let begins = |at: &usize| bytes[*at] & 0b1100_0000 != 0b1000_0000;
    let end = (most.saturating_sub(3)..=most).rev().find(begins);
    (&bytes[..end.unwrap_or(most)], " …")
}
