//! Our UDP socket.

use std::cell::Cell;
use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::bytes::counted;
use crate::fault::{Fault, Verdict};
use crate::held::Held;
use crate::peer::lower;
use crate::story::{PATIENCE, Story, is_timeout};

/// A UDP socket of ours. What it does becomes a step of the story.
#[derive(Debug)]
pub struct Datagrams {
    /// Where a client was told to write to, and where it may write to all the
    /// same. It is one of them only as soon as a datagram has come.
    sockets: Held<Vec<UdpSocket>>,
    used: Cell<Option<usize>>,
    who: String,
    story: Story,
}

/// How long each of several sockets is listened to.
const TURN: Duration = Duration::from_millis(2);

impl Datagrams {
    /// On one of these sockets.
    pub(crate) fn new(sockets: Vec<UdpSocket>, who: &str, story: &Story) -> Self {
        Self {
            used: Cell::new((sockets.len() == 1).then_some(0)),
            sockets: Held::new(sockets, story.dropped()),
            who: who.to_string(),
            story: story.clone(),
        }
    }

    fn step(&self, what: impl Display) {
        self.story.step(format!("{} {what}", self.who));
    }

    fn socket(&self) -> &UdpSocket {
        &self.sockets[self.used.get().unwrap_or(0)]
    }

    /// One receive, which lasts no longer than this.
    fn try_receive(&self, buffer: &mut [u8], time: Duration) -> io::Result<(usize, SocketAddr)> {
        if self.used.get().is_some() {
            self.socket().set_read_timeout(Some(time))?;
            return self.socket().recv_from(buffer);
        }
        let mut last = Err(io::ErrorKind::TimedOut.into());
        for (index, socket) in self.sockets.iter().enumerate() {
            socket.set_read_timeout(Some(TURN))?;
            last = socket.recv_from(buffer);
            if last.is_ok() {
                self.used.set(Some(index));
                break;
            }
        }
        last
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// A fault of ours only: nobody has to be there.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> Verdict {
        self.step(format!("sent a datagram of {}", counted(bytes)));
        self.quietly_send_to(bytes, to)
    }

    /// Sends one datagram that is no step of the story.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn quietly_send_to(&self, bytes: &[u8], to: SocketAddr) -> Verdict {
        self.socket().send_to(bytes, to)?;
        Ok(())
    }

    /// Demands this datagram as the next one, from this address.
    ///
    /// # Errors
    /// When another one comes, or none.
    pub fn expect(&self, expected: &[u8], from: SocketAddr) -> Verdict {
        let (seen, peer) = self.receive(&format!("a datagram of {}", counted(expected)))?;
        if seen != expected {
            return Err(Fault::bytes(expected, seen, "the end of the datagram"));
        }
        if peer != from {
            return Err(Fault::program(
                format!("a datagram from {from}"),
                format!("the same datagram from {peer}"),
            ));
        }
        Ok(())
    }

    /// The next datagram, and who sent it.
    ///
    /// # Errors
    /// When none comes.
    pub fn receive(&self, what: &str) -> Verdict<(Vec<u8>, SocketAddr)> {
        let mut buffer = vec![0; 65_536];
        let received = self
            .story
            .retry(PATIENCE, |slice| self.try_receive(&mut buffer, slice));
        match received {
            Ok(Some((length, from))) => {
                self.story.meet();
                buffer.truncate(length);
                let words = counted(&buffer);
                self.step(format!("received a datagram of {words}"));
                Ok((buffer, from))
            }
            Ok(None) => {
                let seen = format!("nothing for {} s", PATIENCE.as_secs());
                Err(Fault::program(what, seen))
            }
            Err(error) => Err(Fault::program(what, lower(&error))),
        }
    }

    /// Demands that no datagram comes within this time.
    ///
    /// # Errors
    /// When one comes.
    pub fn expect_silence(&self, time: Duration) -> Verdict {
        let mut buffer = [0; 2048];
        let socket = self.socket();
        socket.set_read_timeout(Some(self.story.at_most(time)))?;
        loop {
            match socket.recv_from(&mut buffer) {
                Ok((length, _)) => {
                    let seen = format!("a datagram of {}", counted(&buffer[..length]));
                    return Err(Fault::program("no answer", seen));
                }
                Err(error) if is_timeout(&error) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Its own address.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn address(&self) -> Verdict<SocketAddr> {
        Ok(self.socket().local_addr()?)
    }
}
