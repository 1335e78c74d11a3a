//! netdevice(7) and ethtool: setting up the loopback of a network of our own.

#![allow(unsafe_code)]

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::from_mut;

use libc::{c_short, c_ulong, ifreq};
use rustix::thread::UnshareFlags;

/// linux/ethtool.h: turn off cutting large packets into segments late, and
/// gluing small ones together, so that each packet is what a cable would carry.
const ETHTOOL_OFF: [u32; 4] = [
    0x1f, // ETHTOOL_STSO
    0x24, // ETHTOOL_SGSO
    0x2c, // ETHTOOL_SGRO
    0x22, // ETHTOOL_SUFO, gone in new kernels
];
const SIOCETHTOOL: c_ulong = 0x8946;

/// `struct ethtool_value`.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// unshare(2): this process leaves for new namespaces.
pub(crate) fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: the flags of callers are NEWUSER and NEWNET: no memory and no
    // descriptors are unshared.
    unsafe { rustix::thread::unshare_unsafe(flags)? };
    Ok(())
}

/// Gives lo the largest packet size of an Ethernet, and switches it on.
pub(crate) fn bring_up_loopback(mtu: i32) -> io::Result<()> {
    // SAFETY: the call takes numbers only.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    request(&socket, libc::SIOCSIFMTU, |request| {
        request.ifr_ifru.ifru_mtu = mtu
    })?;
    for command in ETHTOOL_OFF {
        let mut value = EthtoolValue { command, data: 0 };
        // What a kernel does not know it does not do either.
        let _ = request(&socket, SIOCETHTOOL, |request| {
            request.ifr_ifru.ifru_data = from_mut(&mut value).cast();
        });
    }
    let flags = (libc::IFF_UP | libc::IFF_RUNNING) as c_short;
    request(&socket, libc::SIOCSIFFLAGS, |request| {
        request.ifr_ifru.ifru_flags = flags
    })
}

fn request(socket: &OwnedFd, what: c_ulong, fill: impl FnOnce(&mut ifreq)) -> io::Result<()> {
    // SAFETY: an ifreq of zeros is valid.
    let mut request: ifreq = unsafe { zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    fill(&mut request);
    // SAFETY: these requests read an ifreq, and what it points to lives as long.
    match unsafe { libc::ioctl(socket.as_raw_fd(), what as _, from_mut(&mut request)) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
