//! How much news is on its way to the one who shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// More than this is not to wait in memory: then the programs wait.
const MOST: usize = 20_000;
/// The programs are not held back for longer, because the one who
/// shows may wait for the tracer itself.
const LONGEST: Duration = Duration::from_millis(200);

/// Counts the news that was sent and not yet taken.
#[derive(Clone, Default)]
pub(crate) struct Backlog(Arc<AtomicUsize>);

/// Waits until it is no longer so, but not too long.
pub(crate) fn wait_while(so: impl Fn() -> bool) {
    let mut deadline = None;
    while so() && Instant::now() < *deadline.get_or_insert_with(|| Instant::now() + LONGEST) {
        thread::sleep(Duration::from_micros(200));
    }
}

impl Backlog {
    pub(crate) fn sent(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn is_too_much(&self) -> bool {
        self.count() > MOST
    }
}
