//! What is asked of a run, for every check of it.

use std::path::PathBuf;

use crate::address::Usual;

/// Whom a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The server, with our client.
    Server,
    /// The client, with our server.
    Client,
    /// Both, with each other.
    Both,
}

/// What is under test, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) server: Option<String>,
    pub(crate) client: Option<String>,
    /// The lesson's usual port.
    pub(crate) port: u16,
    /// Whether the network is our own.
    pub(crate) private: bool,
    /// Whether the programs are under the X-ray.
    pub(crate) observed: bool,
    pub(crate) seed: u64,
    /// The most memory that the programs may have, in bytes.
    pub(crate) memory: u64,
    /// Where a check may make files; they are taken away when its process is gone.
    pub(crate) scratch: PathBuf,
}

impl Setup {
    /// How the program on this side is started.
    pub(crate) fn command(&self, side: Of) -> Option<&str> {
        match side {
            Of::Server => self.server.as_deref(),
            Of::Client | Of::Both => self.client.as_deref(),
        }
    }

    pub(crate) fn usual(&self) -> Usual {
        Usual {
            port: self.port,
            private: self.private,
        }
    }
}
