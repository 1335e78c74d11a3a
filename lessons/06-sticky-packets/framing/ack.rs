//! The length goes first, in decimal digits, and an acknowledgement comes back
//! before the body follows.
//!
//! ```text
//! client  get long.txt          ready
//! server                  3200          3200 bytes
//! ```
//!
//! Why wait for `ready`? The digits have no end: if the body followed at once,
//! nobody could say where the number stops. The wait keeps the two apart, and
//! it costs a round trip for every answer. Three things stay wrong. The request
//! is still whatever one receive brings. So is the number: a receive that
//! brings only a part of the digits makes a wrong length. And a file that
//! begins with `error: ` looks like an error.

use std::io::{self, Cursor, ErrorKind, Read, Write};

use super::{RECEIVE, Tell, check_size, ended, invalid};
use crate::message::{Answer, Content, Incoming, Reply, Request, refusal};
use crate::quoted;

/// What the client says when it knows the length.
const READY: &[u8] = b"ready";

/// The server: as in `none`, whatever is there when it looks is the request.
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

/// The server: length, acknowledgement, body.
pub fn send_answer(call: &mut (impl Read + Write), answer: Answer, tell: Tell) -> io::Result<()> {
    let content = answer.unwrap_or_else(Content::error);
    let digits = content.size.to_string();
    tell(format!("sending {} bytes: \"{digits}\"", digits.len()));
    call.write_all(digits.as_bytes())?;

    // How long this message is, both sides know beforehand: five bytes.
    let mut said = [0; READY.len()];
    call.read_exact(&mut said).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => ended("end of stream where \"ready\" belongs"),
        _ => error,
    })?;
    tell(format!("received {} bytes: {}", said.len(), quoted(&said)));
    if said != READY {
        let got = quoted(&said);
        return Err(invalid(format!("{got} came where \"ready\" belongs")));
    }
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

/// The client: the length first, then exactly so many bytes, in as many
/// receives as it takes.
pub fn receive_answer<'call>(
    call: &'call mut (impl Read + Write),
    max_size: u64,
    tell: Tell,
) -> io::Result<Reply<'call>> {
    // The number is whatever is there when we look. No number has more digits.
    let mut buffer = [0; 20];
    let length = call.read(&mut buffer)?;
    let digits = &buffer[..length];
    if digits.is_empty() {
        return Err(ended("end of stream: the server hung up"));
    }
    tell(format!("received {length} bytes: {}", quoted(digits)));
    let size = number(digits)?;
    check_size(size, max_size)?;

    tell(format!("sending {} bytes: \"ready\"", READY.len()));
    call.write_all(READY)?;

    let mut body = call.take(size);
    // Is it an error? Only its beginning can tell, so that is read first.
    let mut beginning = Vec::new();
    (&mut body).take(RECEIVE as u64).read_to_end(&mut beginning)?;
    if beginning.len() as u64 == size
        && let Some(reason) = refusal(&beginning)
    {
        return Ok(Err(reason));
    }
    Ok(Ok(Incoming {
        name: None,
        size,
        sha256: None,
        body: Box::new(Cursor::new(beginning).chain(body)),
    }))
}

/// Only digits, and not more than fit: `parse` would take a `+` too.
fn number(digits: &[u8]) -> io::Result<u64> {
    let text = str::from_utf8(digits).ok();
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let got = quoted(digits);
        invalid(format!("{got} came where the length belongs"))
    })
}
