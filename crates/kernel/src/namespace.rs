//! Networks, users and mounts of our own: namespaces(7).

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null;
use std::thread;

use crate::{check, own, process};

/// What is left for new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum New {
    Network,
    UserAndNetwork,
    Mounts,
}

/// unshare(2): this thread leaves for new namespaces, and with it the process, if
/// it has only one.
pub(crate) fn unshare(new: New) -> io::Result<()> {
    let flags = match new {
        New::Network => libc::CLONE_NEWNET,
        New::UserAndNetwork => libc::CLONE_NEWUSER | libc::CLONE_NEWNET,
        New::Mounts => libc::CLONE_NEWNS,
    };
    // SAFETY: none of these flags unshares memory or descriptors.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// The user and the group of this process, each mapped to itself: in a new user
/// namespace it has the same rights to files as outside.
#[derive(Clone, Debug)]
pub(crate) struct SameIds {
    users: String,
    groups: String,
}

impl SameIds {
    pub(crate) fn new() -> Self {
        let (user, group) = (process::user(), process::group());
        Self {
            users: format!("{user} {user} 1\n"),
            groups: format!("{group} {group} 1\n"),
        }
    }

    /// Tells the kernel, right after [`New::UserAndNetwork`]. System calls only: it
    /// may run between fork and exec.
    pub(crate) fn map(&self) -> io::Result<()> {
        // user_namespaces(7): without privilege the group map may be written only
        // after setgroups was given up.
        write(c"/proc/self/setgroups", b"deny")?;
        write(c"/proc/self/uid_map", self.users.as_bytes())?;
        write(c"/proc/self/gid_map", self.groups.as_bytes())
    }
}

/// The network in which this thread is. It lives as long as somebody has this.
///
/// # Errors
/// Those of open(2) on `/proc/thread-self/ns/net`.
pub fn this_network() -> io::Result<OwnedFd> {
    File::open("/proc/thread-self/ns/net").map(OwnedFd::from)
}

/// This thread leaves for a new network, in which there is nothing but a loopback
/// that is switched off.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN, ENOSPC where the number of networks is limited.
pub fn new_network() -> io::Result<OwnedFd> {
    unshare(New::Network)?;
    this_network()
}

/// This thread goes over to a network: setns(2).
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN there.
pub fn enter(network: &OwnedFd) -> io::Result<()> {
    // SAFETY: the call takes numbers, and changes the network of this thread only.
    check(unsafe { libc::setns(network.as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}

/// Does something in a thread of its own that has gone over to a network: what is
/// opened there, such as a socket, belongs to that network for ever.
///
/// # Errors
/// Those of [`enter`], and those of what is done.
pub fn inside<T: Send>(
    network: &OwnedFd,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| enter(network).and_then(|()| work()));
        worker.join().expect("work inside a network does not panic")
    })
}

/// A file that stands in the place of another one.
#[derive(Clone, Copy, Debug)]
pub struct Cover {
    /// Which file is covered, such as `/etc/hosts`.
    pub path: &'static CStr,
    /// What is read in its place.
    pub content: &'static [u8],
}

impl Cover {
    /// From here on this thread and what it starts read the cover, and nobody else.
    /// The file is in memory, so nothing can be left behind. System calls only: it
    /// may run between fork and exec. When it fails halfway, mounts of this thread
    /// may be left as they are: it should end then.
    ///
    /// # Errors
    /// EPERM without CAP_SYS_ADMIN; EACCES where a sandbox forbids to mount.
    pub fn lay(&self) -> io::Result<()> {
        // Where the file stands for a moment, in a file system of its own.
        const FOLDER: &CStr = c"/tmp";
        const FILE: &CStr = c"/tmp/cover";
        unshare(New::Mounts)?;
        // What is mounted from here on stays here.
        mount(None, c"/", None, libc::MS_PRIVATE | libc::MS_REC)?;
        let harmless = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        mount(Some(c"tmpfs"), FOLDER, Some(c"mode=755"), harmless)?;
        write(FILE, self.content)?;
        mount(Some(FILE), self.path, None, libc::MS_BIND)?;
        // SAFETY: the name ends with a zero.
        check(unsafe { libc::umount2(FOLDER.as_ptr(), libc::MNT_DETACH) }).map(drop)
    }
}

/// mount(2), of a tmpfs where a kind of file system is asked for.
fn mount(
    from: Option<&CStr>,
    to: &CStr,
    options: Option<&CStr>,
    flags: libc::c_ulong,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(null(), CStr::as_ptr);
    // SAFETY: each text is null or ends with a zero.
    let result = unsafe {
        libc::mount(
            pointer(from),
            to.as_ptr(),
            // It is read for a new file system only.
            c"tmpfs".as_ptr(),
            flags,
            pointer(options).cast(),
        )
    };
    check(result).map(drop)
}

/// Makes or overwrites a file. System calls only.
fn write(path: &CStr, content: &[u8]) -> io::Result<()> {
    let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC | libc::O_CLOEXEC;
    // SAFETY: the name ends with a zero, and the descriptor is new.
    let file = unsafe { own(libc::open(path.as_ptr(), flags, 0o644)) }?;
    // SAFETY: the content is there, and its length is told. The files of /proc want
    // it in one piece, and a file in memory takes it so.
    let written = unsafe { libc::write(file.as_raw_fd(), content.as_ptr().cast(), content.len()) };
    match usize::try_from(written) {
        Ok(length) if length == content.len() => Ok(()),
        Ok(_) => Err(io::ErrorKind::WriteZero.into()),
        Err(_) => Err(io::Error::last_os_error()),
    }
}
