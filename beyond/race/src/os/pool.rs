//! Receive buffers that the kernel takes by itself: one for each message, not
//! one for each caller.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed};
use std::io::{self, ErrorKind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// The name of the pool in a request. There is one.
pub const GROUP: u16 = 0;

/// Buffers that begin a page apart would all lie in the same few lines of the
/// cache. So there is a gap behind each.
const GAP: usize = 192;

/// The kernel takes buffers from the head of a ring, we give them back at its
/// tail. The memory is never freed: a request that is on its way may use it.
pub struct Pool {
    ring: NonNull<BufRingEntry>,
    /// The memory of each buffer that the kernel has.
    with_kernel: Vec<Option<NonNull<[u8]>>>,
    tail: u16,
}

/// A message in a buffer of the pool. It is the only way to the buffer: the
/// kernel has handed it out, and gets it back when this is given back.
pub struct Received {
    buffer: u16,
    memory: &'static mut [u8],
    length: usize,
}

impl Received {
    /// What was received.
    pub fn bytes(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    /// The same, to make the answer in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

impl Pool {
    /// Tells the kernel about the buffers: IORING_REGISTER_PBUF_RING. Their
    /// number must be a power of two, so it cannot be 0.
    pub fn new(kernel: &IoUring, buffers: u16, room: usize) -> io::Result<Self> {
        if !buffers.is_power_of_two() || room == 0 {
            let wrong = "a pool needs a power of two of buffers, each with room";
            return Err(io::Error::new(ErrorKind::InvalidInput, wrong));
        }
        let entries = usize::from(buffers);
        let ring = zeroed(entries * size_of::<BufRingEntry>())?.cast::<BufRingEntry>();
        let memory = zeroed(entries * (room + GAP))?;
        let kernel = kernel.submitter();
        let address = ring.as_ptr() as u64;
        // SAFETY: the ring is aligned to a page, large enough, and never freed.
        unsafe { kernel.register_buf_ring_with_flags(address, buffers, GROUP, 0)? };
        let mut pool = Self {
            ring,
            with_kernel: vec![None; entries],
            tail: 0,
        };
        for buffer in 0..buffers {
            // SAFETY: the place of each of these buffers is inside.
            let start = unsafe { memory.add(usize::from(buffer) * (room + GAP)) };
            pool.hand_over(buffer, NonNull::slice_from_raw_parts(start, room));
        }
        pool.publish();
        Ok(pool)
    }

    /// A buffer out of which the kernel says that it has received so much. None
    /// if the kernel did not have it.
    pub(super) fn take(&mut self, buffer: u16, length: usize) -> Option<Received> {
        let mut memory = self.with_kernel.get_mut(usize::from(buffer))?.take()?;
        // SAFETY: it is initialised with zeros and never freed. The kernel has
        // handed it out, and its place was taken: there is no other reference.
        let memory = unsafe { memory.as_mut() };
        Some(Received {
            buffer,
            length: length.min(memory.len()),
            memory,
        })
    }

    /// The kernel may use this buffer again, as soon as it is told.
    pub fn give_back(&mut self, message: Received) {
        self.hand_over(message.buffer, NonNull::from(message.memory));
    }

    fn hand_over(&mut self, buffer: u16, memory: NonNull<[u8]>) {
        let place = usize::from(self.tail) % self.with_kernel.len();
        let free = self.with_kernel[usize::from(buffer)].replace(memory);
        assert!(free.is_none(), "this buffer belongs to another pool");
        // SAFETY: inside the ring. The kernel reads an entry after the tail has
        // passed it, and this one is behind the tail.
        let entry = unsafe { self.ring.add(place).as_mut() };
        entry.set_addr(memory.cast::<u8>().as_ptr() as u64);
        entry.set_len(memory.len() as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Tells the kernel about all that were given back.
    pub fn publish(&self) {
        // SAFETY: the tail lies in the first entry, where the kernel looks for it.
        // It is aligned, never freed, and the kernel only reads it.
        let tail = unsafe {
            let tail = BufRingEntry::tail(self.ring.as_ptr());
            AtomicU16::from_ptr(tail.cast_mut())
        };
        tail.store(self.tail, Ordering::Release);
    }
}

/// Memory that is never freed, aligned to a page. Its size is not zero.
fn zeroed(size: usize) -> io::Result<NonNull<u8>> {
    let layout = Layout::from_size_align(size, 4096).map_err(io::Error::other)?;
    // SAFETY: the size is not zero: neither the buffers nor the gaps are.
    let memory = unsafe { alloc_zeroed(layout) };
    NonNull::new(memory).ok_or(ErrorKind::OutOfMemory.into())
}
