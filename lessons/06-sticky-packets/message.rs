//! What the two sides say to each other, however it is framed.

use std::io::{self, ErrorKind, Read, Seek, Write};

use serde::{Deserialize, Serialize};

use crate::quoted;

/// How a program says what it sends and receives, line by line.
pub type Tell = fn(String);

/// What a client asks. As text: `list` and `get NAME`. In JSON:
/// `{"request":"list"}` and `{"request":"get","name":"…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "lowercase")]
pub enum Request {
    /// Which files are there?
    List,
    /// One of them.
    Get {
        /// Its name, as `list` gives it.
        name: String,
    },
}

impl Request {
    /// Reads `list` or `get NAME`.
    pub fn from_text(bytes: &[u8]) -> Result<Self, String> {
        let unknown = || format!("unknown request {}: say list or get NAME", quoted(bytes));
        let text = str::from_utf8(bytes).map_err(|_| unknown())?;
        match text.split_once(' ') {
            None if text == "list" => Ok(Self::List),
            Some(("get", name)) if !name.is_empty() => Ok(Self::Get { name: name.into() }),
            _ => Err(unknown()),
        }
    }

    /// Writes `list` or `get NAME`.
    pub fn to_text(&self) -> String {
        match self {
            Self::List => "list".into(),
            Self::Get { name } => format!("get {name}"),
        }
    }
}

/// What a server answers: something to send, or the reason why not.
pub type Answer = Result<Content, String>;

/// Something to send: `size` bytes out of `body`.
pub struct Content {
    /// The name of the file, or `list`.
    pub name: String,
    /// How many bytes.
    pub size: u64,
    /// Where they come from.
    pub body: Box<dyn Body>,
}

/// A file, or bytes in memory: to be read, and to be read again from the start.
pub trait Body: Read + Seek {}
impl<T: Read + Seek> Body for T {}

/// How much of a body is in memory at a time, however long the body is.
pub(crate) const PIECE: usize = 64 * 1024;

impl Content {
    /// Something to send that is in memory already.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            name: name.into(),
            size: bytes.len() as u64,
            body: Box::new(io::Cursor::new(bytes)),
        }
    }

    /// How a framing without a header says that something went wrong: the body
    /// begins with `error: `. A file may begin so too; nobody could tell.
    pub(crate) fn error(reason: String) -> Self {
        Self::new("error", format!("error: {reason}"))
    }

    /// Sends the body piece by piece, so that a gigabyte takes no more memory
    /// than a line. What goes before it, `front`, leaves together with the
    /// first piece.
    pub(crate) fn send(
        mut self,
        mut front: Vec<u8>,
        call: &mut impl Write,
        tell: Tell,
    ) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        let mut left = self.size;
        loop {
            let part = &mut piece[..left.min(PIECE as u64) as usize];
            // The size has been promised. With fewer bytes the client would
            // take what follows for the rest, so the call has to end.
            self.body.read_exact(part).map_err(|error| {
                let name = quoted(self.name.as_bytes());
                io::Error::other(match error.kind() {
                    ErrorKind::UnexpectedEof => format!("{name} became shorter meanwhile"),
                    _ => format!("read {name}: {error}"),
                })
            })?;
            if left == self.size {
                tell(format!("sending {left} bytes: {}", quoted(part)));
            }
            front.extend_from_slice(part);
            call.write_all(&front)?;
            front.clear();
            left -= part.len() as u64;
            if left == 0 {
                return Ok(());
            }
        }
    }
}

/// What a client gets: a body, or the reason why there is none.
pub type Reply<'call> = Result<Incoming<'call>, String>;

/// An answer whose body has still to be received.
pub struct Incoming<'call> {
    /// Of which file, if the framing says so.
    pub name: Option<String>,
    /// How many bytes the body has.
    pub size: u64,
    /// The SHA-256 that they must have, in hexadecimal digits, if the framing
    /// carries one.
    pub sha256: Option<String>,
    /// Gives the body, and then the end, whatever else the connection brings.
    pub body: Box<dyn Read + 'call>,
}

/// The reason in a body that begins with `error: `.
pub(crate) fn refusal(body: &[u8]) -> Option<String> {
    let reason = body.strip_prefix(b"error: ")?;
    Some(String::from_utf8_lossy(reason).into_owned())
}

/// The lines of a list, each `SIZE NAME` and a line end.
///
/// # Errors
/// The first line that is something else.
pub fn entries(list: &[u8]) -> Result<Vec<&[u8]>, &[u8]> {
    let lines = list.split_inclusive(|&byte| byte == b'\n');
    let entry = |line| is_entry(line).ok_or(line);
    lines.map(entry).collect()
}

fn is_entry(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\n")?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let name = line[digits..].strip_prefix(b" ")?;
    (digits > 0 && !name.is_empty()).then_some(line)
}
