//! What the crowd of the race says, and which answer is right.

use std::sync::OnceLock;

/// After so many bytes the text repeats itself.
const PERIOD: usize = 65_536;

/// The longest message.
pub const LONGEST: u32 = 1_048_576;

/// What a server speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// It sends back what it receives. Upper case or not is left to it: the
    /// text has only letters that are in upper case already.
    Echo,
    /// Redis: `PING message` as an array of two strings; the answer is the
    /// message as one string (the protocol is called RESP).
    Redis,
}

/// One long text, in which each message of each caller begins at another place.
/// So a byte that is lost, doubled or someone else's does not fit.
pub struct Text {
    bytes: &'static [u8],
    size: usize,
    /// What stands before and after the message, asked and answered.
    ask: [Vec<u8>; 2],
    answer: [Vec<u8>; 2],
}

impl Text {
    pub fn new(size: usize, dialect: Dialect) -> Self {
        let (ask, answer) = match dialect {
            Dialect::Echo => Default::default(),
            Dialect::Redis => (
                [format!("*2\r\n$4\r\nPING\r\n${size}\r\n"), "\r\n".into()],
                [format!("${size}\r\n"), "\r\n".into()],
            ),
        };
        Self {
            bytes: letters(),
            size,
            ask: ask.map(String::into_bytes),
            answer: answer.map(String::into_bytes),
        }
    }

    /// How many bytes are sent, and how many come back, for one message.
    pub fn lengths(&self) -> (usize, usize) {
        let around = |both: &[Vec<u8>; 2]| both[0].len() + both[1].len();
        (
            self.size + around(&self.ask),
            self.size + around(&self.answer),
        )
    }

    /// Whether what is sent is the bare message.
    pub fn is_bare(&self) -> bool {
        self.ask[0].is_empty()
    }

    /// The message itself. It is never freed, so the kernel can send it later.
    pub fn bare(&self, client: usize, message: u64) -> &'static [u8] {
        let start = mix((client as u64)
            .wrapping_mul(1_000_003)
            .wrapping_add(message));
        let start = start as usize % PERIOD;
        &self.bytes[start..start + self.size]
    }

    pub fn asked<'a>(&'a self, client: usize, message: u64, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        self.dressed(&self.ask, client, message, scratch)
    }

    pub fn wanted<'a>(&'a self, client: usize, message: u64, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        self.dressed(&self.answer, client, message, scratch)
    }

    fn dressed<'a>(
        &'a self,
        [before, after]: &[Vec<u8>; 2],
        client: usize,
        message: u64,
        scratch: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        let bare = self.bare(client, message);
        if before.is_empty() {
            return bare; // nothing is copied
        }
        scratch.clear();
        scratch.extend_from_slice(before);
        scratch.extend_from_slice(bare);
        scratch.extend_from_slice(after);
        scratch
    }
}

/// The long text. There is one for all races.
fn letters() -> &'static [u8] {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    TEXT.get_or_init(|| {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let place = |place: usize| mix((place % PERIOD) as u64) as usize % letters.len();
        let places = 0..PERIOD + LONGEST as usize;
        places.map(|at| letters[place(at)]).collect()
    })
}

/// SplitMix64: the same number in, the same disorder out, in each run.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
