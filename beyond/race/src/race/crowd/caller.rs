//! One caller of the crowd: what it has said, and whether the answer is right.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::super::text::Text;

/// One caller, with at most one message on its way.
pub struct Caller {
    pub line: Option<TcpStream>,
    /// The number of its message, and how much of it is sent and answered.
    pub message: u64,
    sent: usize,
    received: usize,
    pub talking: bool,
    /// When the message began: when it was due, also if it could not be sent.
    pub since: Instant,
    pub served: u64,
}

/// Asked for once, so that a message does not ask for memory.
pub struct Buffers {
    pub received: Vec<u8>,
    pub dressed: Vec<u8>,
}

impl Caller {
    /// It has not said anything yet.
    pub fn new(line: TcpStream) -> Self {
        Self {
            line: Some(line),
            message: 0,
            sent: 0,
            received: 0,
            talking: false,
            since: Instant::now(),
            served: 0,
        }
    }

    /// The next message begins.
    pub fn begin(&mut self, since: Instant) {
        self.message += 1;
        (self.sent, self.received) = (0, 0);
        self.talking = self.line.is_some();
        self.since = since;
    }

    /// Compares what has come with what should have come, byte by byte. True
    /// when the answer is complete.
    pub fn check(&mut self, bytes: &[u8], wanted: &[u8]) -> Result<bool, String> {
        if bytes.is_empty() {
            return Err("end of stream".into());
        }
        let end = self.received + bytes.len();
        if !self.talking || wanted.get(self.received..end) != Some(bytes) {
            return Err("wrong bytes".into());
        }
        self.received = end;
        Ok(end == wanted.len())
    }

    /// A line that is ready: sends what can be sent, and checks what has come.
    /// True when the answer is complete.
    pub fn converse(
        &mut self,
        number: usize,
        text: &Text,
        buffers: &mut Buffers,
    ) -> Result<bool, String> {
        let (asked_len, wanted_len) = text.lengths();
        while self.sent < asked_len {
            let message = text.asked(number, self.message, &mut buffers.dressed);
            let Some(line) = &mut self.line else {
                return Ok(false);
            };
            match line.write(&message[self.sent..]) {
                Ok(length) => self.sent += length,
                Err(error) if must_wait(&error) => break,
                Err(error) => return Err(format!("send: {error}")),
            }
            if self.sent == asked_len {
                // The answer cannot be here yet: epoll tells when it is.
                return Ok(false);
            }
        }
        loop {
            let Some(line) = &mut self.line else {
                return Ok(false);
            };
            // One byte more than is missing: a server that says too much is seen.
            let room = (wanted_len - self.received + 1).min(buffers.received.len());
            let length = match line.read(&mut buffers.received[..room]) {
                Err(error) if must_wait(&error) => return Ok(false),
                Err(error) => return Err(format!("recv: {error}")),
                Ok(length) => length,
            };
            let wanted = text.wanted(number, self.message, &mut buffers.dressed);
            // Less than was asked for: it was all that had come.
            if self.check(&buffers.received[..length], wanted)? || length < room {
                return Ok(self.received == wanted_len);
            }
        }
    }
}

fn must_wait(error: &io::Error) -> bool {
    // A connection that does not stand yet says that it has no peer.
    let waits = [
        ErrorKind::WouldBlock,
        ErrorKind::NotConnected,
        ErrorKind::Interrupted,
    ];
    waits.contains(&error.kind())
}
