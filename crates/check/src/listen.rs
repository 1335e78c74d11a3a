//! Our server, for a client under test.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::address::Usual;
use crate::fault::Verdict;
use crate::held::Held;
use crate::story::Story;

/// Listens where the client was told to call, and at the lesson's usual port too,
/// if it is free: for a client that ignores what it was told.
#[derive(Debug)]
pub struct Listener {
    listeners: Held<Vec<TcpListener>>,
    address: SocketAddr,
}

impl Listener {
    pub(crate) fn open(
        address: SocketAddr,
        usual: Usual,
        backlog: i32,
        story: &Story,
    ) -> Verdict<Self> {
        let mut listeners = vec![listen(address, backlog)?];
        let usual = usual.with(|port| listen(SocketAddr::new(address.ip(), port), backlog))?;
        listeners.extend(usual);
        let address = listeners[0].local_addr()?;
        Ok(Self {
            listeners: Held::new(listeners, story.dropped()),
            address,
        })
    }

    /// Where the client is told to call.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All places where it listens.
    pub(crate) fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// A call, if one is there.
    pub(crate) fn try_accept(&self) -> io::Result<Option<TcpStream>> {
        for listener in &*self.listeners {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(Some(stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
