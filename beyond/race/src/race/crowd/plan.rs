//! What the crowd is to do, and what it has seen.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::super::machine::Used;

/// How the crowd waits for its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is told who is ready. It knows every dialect, may call anew for each
    /// message, and costs the kernel least memory for a line.
    Epoll,
    /// It is told what was received, and costs least time.
    IoUring,
}

/// How the callers come, and for how long.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Not measured: caches, buffers and windows find their size.
    pub warm_up: Duration,
    /// Measured.
    pub time: Duration,
    /// Messages per second, in an even beat. Without it, a caller sends its
    /// next message when the answer to the last has come.
    pub rate: Option<f64>,
    /// Every message is a call of its own: at most so many.
    pub churn: Option<u64>,
}

/// What was measured.
pub struct Seen {
    /// The time, and what it took of the machine.
    pub used: Used,
    pub messages: u64,
    /// In nanoseconds.
    pub latencies: Histogram<u64>,
    /// Messages of each client.
    pub served: Vec<u64>,
    pub errors: u64,
    pub first_error: Option<String>,
    pub threads: usize,
}
