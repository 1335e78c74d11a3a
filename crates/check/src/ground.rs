//! What only Linux offers: a network of our own, whose socket is where, which
//! processes belong to a program and how much memory they have. Elsewhere there
//! is less evidence, and the checks say so.

#[cfg(not(target_os = "linux"))]
#[path = "ground/elsewhere.rs"]
mod system;
#[cfg(target_os = "linux")]
#[path = "ground/linux.rs"]
mod system;

pub(crate) use system::{
    Sight, activity, end_all, enter_private, memory, reap_orphans, somebody_is_left,
};

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Whether bytes that we sent have been received by the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// All of them.
    All,
    /// Some wait in its receive queue, or it has not accepted the call.
    NotYet,
    /// Its end of the connection is gone.
    Gone,
    /// It cannot be seen here.
    Unknown,
}

/// A socket that waits for others to write or call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) address: SocketAddr,
    pub(crate) datagrams: bool,
}

/// What all programs together do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Activity {
    /// Whether one of them runs, wants to run, or waits for a disk.
    pub(crate) busy: bool,
    /// How long they had a processor.
    pub(crate) processor: Duration,
    /// How long those of our threads had one that watch them. The thread that asks
    /// does not count: to ask would use up the time that the programs have left.
    pub(crate) ours: Duration,
}

/// How often the memory is looked at.
const MEASURE: Duration = Duration::from_millis(20);

/// Looks at the memory of all programs, and ends them when it is too much.
pub(crate) struct Watch {
    peak: Arc<AtomicU64>,
    most: u64,
    /// The thread that looks ends when this is dropped.
    _stop: Sender<()>,
}

impl Watch {
    /// Watches until it is dropped. `most` is in bytes.
    pub(crate) fn start(most: u64) -> Self {
        let peak = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&peak);
        let (stop, stopped) = mpsc::channel();
        thread::spawn(move || {
            let mut before = 0;
            while stopped.recv_timeout(MEASURE) == Err(RecvTimeoutError::Timeout) {
                let now = memory();
                // A program that is only about to be executed still has our memory.
                let lasting = now.min(before);
                seen.fetch_max(lasting, Ordering::Relaxed);
                if lasting > most {
                    end_all();
                }
                before = now;
            }
        });
        Self {
            peak,
            most,
            _stop: stop,
        }
    }

    /// The most that all programs together had, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Whether it was so much that they were ended.
    pub(crate) fn too_much(&self) -> bool {
        self.peak() > self.most
    }
}
