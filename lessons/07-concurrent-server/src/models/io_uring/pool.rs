//! Receive buffers that the kernel takes by itself: one for each message, not
//! one for each caller.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed};
use std::io;
use std::slice;
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
    ring: *mut BufRingEntry,
    memory: *mut u8,
    buffers: u16,
    room: usize,
    tail: u16,
}

impl Pool {
    /// Tells the kernel about the buffers: IORING_REGISTER_PBUF_RING. Their
    /// number is a power of two.
    pub fn new(kernel: &IoUring, buffers: u16, room: usize) -> io::Result<Self> {
        let entries = usize::from(buffers);
        let ring = zeroed(entries * size_of::<BufRingEntry>())?.cast();
        let memory = zeroed(entries * (room + GAP))?;
        let kernel = kernel.submitter();
        // SAFETY: the ring is aligned to a page, large enough, and never freed.
        unsafe { kernel.register_buf_ring_with_flags(ring as u64, buffers, GROUP, 0)? };
        let mut pool = Self {
            ring,
            memory,
            buffers,
            room,
            tail: 0,
        };
        (0..buffers).for_each(|buffer| pool.give_back(buffer));
        pool.publish();
        Ok(pool)
    }

    fn start(&self, buffer: u16) -> *mut u8 {
        let place = usize::from(buffer) * (self.room + GAP);
        // SAFETY: `buffer` is below `buffers`, so the place is inside.
        unsafe { self.memory.add(place) }
    }

    /// The bytes that were received into this buffer.
    pub fn bytes(&mut self, buffer: u16, length: usize) -> &mut [u8] {
        assert!(buffer < self.buffers && length <= self.room);
        // SAFETY: inside, and initialised with zeros. The kernel does not write
        // into a buffer that it has taken until we give it back.
        unsafe { slice::from_raw_parts_mut(self.start(buffer), length) }
    }

    /// The kernel may use this buffer again, as soon as it is told.
    pub fn give_back(&mut self, buffer: u16) {
        assert!(buffer < self.buffers);
        let place = self.tail & (self.buffers - 1);
        let start = self.start(buffer);
        // SAFETY: inside the ring. The kernel reads an entry after the tail has
        // passed it, and this one is behind the tail.
        let entry = unsafe { &mut *self.ring.add(usize::from(place)) };
        entry.set_addr(start as u64);
        entry.set_len(self.room as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Tells the kernel about all that were given back.
    pub fn publish(&self) {
        // SAFETY: the tail lies in the first entry, where the kernel looks for it.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.ring).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}

/// Memory for ever, aligned to a page.
fn zeroed(size: usize) -> io::Result<*mut u8> {
    let layout = Layout::from_size_align(size, 4096).map_err(io::Error::other)?;
    // SAFETY: the size is not zero.
    let memory = unsafe { alloc_zeroed(layout) };
    match memory.is_null() {
        true => Err(io::ErrorKind::OutOfMemory.into()),
        false => Ok(memory),
    }
}
