//! Our end of a TCP connection with the program under test: polite or not.

mod receive;
mod send;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::rc::{Rc, Weak};
use std::time::Duration;

use socket2::SockRef;

use crate::fault::Verdict;
use crate::ground::Sight;
use crate::held::Held;
use crate::story::{PATIENCE, Story};

/// A program that has not taken a piece after this time is busy with something
/// else; then the next piece is sent anyway.
const TAKE: Duration = Duration::from_millis(150);
/// How often we look whether a piece was taken.
const ASK_AGAIN: Duration = Duration::from_micros(200);
/// Where nobody can look, a piece has this time.
const BLIND: Duration = Duration::from_millis(10);
/// How many bytes are taken in one receive.
const ROOM: usize = 64 * 1024;

/// How a stream came to its end, as far as we saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerEnding {
    /// The program closed: a receive of 0 bytes.
    EndOfStream,
    /// A reset: it closed with unread bytes, or asked for it.
    Reset,
    /// Nothing came for a while.
    Silence,
    /// We have as many bytes as we wanted.
    Enough,
}

impl PeerEnding {
    fn words(self) -> String {
        match self {
            PeerEnding::EndOfStream => "the end of the stream".into(),
            PeerEnding::Reset => "a reset".into(),
            PeerEnding::Silence => format!("nothing for {} s", PATIENCE.as_secs()),
            PeerEnding::Enough => String::new(),
        }
    }
}

/// Our end of a connection. What it does becomes a step of the story.
#[derive(Debug)]
pub struct Peer {
    stream: Held<Rc<TcpStream>>,
    who: String,
    story: Story,
    sight: Rc<RefCell<Sight>>,
}

impl Peer {
    pub(crate) fn new(
        stream: TcpStream,
        who: &str,
        story: &Story,
        sight: &Rc<RefCell<Sight>>,
    ) -> io::Result<Self> {
        // A piece is on its way as soon as it is sent.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: Held::new(Rc::new(stream), story.dropped()),
            who: who.to_string(),
            story: story.clone(),
            sight: Rc::clone(sight),
        })
    }

    /// shutdown(SHUT_WR): says that we will not send any more.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn half_close(&mut self) -> Verdict {
        self.step("ended the sending side, and went on receiving");
        match self.stream.shutdown(Shutdown::Write) {
            // The program may have reset the connection already.
            Err(error) if error.kind() != ErrorKind::NotConnected => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// send and shutdown(SHUT_WR) in one: the end of the stream is in the segment of
    /// the last byte. So a program that closes as soon as it has answered is the
    /// still the second to close: no TIME-WAIT stays at its port.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send_last(&mut self, bytes: &[u8]) -> Verdict {
        // Elsewhere the two are two segments, a moment apart.
        #[cfg(target_os = "linux")]
        SockRef::from(&**self.stream).set_tcp_cork(true)?;
        self.send(bytes)?;
        self.half_close()
    }

    /// Closes.
    pub fn hang_up(self) {
        self.step("hung up");
        self.stream.close();
    }

    /// Closes with a reset, as a connection ends that is no longer wanted: close
    /// with SO_LINGER of 0.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn reset(self) -> Verdict {
        self.step("reset the connection");
        SockRef::from(&**self.stream).set_linger(Some(Duration::ZERO))?;
        self.stream.close();
        Ok(())
    }

    /// Limits our buffers, so that a program that does not read, or that we do
    /// not read from, is noticed early.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn small_buffers(&self) -> Verdict {
        let socket = SockRef::from(&**self.stream);
        socket.set_recv_buffer_size(16 * 1024)?;
        socket.set_send_buffer_size(16 * 1024)?;
        Ok(())
    }

    /// What it did becomes a step of the story.
    fn step(&self, what: impl Display) {
        self.story.step(format!("{} {what}", self.who));
    }

    /// The connection, for as long as we have it.
    pub(crate) fn connection(&self) -> Weak<TcpStream> {
        Rc::downgrade(&self.stream)
    }

    /// The other name in the story.
    pub fn who(&self) -> &str {
        &self.who
    }
}

/// What a system says when the other side has closed, or reset.
pub(crate) fn has_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    )
}

/// An error as a part of a sentence.
pub(crate) fn lower(error: &io::Error) -> String {
    error.to_string().to_lowercase()
}
