//! packet(7): a socket that sees what passes an interface.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::{from_mut, from_ref};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

/// Constants of linux/if_packet.h that libc does not have on every C library.
const PACKET_STATISTICS: c_int = 6;
const PACKET_IGNORE_OUTGOING: c_int = 23;

/// A larger buffer loses fewer packets; the kernel grants what it may.
const BUFFER: c_int = 8 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
}

impl Socket {
    /// The same socket under another descriptor.
    pub(crate) fn again(&self) -> io::Result<Self> {
        let fd = self.fd.try_clone()?;
        Ok(Self { fd })
    }
}

/// What one receive gave.
pub(crate) struct Received {
    /// Bytes in the buffer.
    pub(crate) kept: usize,
    /// Bytes of the packet.
    pub(crate) length: usize,
    /// Since 1970.
    pub(crate) at: Duration,
}

/// `struct tpacket_stats`.
#[repr(C)]
#[derive(Default)]
struct Statistics {
    packets: u32,
    drops: u32,
}

impl Socket {
    /// Opens a socket that sees IPv4 and IPv6 packets without their link header.
    pub(crate) fn open(interface: &str) -> io::Result<Self> {
        let name = CString::new(interface)?;
        // SAFETY: the name ends with a zero.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        let index = c_int::try_from(index).map_err(io::Error::other)?;
        if index == 0 {
            return Err(io::Error::last_os_error());
        }
        // Protocol 0: it sees nothing until bind names a protocol and an interface,
        // so that no packet of another interface gets in.
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: the call takes numbers only.
        let fd = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
        // SAFETY: the descriptor is new, and nobody else has it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let socket = Self { fd };
        socket.set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)?;
        socket.set(libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
        // Beyond the limit of the system only for the privileged.
        if socket
            .set(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER)
            .is_err()
        {
            socket.set(libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER)?;
        }
        // SAFETY: a sockaddr_ll of zeros is valid.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index;
        // SAFETY: the address is a sockaddr_ll, and its size is told.
        check(unsafe {
            libc::bind(
                socket.as_raw_fd(),
                from_ref(&address).cast(),
                size_of_val(&address) as socklen_t,
            )
        })?;
        Ok(socket)
    }

    /// Receives a packet; None when none came within the timeout.
    pub(crate) fn receive(
        &self,
        buffer: &mut [u8],
        timeout: Duration,
    ) -> io::Result<Option<Received>> {
        if let Some(received) = self.receive_now(buffer)? {
            return Ok(Some(received));
        }
        let mut poll = libc::pollfd {
            fd: self.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let milliseconds = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: one pollfd, and the count says one.
        match check(unsafe { libc::poll(from_mut(&mut poll), 1, milliseconds) }) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => self.receive_now(buffer),
        }
    }

    fn receive_now(&self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
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
            unsafe { libc::recvmsg(self.as_raw_fd(), from_mut(&mut message), libc::MSG_TRUNC) };
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
    pub(crate) fn fill(&self) -> io::Result<(u32, u32)> {
        // linux/sock_diag.h: SK_MEMINFO_RMEM_ALLOC is the first, SK_MEMINFO_RCVBUF
        // the second of nine.
        let mut memory = [0_u32; 9];
        let mut size = size_of_val(&memory) as socklen_t;
        // SAFETY: the kernel writes at most the size that it is told.
        check(unsafe {
            libc::getsockopt(
                self.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                from_mut(&mut memory).cast(),
                from_mut(&mut size),
            )
        })?;
        Ok((memory[0], memory[1]))
    }

    fn set(&self, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
        // SAFETY: the value is an int, and its size is told.
        check(unsafe {
            libc::setsockopt(
                self.as_raw_fd(),
                level,
                option,
                from_ref(&value).cast(),
                size_of_val(&value) as socklen_t,
            )
        })?;
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// PACKET_STATISTICS: the kernel starts again from 0 each time it is asked.
pub(crate) fn drops_since_last_asked(socket: BorrowedFd) -> io::Result<u64> {
    let mut statistics = Statistics::default();
    let mut size = size_of::<Statistics>() as socklen_t;
    // SAFETY: the kernel writes at most the size that it is told.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            PACKET_STATISTICS,
            from_mut(&mut statistics).cast(),
            from_mut(&mut size),
        )
    })?;
    Ok(statistics.drops.into())
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

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
