//! One caller of the crowd: where it is, and what it does next.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Poll, Token};

use super::Plan;
use super::report::Failure;
use super::text::Text;

/// One caller, and where it is.
pub struct Caller {
    number: usize,
    line: Line,
    pub phase: Phase,
    /// When the phase began: for the deadline, and for the latency.
    pub since: Instant,
    /// How many messages have been answered.
    answered: usize,
    /// Of the message on its way: so many bytes are sent, so many answered.
    sent: usize,
    received: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Connecting,
    Thinking,
    Talking,
    /// The caller has said that no more will come, and waits for the end.
    HangingUp,
    Through,
}

impl Caller {
    pub fn dial(number: usize, plan: &Plan, poll: &Poll) -> io::Result<Self> {
        Ok(Self {
            number,
            line: Line::dial(plan, poll, Token(number))?,
            phase: Phase::Connecting,
            since: Instant::now(),
            answered: 0,
            sent: 0,
            received: 0,
        })
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    /// Gives back the phase in which it has to wait.
    pub fn go_on(
        &mut self,
        plan: &Plan,
        text: &Text,
        scratch: &mut [u8],
        latencies: &mut Vec<Duration>,
    ) -> Result<Phase, Failure> {
        loop {
            match self.phase {
                Phase::Connecting => match self.line.is_connected() {
                    Ok(true) => self.enter(Phase::Thinking),
                    Ok(false) => return Ok(self.phase),
                    Err(error) => return Err(Failure::Connect(error)),
                },
                Phase::Thinking if self.since.elapsed() < plan.think => return Ok(self.phase),
                Phase::Thinking => {
                    (self.sent, self.received) = (0, 0);
                    self.enter(Phase::Talking);
                }
                Phase::Talking => {
                    if !self.exchange(plan, text, scratch)? {
                        return Ok(self.phase);
                    }
                    latencies.push(self.since.elapsed());
                    self.answered += 1;
                    let through = self.answered == plan.messages;
                    self.enter(if through {
                        self.line.hang_up()
                    } else {
                        Phase::Thinking
                    });
                }
                Phase::HangingUp => match ready(self.line.receive(scratch))? {
                    Some(0) => self.enter(Phase::Through),
                    Some(_) => return Err(self.wrong("bytes after the last answer")),
                    None => return Ok(self.phase),
                },
                Phase::Through => return Ok(self.phase),
            }
        }
    }

    /// Sends what can be sent and checks what has come. True when the answer is
    /// complete. Both are tried each time: a caller that first sends all of a
    /// long message and only then receives would wait for ever (lesson 2).
    fn exchange(&mut self, plan: &Plan, text: &Text, scratch: &mut [u8]) -> Result<bool, Failure> {
        while self.sent < plan.size {
            let piece = text.asked(self.number, self.answered, self.sent, plan.size);
            match ready(self.line.send(piece))? {
                Some(length) => self.sent += length,
                None => break,
            }
        }
        while self.received < plan.size {
            let Some(length) = ready(self.line.receive(scratch))? else {
                return Ok(false);
            };
            if length == 0 && !plan.udp {
                return Err(Failure::EndOfStream);
            }
            let end = self.received + length;
            if end > self.sent || (plan.udp && length < plan.size) {
                return Err(self.wrong("an answer of another length"));
            }
            if !text.fits(
                self.number,
                self.answered,
                self.received,
                &scratch[..length],
            ) {
                return Err(self.wrong("other bytes than those that were sent"));
            }
            self.received = end;
        }
        Ok(true)
    }

    fn wrong(&self, what: &str) -> Failure {
        let message = self.answered + 1;
        Failure::WrongBytes(format!("{what}, in message {message}"))
    }
}

/// To have to wait is no error here: then poll tells when to try again.
fn ready<T>(result: io::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock => Ok(None),
            ErrorKind::ConnectionReset => Err(Failure::Reset),
            _ => Err(Failure::Other(error)),
        },
    }
}

/// A call over TCP, or a socket that exchanges datagrams with one address.
enum Line {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Line {
    fn dial(plan: &Plan, poll: &Poll, token: Token) -> io::Result<Self> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        if !plan.udp {
            let mut stream = TcpStream::connect(plan.addr)?;
            poll.registry().register(&mut stream, token, interest)?;
            return Ok(Self::Tcp(stream));
        }
        let mut socket = UdpSocket::bind(match plan.addr {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        })?;
        socket.connect(plan.addr)?;
        poll.registry().register(&mut socket, token, interest)?;
        Ok(Self::Udp(socket))
    }

    /// The connect of a non-blocking socket comes back at once. How it ended,
    /// the socket tells later: SO_ERROR holds the error, or it has a peer.
    fn is_connected(&self) -> io::Result<bool> {
        let Self::Tcp(stream) = self else {
            return Ok(true);
        };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        match stream.peer_addr() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Udp(socket) => socket.send(bytes),
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Udp(socket) => socket.recv(buffer),
        }
    }

    /// Says that no more will come. A server answers that with its own end; if
    /// it sends more bytes instead, they would be seen. Datagrams have no end.
    fn hang_up(&self) -> Phase {
        match self {
            Self::Tcp(stream) => {
                // It fails if the server was faster: then the receive tells how.
                let _ = stream.shutdown(Shutdown::Write);
                Phase::HangingUp
            }
            Self::Udp(_) => Phase::Through,
        }
    }
}
