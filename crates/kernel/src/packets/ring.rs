//! packet(7) with PACKET_RX_RING: frames come in memory that the kernel shares
//! with us. So thousands of them may wait, whatever `net.core.rmem_max` says, and
//! none of them is copied to be looked at.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::{self, from_mut};
use std::slice;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use libc::c_void;

use super::socket::{attach, open, set};

const TPACKET_V2: u32 = 1;

/// Room for one frame: a header of the kernel's, and 1,514 bytes.
const SLOT: usize = 2048;
/// The kernel takes memory in blocks.
const BLOCK: usize = 64 * 1024;
/// How many frames may wait until we look: 8 MB.
const SLOTS: usize = 4096;

/// The frames that have come on a socket.
#[derive(Debug)]
pub struct Ring {
    memory: *mut u8,
    /// The slot that is read next.
    next: usize,
}

// SAFETY: the memory belongs to this value alone, besides the kernel.
unsafe impl Send for Ring {}

/// A frame in the shared memory.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// From the Ethernet header on.
    pub bytes: &'a [u8],
    /// Since 1970, by the kernel's clock.
    pub at: Duration,
}

impl Ring {
    /// Opens a socket on the interface with this number, in the network of this
    /// thread: its ring gets the frames that come in, and [`send_all`] puts frames
    /// out as they are.
    ///
    /// # Errors
    /// EPERM without CAP_NET_RAW, ENODEV when there is no such interface, ENOMEM.
    pub fn open(interface: u32) -> io::Result<(OwnedFd, Self)> {
        let socket = open(libc::SOCK_RAW)?;
        set(&socket, libc::SOL_PACKET, libc::PACKET_QDISC_BYPASS, &[1])?;
        // The kernel wants it before the socket is bound.
        let ring = Self::of(&socket)?;
        attach(&socket, interface)?;
        Ok((socket, ring))
    }

    fn of(socket: &OwnedFd) -> io::Result<Self> {
        set(
            socket,
            libc::SOL_PACKET,
            libc::PACKET_VERSION,
            &[TPACKET_V2],
        )?;
        // linux/if_packet.h, `struct tpacket_req`: size and number of the blocks,
        // size and number of the frames.
        let blocks = SLOTS * SLOT / BLOCK;
        let request = [BLOCK, blocks, SLOT, SLOTS].map(|number| number as u32);
        set(socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let memory = unsafe {
            libc::mmap(
                ptr::null_mut(),
                SLOTS * SLOT,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                socket.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            memory: memory.cast(),
            next: 0,
        })
    }

    /// The frames that wait, oldest first, at most so many. They stay where they
    /// are until [`Ring::give_back`].
    pub fn waiting(&self, most: usize) -> impl Iterator<Item = Slot<'_>> {
        let most = most.min(SLOTS);
        (0..most).map_while(|ahead| self.slot((self.next + ahead) % SLOTS))
    }

    /// Lets the kernel use the memory of the oldest frames again.
    pub fn give_back(&mut self, count: usize) {
        for _ in 0..count {
            self.status(self.next)
                .store(libc::TP_STATUS_KERNEL, Ordering::Release);
            self.next = (self.next + 1) % SLOTS;
        }
    }

    fn slot(&self, index: usize) -> Option<Slot<'_>> {
        // Acquire: what the kernel wrote before the status is to be seen.
        if self.status(index).load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        // SAFETY: the index is within the ring, the kernel has written the header
        // and the frame, and leaves both alone until the status is given back,
        // which needs `&mut self`. Slots begin at multiples of 16.
        unsafe {
            let start = self.memory.add(index * SLOT);
            let header = start.cast::<libc::tpacket2_hdr>().read();
            let link = usize::from(header.tp_mac).min(SLOT);
            let kept = (header.tp_snaplen as usize).min(SLOT - link);
            Some(Slot {
                bytes: slice::from_raw_parts(start.add(link), kept),
                at: Duration::new(header.tp_sec.into(), header.tp_nsec),
            })
        }
    }

    fn status(&self, index: usize) -> &AtomicU32 {
        // SAFETY: the index is within the ring; the status is the first word of a
        // slot, and kernel and we change it as an atomic.
        unsafe { AtomicU32::from_ptr(self.memory.add(index * SLOT).cast()) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the mapping was made in `new`, and no slot outlives `self`.
        unsafe { libc::munmap(self.memory.cast::<c_void>(), SLOTS * SLOT) };
    }
}

/// Sends frames, in their order, in one call: sendmmsg(2). How many went out; the
/// error that stopped the next one is seen when it is sent again.
///
/// # Errors
/// Those of the first frame, such as EMSGSIZE.
pub fn send_all(socket: &OwnedFd, frames: &[&[u8]]) -> io::Result<usize> {
    let mut parts: Vec<libc::iovec> = frames
        .iter()
        .map(|frame| libc::iovec {
            iov_base: frame.as_ptr().cast_mut().cast(),
            iov_len: frame.len(),
        })
        .collect();
    let mut messages: Vec<libc::mmsghdr> = parts
        .iter_mut()
        .map(|part| {
            // SAFETY: an mmsghdr of zeros is valid: no address, no buffers.
            let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
            message.msg_hdr.msg_iov = from_mut(part);
            message.msg_hdr.msg_iovlen = 1;
            message
        })
        .collect();
    // SAFETY: the messages point at parts, and these at frames, which all live as
    // long as the call; it reads the frames and does not change them.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            messages.as_mut_ptr(),
            messages.len() as _,
            0,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}
