//! Where the program is told to be, and where else it may be.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};

/// The port that is handed over where all ports are free.
const OURS: u16 = 7777;

/// Where a program is told to listen, or to call.
#[derive(Clone, Copy, Debug)]
pub enum Endpoint {
    /// A port that is free.
    Free,
    /// Port 0: the system chooses.
    Zero,
    /// This one.
    At(SocketAddr),
}

impl Endpoint {
    /// The address itself. In a network of our own it is always the same, so
    /// that two runs tell the same story.
    pub(crate) fn choose(self, private: bool) -> Result<SocketAddr> {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match self {
            Endpoint::At(address) => Ok(address),
            Endpoint::Zero => Ok(local(0)),
            Endpoint::Free if private => Ok(local(OURS)),
            Endpoint::Free => free().context("find a free port"),
        }
    }
}

/// A port that nobody has in this moment, neither for TCP nor for UDP.
fn free() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    match UdpSocket::bind(address) {
        Ok(_) => Ok(address),
        Err(_) => free(),
    }
}

/// The lesson's usual port. A program that ignores what it is told is there. In a
/// network of our own it is free; in that of the machine others can have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usual {
    pub(crate) port: u16,
    pub(crate) private: bool,
}

impl Usual {
    /// What is made of it; None when another program has it.
    ///
    /// # Errors
    /// Those of `make`; in a network of our own the port is never in use.
    pub(crate) fn with<T>(self, make: impl FnOnce(u16) -> io::Result<T>) -> io::Result<Option<T>> {
        match make(self.port) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && !self.private => Ok(None),
            other => other.map(Some),
        }
    }

    /// Whether a server without SO_REUSEADDR could not have it: another program is
    /// there, or a connection in TIME-WAIT.
    pub(crate) fn is_taken(self) -> bool {
        let bind = |kind| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
            Socket::new(Domain::IPV4, kind, None)?.bind(&address.into())
        };
        let in_use = |kind| bind(kind).is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
        !self.private && (in_use(Type::STREAM) || in_use(Type::DGRAM))
    }

    /// Why nothing can be said about a program that did this.
    pub(crate) fn doubt(self, seen: &str) -> String {
        format!(
            "{seen}. That may be no fault of the program: port {port}, the lesson's usual one, was \
             taken on this machine before the program was started (see \"ss -tuanp\"), and there \
             is no network of its own to try it in. Free the port (TIME-WAIT lasts a minute), or \
             let the program take the port that it is told: {{port}} in the command, PORT in the \
             environment",
            port = self.port,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use rstest::rstest;

    use super::*;

    fn usual(private: bool, port: u16) -> Usual {
        Usual { port, private }
    }

    /// The child of another test has all that we had open until it is executed, so
    /// a port may be free a moment later than it was closed.
    fn in_the_end(so: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !so() {
            assert!(Instant::now() < end, "it did not come true");
            thread::park_timeout(Duration::from_millis(1));
        }
    }

    #[rstest]
    #[case::stream(true)]
    #[case::datagrams(false)]
    fn a_usual_port_is_taken_by_a_stream_and_by_datagrams(#[case] stream: bool) {
        let address = free().unwrap();
        let port = address.port();
        in_the_end(|| !usual(false, port).is_taken());
        let _listener = stream.then(|| TcpListener::bind(address).unwrap());
        let _socket = (!stream).then(|| UdpSocket::bind(address).unwrap());
        assert!(usual(false, port).is_taken());
        assert!(!usual(true, port).is_taken());
    }
}
