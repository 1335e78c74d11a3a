//! packet(7): a socket that sees what passes an interface. The same calls open it
//! for a [`Capture`](super::Capture) and for a [`Ring`](super::ring::Ring).

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::mem::{size_of_val, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::{from_mut, from_ref};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

use crate::wait::readable;
use crate::{check, own};

/// A larger buffer loses fewer packets; the kernel grants what it may.
const BUFFER: u32 = 8 * 1024 * 1024;

/// What one receive gave.
pub(super) struct Received {
    /// Bytes in the buffer.
    pub(super) kept: usize,
    /// Bytes of the packet.
    pub(super) length: usize,
    /// Since 1970.
    pub(super) at: Duration,
}

/// Opens a packet socket that sees nothing until [`attach`] names an interface, so
/// that no packet of another one gets in. It needs CAP_NET_RAW in its network.
pub(super) fn open(kind: c_int) -> io::Result<OwnedFd> {
    // Protocol 0: it sees nothing.
    // SAFETY: the call takes numbers only, and its descriptor is new.
    let socket = unsafe { own(libc::socket(libc::AF_PACKET, kind | libc::SOCK_CLOEXEC, 0)) }?;
    // On lo each packet comes twice; elsewhere what we put out ourselves is not to
    // come back.
    set(
        &socket,
        libc::SOL_PACKET,
        libc::PACKET_IGNORE_OUTGOING,
        &[1],
    )?;
    Ok(socket)
}

/// bind(2): from now on the packets of this interface come in.
pub(super) fn attach(socket: &OwnedFd, interface: u32) -> io::Result<()> {
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
    })
    .map(drop)
}

/// setsockopt(2) with a value that is one word, or a structure of words.
pub(super) fn set(socket: &OwnedFd, level: c_int, option: c_int, value: &[u32]) -> io::Result<()> {
    // SAFETY: the kernel reads the words, and their size is told.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            value.as_ptr().cast(),
            size_of_val(value) as socklen_t,
        )
    })
    .map(drop)
}

/// getsockopt(2) of a structure of words; those that the kernel does not know stay 0.
fn get<const N: usize>(socket: BorrowedFd, level: c_int, option: c_int) -> io::Result<[u32; N]> {
    let mut value = [0_u32; N];
    let mut size = size_of_val(&value) as socklen_t;
    // SAFETY: the kernel writes at most the size that it is told.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            option,
            value.as_mut_ptr().cast(),
            from_mut(&mut size),
        )
    })?;
    Ok(value)
}

/// The number of the interface with this name, in the network of this thread.
fn index_of(interface: &str) -> io::Result<u32> {
    let name = CString::new(interface)?;
    // SAFETY: the name ends with a zero.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

/// Opens a socket that sees IPv4 and IPv6 packets without their link header.
pub(super) fn open_on(interface: &str) -> io::Result<OwnedFd> {
    let index = index_of(interface)?;
    let fd = open(libc::SOCK_DGRAM | libc::SOCK_NONBLOCK)?;
    set(&fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &[1])?;
    // Beyond the limit of the system only for the privileged.
    if set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &[BUFFER]).is_err() {
        set(&fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &[BUFFER])?;
    }
    attach(&fd, index)?;
    Ok(fd)
}

/// Receives a packet; None when none came within the timeout.
pub(super) fn receive(
    socket: &OwnedFd,
    buffer: &mut [u8],
    timeout: Duration,
) -> io::Result<Option<Received>> {
    if let Some(received) = receive_now(socket, buffer)? {
        return Ok(Some(received));
    }
    match readable(&[socket.as_fd()], Some(timeout)) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        _ => receive_now(socket, buffer),
    }
}

fn receive_now(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    let mut control = [0_u64; 16];
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast::<c_void>(),
        iov_len: buffer.len(),
    };
    // SAFETY: a msghdr of zeros is valid: no address, no buffers.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = from_mut(&mut part);
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: buffer and control live as long as the call, and their sizes are told.
    let length =
        unsafe { libc::recvmsg(socket.as_raw_fd(), from_mut(&mut message), libc::MSG_TRUNC) };
    let Ok(length) = usize::try_from(length) else {
        let error = io::Error::last_os_error();
        return match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        };
    };
    let kept = length.min(buffer.len());
    Ok(Some(Received {
        kept,
        length,
        at: timestamp(&message),
    }))
}

/// How full the buffer is: bytes in it, and bytes that it holds.
pub(super) fn fill(socket: &OwnedFd) -> io::Result<(u32, u32)> {
    // linux/sock_diag.h: SK_MEMINFO_RMEM_ALLOC is the first, SK_MEMINFO_RCVBUF
    // the second of nine.
    let [used, size, ..] = get::<9>(socket.as_fd(), libc::SOL_SOCKET, libc::SO_MEMINFO)?;
    Ok((used, size))
}

/// How many packets did not fit the buffer of a packet(7) socket since this was
/// last asked: PACKET_STATISTICS, which starts again from 0 each time.
///
/// # Errors
/// Those of getsockopt(2).
pub fn drops_since_last_asked(socket: impl AsFd) -> io::Result<u64> {
    // `struct tpacket_stats`: packets, drops.
    let [_packets, drops] = get(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
    Ok(drops.into())
}

/// From the control message SCM_TIMESTAMPNS; 0 when there is none.
fn timestamp(message: &libc::msghdr) -> Duration {
    // SAFETY: the kernel has filled the control buffer, and the macros stay
    // within the length that it has set.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(message);
        while !control.is_null() {
            let header = &*control;
            if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_TIMESTAMPNS {
                let time = libc::CMSG_DATA(control)
                    .cast::<libc::timespec>()
                    .read_unaligned();
                return Duration::new(
                    u64::try_from(time.tv_sec).unwrap_or(0),
                    u32::try_from(time.tv_nsec).unwrap_or(0),
                );
            }
            control = libc::CMSG_NXTHDR(message, control);
        }
    }
    Duration::ZERO
}
