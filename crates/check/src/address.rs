//! Where the program is told to be.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use anyhow::{Context, Result};

/// The port that is handed over where all ports are free.
const OURS: u16 = 7777;

/// Where a program is told to listen, or to call.
#[derive(Clone, Copy, Debug)]
pub enum Address {
    /// A port that is free.
    Free,
    /// Port 0: the system chooses.
    Zero,
    /// This one.
    At(SocketAddr),
}

impl Address {
    /// The address itself. In a network of our own it is always the same, so
    /// that two runs tell the same story.
    pub(crate) fn choose(self, private: bool) -> Result<SocketAddr> {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match self {
            Address::At(address) => Ok(address),
            Address::Zero => Ok(local(0)),
            Address::Free if private => Ok(local(OURS)),
            Address::Free => free().context("find a free port"),
        }
    }
}

/// A port that nobody has in this moment, neither for TCP nor for UDP.
fn free() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    match UdpSocket::bind(address) {
        Ok(_) => Ok(address),
        Err(_) => free(),
    }
}
