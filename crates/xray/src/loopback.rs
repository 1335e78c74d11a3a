//! The thread that looks at the packets.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sources::packets::Capture;

use super::recorder::{Recorder, clock};
use super::session::{LOOK, NAP, lock};

pub(super) struct Sniffer {
    stop: Arc<AtomicBool>,
    /// Until when all packets are told, in nanoseconds of CLOCK_REALTIME.
    pub(super) told_until: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Sniffer {
    pub(super) fn start(capture: Capture, recorder: Arc<Mutex<Recorder>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told_until = Arc::new(AtomicU64::new(0));
        let (stopped, told) = (Arc::clone(&stop), Arc::clone(&told_until));
        let thread = thread::spawn(move || {
            sniff(capture, &recorder, &stopped, &told);
            told.store(u64::MAX, Ordering::SeqCst);
        });
        Self {
            stop,
            told_until,
            thread: Some(thread),
        }
    }
}

/// Tells each packet, until it is to stop and none is left.
fn sniff(mut capture: Capture, recorder: &Mutex<Recorder>, stop: &AtomicBool, told: &AtomicU64) {
    let mut crowd = Crowd::new();
    loop {
        // Asked before the queue is: what came before the end is then still found.
        let is_last = stop.load(Ordering::Relaxed);
        let now = clock();
        let wait = if crowd.is_there() {
            Duration::ZERO
        } else {
            LOOK
        };
        let found = match capture.next(wait) {
            Ok(found) => found,
            Err(error) => {
                return lock(recorder).unseen(&format!("packets from here on: {error}"));
            }
        };
        let is_empty = found.is_none();
        if is_empty && is_last {
            break;
        }
        let until = found.as_ref().map_or(now, |captured| captured.at);
        if let Some(captured) = found {
            crowd.grows();
            lock(recorder).packet(captured);
        }
        let until = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
        told.store(until, Ordering::SeqCst);
        if is_empty && crowd.is_there() {
            thread::sleep(NAP);
        }
    }
    match capture.dropped() {
        Ok(0) => {}
        Ok(count) => lock(recorder).unseen(&format!("{count} packets came too fast")),
        Err(error) => lock(recorder).unseen(&format!("how many packets got lost: {error}")),
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It fails only when the thread has panicked, and then it has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Whether packets come thick and fast. To wake up for each of them would take
/// time away from the programs; the kernel has stamped them and keeps them, so
/// they may as well be fetched a little later.
struct Crowd {
    since: Instant,
    packets: u32,
}

impl Crowd {
    const SLICE: Duration = Duration::from_millis(100);
    /// So many in a slice are looked at as they come.
    const MOST: u32 = 50;

    fn new() -> Self {
        Self {
            since: Instant::now(),
            packets: 0,
        }
    }

    fn grows(&mut self) {
        if self.since.elapsed() > Self::SLICE {
            *self = Self::new();
        }
        self.packets += 1;
    }

    fn is_there(&self) -> bool {
        self.packets > Self::MOST && self.since.elapsed() <= Self::SLICE
    }
}
