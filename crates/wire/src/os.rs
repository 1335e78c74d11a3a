//! The code that the compiler cannot check, with the reason why it is right.

#![allow(unsafe_code)]

pub(crate) mod port;
pub(crate) mod ring;

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::from_mut;

use rustix::thread::UnshareFlags;

/// linux/ethtool.h: what a network card would do for the kernel. Without it each
/// frame is what a cable would carry: no longer than the MTU, checksum and all.
const ETHTOOL_OFF: [u32; 6] = [
    0x17, // ETHTOOL_STXCSUM
    0x1f, // ETHTOOL_STSO
    0x24, // ETHTOOL_SGSO
    0x2c, // ETHTOOL_SGRO
    0x22, // ETHTOOL_SUFO, gone in new kernels
    0x19, // ETHTOOL_SSG
];
const SIOCETHTOOL: libc::c_ulong = 0x8946;

/// `struct ethtool_value`.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// unshare(2): this thread leaves for new namespaces.
pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: the flags of callers are NEWNET and NEWNS: no memory and no
    // descriptors are unshared.
    unsafe { rustix::thread::unshare_unsafe(flags)? };
    Ok(())
}

/// Has the closure run in the child between fork and exec.
///
/// The closure must do nothing but system calls: another thread of the parent
/// may have held any lock, that of the allocator too, at the moment of the fork.
pub(crate) fn before_exec(
    command: &mut Command,
    closure: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the one caller, `host.rs`, keeps to the rule above.
    unsafe { command.pre_exec(closure) };
}

/// The network card of this name does nothing by itself any more. The socket is
/// any one that was made in the network of the card.
pub(crate) fn turn_offloads_off(socket: &OwnedFd, name: &str) -> io::Result<()> {
    for command in ETHTOOL_OFF {
        let mut value = EthtoolValue { command, data: 0 };
        // SAFETY: an ifreq of zeros is valid.
        let mut request: libc::ifreq = unsafe { zeroed() };
        // One byte stays zero, as the end of the name.
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()).take(15) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_data = from_mut(&mut value).cast();
        // SAFETY: the request reads an ifreq and an ethtool_value, which live as long.
        let result =
            unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, from_mut(&mut request)) };
        let error = io::Error::last_os_error();
        // What a kernel does not know it does not do either.
        if result != 0 && error.raw_os_error() != Some(libc::EOPNOTSUPP) {
            return Err(error);
        }
    }
    Ok(())
}
