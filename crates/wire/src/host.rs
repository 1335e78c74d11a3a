//! A host: a network namespace of its own with one network card.

use std::os::fd::OwnedFd;
use std::process::Command;
use std::sync::Arc;
use std::{fs, io, thread};

use kernel::before_exec::enter_network;
use kernel::namespace::{self, Cover};
use kernel::states::States;

use crate::Side;

/// hosts(5): names that need nobody to be asked. `localhost` has no IPv6 address,
/// because 127.0.0.1 leads from the client to the server, and ::1 does not.
const NAMES: Cover = Cover {
    path: c"/etc/hosts",
    content: b"127.0.0.1 localhost
::1 ip6-localhost
10.0.0.1 server
10.0.0.2 client
fd00::1 server
fd00::2 client
",
};

/// A namespace that lives as long as somebody has this.
pub(crate) type Namespace = Arc<OwnedFd>;

/// One of the two hosts at the ends of the cable. Clones are the same host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Which end of the cable it has.
    pub(crate) side: Side,
    network: Namespace,
    /// Whether its programs know the names `server` and `client`.
    names: bool,
}

impl Host {
    pub(crate) fn new(side: Side, network: Namespace) -> Self {
        // Tried in a thread that ends: where mounting is forbidden, programs do
        // without the names.
        let tried = thread::spawn(|| NAMES.lay().is_ok());
        Self {
            side,
            network,
            names: tried.join().unwrap_or(false),
        }
    }

    /// Whether the names `server` and `client` can be made known to programs.
    /// Some sandboxes forbid the mount that it needs.
    pub fn knows_names(&self) -> bool {
        self.names
    }

    /// Has the program run on this host: setns(2) in the child, before exec. The
    /// names `server` and `client` are made known to it by a file over
    /// `/etc/hosts` that only it sees.
    pub fn place(&self, command: &mut Command) {
        let names = self.names.then_some(NAMES);
        enter_network(command, Arc::clone(&self.network), names);
    }

    /// Does something in the network of this host: what is opened there, such as
    /// a socket, belongs to it for ever. It is done in a thread of its own, which
    /// leaves the caller where it is.
    ///
    /// # Errors
    /// Those of setns(2), and those of what is done.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        namespace::inside(&self.network, work)
    }

    /// Opens the way to the TCP states of this host.
    ///
    /// # Errors
    /// Those of [`States::open`].
    pub fn states(&self) -> io::Result<States> {
        self.inside(States::open)
    }

    /// Sets a value of the kernel for this host alone, such as
    /// `net.ipv4.tcp_syn_retries`; see tcp(7), ip(7).
    ///
    /// # Errors
    /// "not found" for one that this kernel does not have, EINVAL for a value
    /// that it does not take, EACCES for one that cannot be set for a host alone.
    pub fn set(&self, name: &str, value: &str) -> io::Result<()> {
        let told = |error: io::Error| {
            io::Error::new(error.kind(), format!("set {name} to {value}: {error}"))
        };
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        self.inside(|| fs::write(path, value)).map_err(told)
    }
}
