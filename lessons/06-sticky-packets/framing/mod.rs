//! Where does a message end? Three answers, each in a file of its own with the
//! same four functions, so that they can be laid side by side:
//!
//! - [`none`]: wherever a receive happens to end.
//! - [`ack`]: the length goes first, and the body waits for an acknowledgement.
//! - [`header`]: the length goes first, and all that it announces follows.
//!
//! This file chooses between them and holds what they have in common.

pub mod ack;
pub mod header;
pub mod none;

use std::io::{self, ErrorKind, Read, Write};

use clap::ValueEnum;

use crate::message::{Answer, Reply, Request, Tell};

/// How the two sides agree on where a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Framing {
    /// Bare bytes: one receive is taken for one message
    None,
    /// The length of the answer in digits, "ready" in return, the answer
    Ack,
    /// The length of a header, the header in JSON, the body
    Header,
}

/// How many bytes are received at once where nobody said how many will come.
const RECEIVE: usize = 1024;

impl Framing {
    /// The next request, or `None` when the client has hung up. The inner
    /// result is an error when what came is no request; the call can go on.
    pub fn receive_request(
        self,
        call: &mut impl Read,
        tell: Tell,
    ) -> io::Result<Option<Result<Request, String>>> {
        match self {
            Framing::None => none::receive_request(call, tell),
            Framing::Ack => ack::receive_request(call, tell),
            Framing::Header => header::receive_request(call, tell),
        }
    }

    /// Sends the answer to one request.
    pub fn send_answer(
        self,
        call: &mut (impl Read + Write),
        answer: Answer,
        tell: Tell,
    ) -> io::Result<()> {
        match self {
            Framing::None => none::send_answer(call, answer, tell),
            Framing::Ack => ack::send_answer(call, answer, tell),
            Framing::Header => header::send_answer(call, answer, tell),
        }
    }

    /// Sends one request.
    pub fn send_request(
        self,
        call: &mut impl Write,
        request: &Request,
        tell: Tell,
    ) -> io::Result<()> {
        match self {
            Framing::None => none::send_request(call, request, tell),
            Framing::Ack => ack::send_request(call, request, tell),
            Framing::Header => header::send_request(call, request, tell),
        }
    }

    /// Receives the answer to one request, up to where its body begins. A body
    /// of more than `max_size` bytes is an error.
    pub fn receive_answer<'call>(
        self,
        call: &'call mut (impl Read + Write),
        max_size: u64,
        tell: Tell,
    ) -> io::Result<Reply<'call>> {
        match self {
            Framing::None => none::receive_answer(call, max_size, tell),
            Framing::Ack => ack::receive_answer(call, max_size, tell),
            Framing::Header => header::receive_answer(call, max_size, tell),
        }
    }
}

/// The other side sent what it must not send. The call cannot go on: nobody
/// knows any more where the next message begins.
fn invalid(reason: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason.into())
}

/// The end of the stream where there should have been more.
fn ended(reason: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, reason.into())
}

/// What the server announces is its word; how much we take is ours.
fn check_size(size: u64, max_size: u64) -> io::Result<()> {
    if size > max_size {
        let reason = format!("the answer has {size} bytes, and {max_size} is the limit");
        return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// A connection that gives at most so many bytes in one receive. TCP may cut a
/// stream anywhere, and seldom does so when you look; this one does.
pub struct Cut<S> {
    stream: S,
    most: usize,
}

impl<S> Cut<S> {
    /// Cuts what is read from `stream` into parts of at most `most` bytes.
    pub fn new(stream: S, most: usize) -> Self {
        Self { stream, most }
    }
}

impl<S: Read> Read for Cut<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.most);
        loop {
            match self.stream.read(&mut buffer[..most]) {
                // A program that was stopped (Ctrl-Z) and goes on.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl<S: Write> Write for Cut<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
