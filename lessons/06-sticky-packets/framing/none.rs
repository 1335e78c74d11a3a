//! No framing: the request and the answer are bare bytes. One receive is taken
//! for one message.
//!
//! ```text
//! client  list            get long.txt
//! server        53 bytes                3200 bytes
//! ```
//!
//! That is the flaw. TCP is a stream: all bytes arrive, in order, but nothing
//! in it says which of them were sent together. A receive gives what is there:
//! two messages at once, or half of one.

use std::io::{self, Cursor, Read, Write};

use super::{RECEIVE, Tell, check_size, ended};
use crate::message::{Answer, Content, Incoming, Reply, Request, refusal};
use crate::quoted;

/// The server: whatever is there when it looks is the request.
pub fn receive_request(
    call: &mut impl Read,
    tell: Tell,
) -> io::Result<Option<Result<Request, String>>> {
    let mut buffer = [0; RECEIVE];
    let length = call.read(&mut buffer)?;
    if length == 0 {
        return Ok(None);
    }
    let bytes = &buffer[..length];
    tell(format!("received {length} bytes: {}", quoted(bytes)));
    Ok(Some(Request::from_text(bytes)))
}

/// The server: an empty file is sent as nothing, and the client waits for it.
pub fn send_answer(call: &mut impl Write, answer: Answer, tell: Tell) -> io::Result<()> {
    let content = answer.unwrap_or_else(Content::error);
    content.send(Vec::new(), call, tell)
}

/// The client.
pub fn send_request(call: &mut impl Write, request: &Request, tell: Tell) -> io::Result<()> {
    let text = request.to_text();
    let length = text.len();
    tell(format!(
        "sending {length} bytes: {}",
        quoted(text.as_bytes())
    ));
    call.write_all(text.as_bytes())
}

/// The client: whatever is there when it looks is the answer. It has no way to
/// know how much is still to come.
pub fn receive_answer<'call>(
    call: &'call mut impl Read,
    max_size: u64,
    tell: Tell,
) -> io::Result<Reply<'call>> {
    let mut buffer = vec![0; RECEIVE];
    let length = call.read(&mut buffer)?;
    if length == 0 {
        return Err(ended("end of stream: the server hung up"));
    }
    buffer.truncate(length);
    tell(format!("received {length} bytes: {}", quoted(&buffer)));
    if let Some(reason) = refusal(&buffer) {
        return Ok(Err(reason));
    }
    check_size(length as u64, max_size)?;
    Ok(Ok(Incoming {
        name: None,
        size: length as u64,
        sha256: None,
        body: Box::new(Cursor::new(buffer)),
    }))
}
