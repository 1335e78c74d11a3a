//! The packets on the loopback, and the thread that looks at them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kernel::clock;
use kernel::packets::{Capture, Gauge};

use super::packets::PacketSource;
use super::recorder::Shared;
use super::{AT_LEAST_EVERY, NAP};

/// The loopback of the network in which this process is.
pub(crate) struct Loopback {
    gauge: Option<Gauge>,
    stop: Arc<AtomicBool>,
    /// Until when all packets are told, in nanoseconds of CLOCK_REALTIME.
    told_until: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Begins to look. That packets cannot be seen is told; the rest goes on.
    /// `alone`: every packet is the programs' own.
    pub(crate) fn listen(recorder: &Shared, alone: bool) -> Self {
        let capture = Capture::on("lo");
        if let Err(error) = &capture {
            recorder.lock().unseen(&format!(
                "packets: {error}; they need a network of our own, or root: see \"cargo dial doctor\""
            ));
        }
        let capture = capture.ok();
        let gauge = capture.as_ref().and_then(|capture| capture.gauge().ok());
        let (stop, told_until) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (stopped, told, recorder) = (stop.clone(), told_until.clone(), recorder.clone());
        let thread = thread::spawn(move || {
            if let Some(capture) = capture {
                sniff(capture, &recorder, alone, &stopped, &told);
            }
            told.store(u64::MAX, Ordering::SeqCst);
        });
        Self {
            gauge,
            stop,
            told_until,
            thread: Some(thread),
        }
    }
}

impl PacketSource for Loopback {
    fn told_until(&self) -> Duration {
        Duration::from_nanos(self.told_until.load(Ordering::SeqCst))
    }

    fn gauge(&mut self) -> Option<Gauge> {
        self.gauge.take()
    }

    /// The thread takes what is in its queue, and ends when nothing comes any more.
    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It fails only when the thread has panicked, and then it has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells each packet, until it is to stop and none is left.
fn sniff(
    mut capture: Capture,
    recorder: &Shared,
    alone: bool,
    stop: &AtomicBool,
    told: &AtomicU64,
) {
    let mut crowd = Crowd::new();
    // Packets of other programs that were left out.
    let mut of_others: u64 = 0;
    loop {
        // Asked before the queue is: what came before the end is then still found.
        let is_last = stop.load(Ordering::Relaxed);
        let now = clock::now();
        let wait = if crowd.is_there() {
            Duration::ZERO
        } else {
            AT_LEAST_EVERY
        };
        let found = match capture.next(wait) {
            Ok(found) => found,
            Err(error) => {
                recorder
                    .lock()
                    .unseen(&format!("packets from here on: {error}"));
                break;
            }
        };
        let is_empty = found.is_none();
        if is_empty && is_last {
            break;
        }
        let until = found.as_ref().map_or(now, |captured| captured.at);
        if let Some(captured) = found {
            crowd.grows();
            let mut recorder = recorder.lock();
            let ends = recorder.ends(&captured.packet);
            if alone || ends != (None, None) {
                let time = recorder.since_start(captured.at);
                recorder.packet(time, ends, captured.packet);
            } else {
                of_others += 1;
            }
        }
        let until = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
        told.store(until, Ordering::SeqCst);
        if is_empty && crowd.is_there() {
            thread::sleep(NAP);
        }
    }
    let recorder = recorder.lock();
    match capture.dropped() {
        Ok(0) => {}
        Ok(count) => recorder.unseen(&format!("{count} packets came too fast")),
        Err(error) => recorder.unseen(&format!("how many packets got lost: {error}")),
    }
    if of_others > 0 {
        recorder.unseen(&format!(
            "{of_others} packets of other programs were left out"
        ));
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
