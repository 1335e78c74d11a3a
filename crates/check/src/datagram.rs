//! Our UDP socket.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::bytes::counted;
use crate::fault::{Fault, Verdict};
use crate::peer::{is_timeout, lower};
use crate::story::{PATIENCE, Story};

/// A UDP socket of ours. What it does becomes a step of the story.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
    who: String,
    story: Story,
}

impl Datagrams {
    pub(crate) fn new(socket: UdpSocket, who: &str, story: &Story) -> Self {
        Self {
            socket,
            who: who.to_string(),
            story: story.clone(),
        }
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// A fault of ours only: nobody has to be there.
    pub fn send_to(&self, bytes: &[u8], to: SocketAddr) -> Verdict {
        self.story.step(format!(
            "{} sent a datagram of {}",
            self.who,
            counted(bytes)
        ));
        self.quietly_send_to(bytes, to)
    }

    /// Sends one datagram that is no step of the story.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn quietly_send_to(&self, bytes: &[u8], to: SocketAddr) -> Verdict {
        self.socket.send_to(bytes, to)?;
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
        let wait = self.story.wait(PATIENCE);
        loop {
            self.socket.set_read_timeout(Some(wait.slice()))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    buffer.truncate(length);
                    let words = counted(&buffer);
                    self.story
                        .step(format!("{} received a datagram of {words}", self.who));
                    return Ok((buffer, from));
                }
                Err(error) if is_timeout(&error) && wait.is_over() => {
                    let seen = format!("nothing for {} s", PATIENCE.as_secs());
                    return Err(Fault::program(what, seen));
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(Fault::program(what, lower(&error))),
            }
        }
    }

    /// Demands that no datagram comes within this time.
    ///
    /// # Errors
    /// When one comes.
    pub fn expect_silence(&self, time: Duration) -> Verdict {
        let mut buffer = [0; 2048];
        self.socket
            .set_read_timeout(Some(self.story.at_most(time)))?;
        match self.socket.recv_from(&mut buffer) {
            Ok((length, _)) => {
                let seen = format!("a datagram of {}", counted(&buffer[..length]));
                Err(Fault::program("no answer", seen))
            }
            Err(error) if is_timeout(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Its own address.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn address(&self) -> Verdict<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}
