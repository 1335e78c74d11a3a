//! The packets on a loopback or another interface: packet(7).
//!
//! On lo the kernel shows every packet twice, on its way out and on its way in;
//! we ask for the second alone. Its checksums are not filled in there, because
//! nothing can be damaged on the way: they are no errors.

mod parse;
pub mod ring;
mod socket;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use timeline::packet::Packet;

pub use parse::packet;
pub use socket::drops_since_last_asked;

/// How many bytes of a packet are kept, from the IP header on.
const KEPT: usize = 2048;

/// A packet and when it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Since 1970, by the kernel's clock (`SO_TIMESTAMPNS`).
    pub at: Duration,
    /// The packet.
    pub packet: Packet,
}

/// A window onto the packets of an interface.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
    buffer: Vec<u8>,
    dropped: u64,
}

impl Capture {
    /// Opens the window. It needs `CAP_NET_RAW`, which every process has in a
    /// network namespace of its own.
    ///
    /// # Errors
    /// EPERM without the privilege; ENODEV for an interface that does not exist.
    pub fn on(interface: &str) -> io::Result<Self> {
        Ok(Self {
            socket: socket::open_on(interface)?,
            buffer: vec![0; KEPT],
            dropped: 0,
        })
    }

    /// The next packet; None when none came within the timeout.
    ///
    /// # Errors
    /// Those of recvmsg(2), such as ENETDOWN.
    pub fn next(&mut self, timeout: Duration) -> io::Result<Option<Captured>> {
        let Some(received) = socket::receive(&self.socket, &mut self.buffer, timeout)? else {
            return Ok(None);
        };
        let kept = &self.buffer[..received.kept];
        let length = u32::try_from(received.length).unwrap_or(u32::MAX);
        Ok(Some(Captured {
            at: received.at,
            packet: packet(kept, length),
        }))
    }

    /// How many packets the kernel has dropped so far, because we were too slow.
    ///
    /// # Errors
    /// Those of getsockopt(2).
    pub fn dropped(&mut self) -> io::Result<u64> {
        self.dropped += drops_since_last_asked(&self.socket)?;
        Ok(self.dropped)
    }

    /// A gauge for this capture.
    ///
    /// # Errors
    /// EMFILE: too many descriptors.
    pub fn gauge(&self) -> io::Result<Gauge> {
        self.socket.try_clone().map(Gauge)
    }
}

/// Looks at the buffer of a capture from another thread.
#[derive(Debug)]
pub struct Gauge(OwnedFd);

impl Gauge {
    /// Whether a quarter of the buffer is full: what comes soon may be dropped.
    pub fn is_filling(&self) -> bool {
        // A kernel that cannot tell (before 4.12) drops, and counts.
        socket::fill(&self.0).is_ok_and(|(used, size)| used > size / 4)
    }
}
