//! Our server, for a client under test.

use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

use crate::fault::Verdict;

/// Listens where the client was told to call, and, in a network of our own, at
/// the lesson's usual port too: for a client that ignores what it was told.
#[derive(Debug)]
pub struct Listener {
    listeners: Vec<TcpListener>,
    address: SocketAddr,
}

impl Listener {
    pub(crate) fn open(address: SocketAddr, usual: Option<u16>, backlog: i32) -> Verdict<Self> {
        let mut listeners = vec![listen(address, backlog)?];
        if let Some(port) = usual {
            listeners.push(listen(SocketAddr::new(address.ip(), port), backlog)?);
        }
        let address = listeners[0].local_addr()?;
        Ok(Self { listeners, address })
    }

    /// Where the client is told to call.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All places where it listens.
    pub(crate) fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// A call, if one is there.
    pub(crate) fn try_accept(&self) -> std::io::Result<Option<TcpStream>> {
        for listener in &self.listeners {
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(Some(stream));
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

fn listen(address: SocketAddr, backlog: i32) -> Verdict<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
