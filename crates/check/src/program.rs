//! The program under test, as checks see it.

use std::net::SocketAddr;

use timeline::{Actor, Stream};

/// A program that was started.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) actor: Actor,
    pub(crate) name: String,
    /// Where it was told to listen, or to call.
    pub(crate) told: SocketAddr,
    /// Where it really listens; for a client, the same as `told`.
    pub(crate) address: SocketAddr,
    /// What it is bound to, which can be all addresses of this host.
    pub(crate) bound: SocketAddr,
}

impl Program {
    /// Where a server really is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it was told to be.
    pub fn told(&self) -> SocketAddr {
        self.told
    }
}

/// What one program wrote, as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) stream: Stream,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn on(&self, stream: Stream) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter();
        let of_it = lines.filter(move |line| line.stream == stream);
        of_it.map(|line| line.text.as_str())
    }
}
