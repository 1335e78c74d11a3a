//! How a program under test is started, and what is known of it then: values.

use std::net::SocketAddr;

use timeline::Actor;

use crate::address::Endpoint;
use crate::setup::Of;

/// How a program is started.
#[derive(Clone, Debug)]
pub struct Launch {
    pub(crate) of: Of,
    pub(crate) name: String,
    pub(crate) address: Option<Endpoint>,
    pub(crate) files: Option<u32>,
    pub(crate) input: Vec<u8>,
}

impl Launch {
    /// The server under test.
    pub fn server() -> Self {
        Self {
            of: Of::Server,
            name: "your server".into(),
            address: None,
            files: None,
            input: Vec::new(),
        }
    }

    /// The client under test.
    pub fn client() -> Self {
        Self {
            of: Of::Client,
            name: "your client".into(),
            ..Self::server()
        }
    }

    /// Another name in the story, where there are several.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// It is told another address than usual.
    #[must_use]
    pub fn at(mut self, address: Endpoint) -> Self {
        self.address = Some(address);
        self
    }

    /// It may have so many files open, sockets included.
    #[must_use]
    pub fn files(mut self, most: u32) -> Self {
        self.files = Some(most);
        self
    }

    /// What it reads from its standard input, before the end of it.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }
}

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
