//! A host: a network namespace of its own with one network card.

use std::ffi::CStr;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;
use std::sync::Arc;
use std::{fs, io, thread};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};
use sources::states::States;

use crate::Side;
use crate::counters::Counters;
use crate::os;

/// Where a file system of our own stands for a moment, while a program starts.
const FOR_A_MOMENT: &CStr = c"/tmp";
const NAMES_FOR_A_MOMENT: &CStr = c"/tmp/hosts";
/// hosts(5): names that need nobody to be asked.
const NAMES: &CStr = c"/etc/hosts";

/// `localhost` has no IPv6 address, because 127.0.0.1 leads from the client to
/// the server, and ::1 does not.
const CONTENT: &[u8] = b"127.0.0.1 localhost
::1 ip6-localhost
10.0.0.1 server
10.0.0.2 client
fd00::1 server
fd00::2 client
";

/// A namespace that lives as long as somebody has this.
pub(crate) type Namespace = Arc<OwnedFd>;

/// One of the two hosts at the ends of the cable. Clones are the same host.
#[derive(Clone, Debug)]
pub struct Host {
    side: Side,
    network: Namespace,
    /// Whether its programs know the names `server` and `client`.
    names: bool,
}

impl Host {
    pub(crate) fn new(side: Side, network: Namespace) -> Self {
        let mut host = Self {
            side,
            network,
            names: true,
        };
        // Tried in a thread that ends: where mounting is forbidden, programs do
        // without the names.
        host.names = thread::scope(|scope| {
            let tried = scope.spawn(|| know_names().is_ok());
            tried.join().unwrap_or(false)
        });
        host
    }

    /// Which end of the cable it has.
    pub fn side(&self) -> Side {
        self.side
    }

    /// 10.0.0.1 for the server, 10.0.0.2 for the client.
    pub fn v4(&self) -> Ipv4Addr {
        self.side.v4()
    }

    /// fd00::1 for the server, fd00::2 for the client.
    pub fn v6(&self) -> Ipv6Addr {
        self.side.v6()
    }

    /// The addresses of the other host.
    pub(crate) fn other(&self) -> (Ipv4Addr, Ipv6Addr) {
        let side = self.side.other();
        (side.v4(), side.v6())
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
        let network = Arc::clone(&self.network);
        let names = self.names;
        os::before_exec(command, move || {
            enter(&network)?;
            if names { know_names() } else { Ok(()) }
        });
    }

    /// Does something in the network of this host: what is opened there, such as
    /// a socket, belongs to it for ever. It is done in a thread of its own, which
    /// leaves the caller where it is.
    ///
    /// # Errors
    /// Those of setns(2), and those of what is done.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
        inside(&self.network, work)
    }

    /// Opens the way to the TCP states of this host.
    ///
    /// # Errors
    /// Those of [`States::open`].
    pub fn states(&self) -> io::Result<States> {
        self.inside(States::open)
    }

    /// Opens what the kernel of this host has counted.
    ///
    /// # Errors
    /// Those of open(2) on `/proc/net`.
    pub fn counters(&self) -> io::Result<Counters> {
        self.inside(Counters::open)
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
        self.inside(|| fs::write(path(name), value)).map_err(told)
    }

    /// What [`Host::set`] sets, as the kernel has it now.
    ///
    /// # Errors
    /// "not found" for one that this kernel does not have.
    pub fn value(&self, name: &str) -> io::Result<String> {
        let read = self.inside(|| fs::read_to_string(path(name)));
        let told = |error: io::Error| io::Error::new(error.kind(), format!("read {name}: {error}"));
        Ok(read.map_err(told)?.trim().to_string())
    }
}

fn path(sysctl: &str) -> String {
    format!("/proc/sys/{}", sysctl.replace('.', "/"))
}

/// This thread goes over to a network.
pub(crate) fn enter(network: &OwnedFd) -> io::Result<()> {
    let kind = Some(LinkNameSpaceType::Network);
    rustix::thread::move_into_link_name_space(network.as_fd(), kind)?;
    Ok(())
}

/// Does something in a thread that has gone over to a network.
pub(crate) fn inside<T: Send>(
    network: &OwnedFd,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| enter(network).and_then(|()| work()));
        worker.join().expect("work inside a host does not panic")
    })
}

/// A file over `/etc/hosts`, for this task and its children alone. The file is
/// in memory, so nothing can be left behind. System calls only: it runs between
/// fork and exec.
fn know_names() -> io::Result<()> {
    os::unshare(UnshareFlags::NEWNS)?;
    // What is mounted from here on stays here.
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change(c"/", private)?;
    rustix::mount::mount(
        c"tmpfs",
        FOR_A_MOMENT,
        c"tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        Some(c"mode=755"),
    )?;
    let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open(NAMES_FOR_A_MOMENT, flags, Mode::from_raw_mode(0o644))?;
    rustix::io::write(&file, CONTENT)?;
    rustix::mount::mount_bind(NAMES_FOR_A_MOMENT, NAMES)?;
    rustix::mount::unmount(FOR_A_MOMENT, UnmountFlags::DETACH)?;
    Ok(())
}
