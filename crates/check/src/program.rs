//! The program under test, as checks see it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
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
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Said {
    pub(crate) name: String,
    /// Whether it was stderr, and the line.
    pub(crate) lines: Vec<(bool, String)>,
}

impl Said {
    pub(crate) fn on(&self, stream: Stream) -> impl Iterator<Item = &str> {
        let on_stderr = stream == Stream::Stderr;
        let lines = self.lines.iter().filter(move |(on, _)| *on == on_stderr);
        lines.map(|(_, text)| text.as_str())
    }
}
