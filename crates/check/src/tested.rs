//! The program under test, as checks see it.

use std::net::SocketAddr;

use timeline::Actor;

/// A program under test that was started.
#[derive(Clone, Debug)]
pub struct Tested {
    pub(crate) actor: Actor,
    pub(crate) name: String,
    /// Where it was told to listen, or to call.
    pub(crate) told: SocketAddr,
    /// Where it really listens; for a client, the same as `told`.
    pub(crate) address: SocketAddr,
    /// What it is bound to, which can be all addresses of this host.
    pub(crate) bound: SocketAddr,
}

impl Tested {
    /// Where a server really is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it was told to be.
    pub fn told(&self) -> SocketAddr {
        self.told
    }
}
