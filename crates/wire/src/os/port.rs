//! packet(7): a socket at one end of the cable.

use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::from_ref;

use libc::{c_int, socklen_t};

use super::ring::Ring;

/// Constants of linux/if_packet.h that libc does not have on every C library.
const PACKET_QDISC_BYPASS: c_int = 20;
const PACKET_IGNORE_OUTGOING: c_int = 23;

/// Opens a socket on the interface with this number, in the network of this
/// thread: it gets the frames that come in, and puts frames out as they are.
pub(crate) fn open(interface: u32) -> io::Result<(OwnedFd, Ring)> {
    // Protocol 0: it sees nothing until bind names a protocol and an interface.
    // SAFETY: the call takes numbers only.
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    // What we put out ourselves is not to come back.
    set(&socket, libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, &1)?;
    set(&socket, libc::SOL_PACKET, PACKET_QDISC_BYPASS, &1)?;
    let ring = Ring::new(&socket)?;
    // SAFETY: a sockaddr_ll of zeros is valid.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = interface as c_int;
    // SAFETY: the address is a sockaddr_ll, and its size is told.
    check(unsafe {
        libc::bind(
            socket.as_raw_fd(),
            from_ref(&address).cast(),
            size_of_val(&address) as socklen_t,
        )
    })?;
    Ok((socket, ring))
}

/// setsockopt(2) with any plain value.
pub(super) fn set<T>(socket: &OwnedFd, level: c_int, option: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads a value that is there, and its size is told.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            from_ref(value).cast(),
            size_of::<T>() as socklen_t,
        )
    })
}

fn check(result: c_int) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
