//! A header that says its own length, and the length of the body.
//!
//! ```text
//! client  4 bytes, header
//! server                   4 bytes, header, body
//! ```
//!
//! The first 4 bytes of a message are a number, the most significant byte
//! first (network byte order): so long is the header. The header is JSON; the
//! header of an answer holds the size of the body. So the reader knows before
//! each part how many bytes it has, and reads until it has them. Whether they
//! come in one receive or in a hundred makes no difference, and nobody waits
//! for an acknowledgement: messages may follow each other closely.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Seek, Write};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Tell, check_size, ended, invalid};
use crate::message::{Answer, Incoming, PIECE, Reply, Request};
use crate::plain;

/// No header is longer. The number comes from the other side, and without a
/// limit it could have us put aside 4 GiB for it.
pub const LIMIT: usize = 64 * 1024;

/// The header of an answer; the header of a request is [`Request`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Status {
    /// A body follows.
    Ok {
        /// The name of the file, or `list`.
        name: String,
        /// How many bytes the body has.
        size: u64,
        /// Their SHA-256, in hexadecimal digits.
        sha256: String,
    },
    /// No body follows.
    Error {
        /// Why.
        reason: String,
    },
}

/// One header, or `None` at the end of the stream, if it is between messages.
pub fn receive_header(call: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match fill(call, &mut length)? {
        4 => {}
        0 => return Ok(None),
        got => return Err(ended(format!("end of stream after {got} of 4 bytes"))),
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > LIMIT {
        return Err(invalid(format!(
            "a header of {length} bytes is announced, and {LIMIT} is the limit"
        )));
    }
    let mut header = vec![0; length];
    let got = fill(call, &mut header)?;
    if got < length {
        let reason = format!("end of stream after {got} of {length} bytes of a header");
        return Err(ended(reason));
    }
    Ok(Some(header))
}

/// Receives until the buffer is full. It gives back how many bytes there are,
/// which is fewer only at the end of the stream.
fn fill(call: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        // Only what is missing: what follows belongs to the next part.
        match call.read(&mut buffer[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// The length and the header: the message up to where its body begins.
fn message(header: &impl Serialize) -> io::Result<Vec<u8>> {
    let header = serde_json::to_vec(header)?;
    if header.len() > LIMIT {
        let length = header.len();
        let reason = format!("a header of {length} bytes is over the limit of {LIMIT}");
        return Err(io::Error::new(ErrorKind::InvalidInput, reason));
    }
    let length = header.len() as u32;
    Ok([&length.to_be_bytes(), header.as_slice()].concat())
}

/// A header is an object. serde would also take a list of its values.
fn parse<T: DeserializeOwned>(header: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice::<HashMap<String, IgnoredAny>>(header)?;
    serde_json::from_slice(header)
}

/// The server. A header that is no request does no harm to the call: where it
/// ends is known all the same.
pub fn receive_request(
    call: &mut impl Read,
    tell: Tell,
) -> io::Result<Option<Result<Request, String>>> {
    let Some(header) = receive_header(call)? else {
        return Ok(None);
    };
    tell(told("received", &header));
    let request = parse(&header);
    Ok(Some(request.map_err(|error| {
        // It can quote the header; the reason has to fit into one itself.
        let error: String = error.to_string().chars().take(200).collect();
        format!("the header is no request: {error}")
    })))
}

/// The server: the header with size and digest, and the body at once after it.
///
/// They leave together. Two short sends in a row are slow: the second waits in
/// our kernel until the first is acknowledged (Nagle's algorithm), and the
/// client's kernel delays that acknowledgement, because it hopes for an answer
/// to send it along with.
pub fn send_answer(call: &mut impl Write, answer: Answer, tell: Tell) -> io::Result<()> {
    let mut content = match answer {
        Ok(content) => content,
        Err(reason) => {
            let message = message(&Status::Error { reason })?;
            tell(told("sending", &message[4..]));
            return call.write_all(&message);
        }
    };
    let sha256 = digest(&mut (&mut content.body).take(content.size))?;
    content.body.rewind()?;
    let message = message(&Status::Ok {
        name: content.name.clone(),
        size: content.size,
        sha256,
    })?;
    tell(told("sending", &message[4..]));
    content.send(message, call, tell)
}

/// The client.
pub fn send_request(call: &mut impl Write, request: &Request, tell: Tell) -> io::Result<()> {
    let message = message(request)?;
    tell(told("sending", &message[4..]));
    call.write_all(&message)
}

/// The client: the header now; the body is the next `size` bytes.
pub fn receive_answer<'call>(
    call: &'call mut impl Read,
    max_size: u64,
    tell: Tell,
) -> io::Result<Reply<'call>> {
    let header = receive_header(call)?;
    let header = header.ok_or_else(|| ended("end of stream: the server hung up"))?;
    tell(told("received", &header));
    let status = parse(&header);
    match status.map_err(|error| invalid(format!("the header is no answer: {error}")))? {
        Status::Error { reason } => Ok(Err(reason)),
        Status::Ok { name, size, sha256 } => {
            check_size(size, max_size)?;
            Ok(Ok(Incoming {
                name: Some(name),
                size,
                sha256: Some(sha256),
                body: Box::new(call.take(size)),
            }))
        }
    }
}

/// One line that says what was sent or received.
fn told(what: &str, header: &[u8]) -> String {
    format!("{what} 4 + {} bytes: {}", header.len(), plain(header, 60))
}

/// The SHA-256 of all that can be read, in hexadecimal digits. Two different
/// files with the same digest have never been found.
fn digest(bytes: &mut impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match fill(bytes, &mut piece)? {
            0 => return Ok(hexadecimal(&digest.finalize())),
            length => digest.update(&piece[..length]),
        }
    }
}

/// Two digits for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
