//! One direction of the cable: what is on its way, and in which order.

use std::collections::BTreeMap;
use std::time::Duration;

use timeline::cable::Fate;

use crate::chance;
use crate::hand::{Line, Side};

/// Who takes a frame away when there are too many.
pub(super) const FULL: &str = "the cable is full, 64 MB";
const ROOM: usize = 64 * 1024 * 1024;

/// How long a frame waits for the next one, to go behind it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A kind of chance, different from those of the rules, which count from 0.
const LOSS: u64 = 1 << 32;

/// A frame that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) frame: u64,
    pub(super) from: Side,
    pub(super) came: Duration,
    pub(super) bytes: Vec<u8>,
    pub(super) copies: usize,
    /// What is told when it goes on.
    pub(super) fate: Fate,
    pub(super) by: Option<String>,
}

impl Entry {
    pub(super) fn new(frame: u64, from: Side, came: Duration) -> Self {
        Self {
            frame,
            from,
            came,
            bytes: Vec::new(),
            copies: 1,
            fate: Fate::Passed,
            by: None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Direction {
    /// By when they go on, and by the order in which they were put here.
    waiting: BTreeMap<(Duration, u64), Entry>,
    count: u64,
    /// Waits for the next frame, at most until then.
    parked: Option<(Duration, Entry)>,
    /// When the last bit of the last frame has gone onto the cable.
    free: Duration,
    /// When the last frame goes on: the next one is not to overtake it.
    last: Duration,
    /// Bytes that wait.
    kept: usize,
    /// Frames that might have been lost.
    risked: u64,
}

impl Direction {
    /// Whether the line loses the next frame.
    pub(super) fn loses(&mut self, line: &Line, seed: u64, from: Side) -> bool {
        let kind = LOSS + from.index() as u64;
        let n = self.risked;
        self.risked += 1;
        line.loss > 0.0 && chance::happens(line.loss, seed, kind, n)
    }

    /// When a frame goes on that comes now, by the line alone.
    pub(super) fn due(&mut self, line: &Line, at: Duration, length: usize) -> Duration {
        let mut due = at;
        if let Some(rate) = line.rate {
            let nanoseconds = length as u128 * 8 * 1_000_000_000 / u128::from(rate.max(1));
            let takes = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
            self.free = self.free.max(at).saturating_add(takes);
            due = self.free;
        }
        due.saturating_add(line.latency).max(self.last)
    }

    /// Nothing that comes later goes on before.
    pub(super) fn stop_until(&mut self, until: Duration) {
        self.last = self.last.max(until);
    }

    /// A frame goes on at once. One that waited for it goes behind it.
    pub(super) fn went_out(&mut self, due: Duration) {
        self.stop_until(due);
        self.let_parked_go(due);
    }

    /// A frame is to go on then. One that waited for it goes behind it.
    pub(super) fn add(&mut self, entry: Entry, due: Duration) {
        self.insert(entry, due);
        self.let_parked_go(due);
    }

    fn let_parked_go(&mut self, due: Duration) {
        if let Some((_, parked)) = self.parked.take() {
            self.insert(parked, due);
        }
    }

    fn insert(&mut self, entry: Entry, due: Duration) {
        self.count += 1;
        self.waiting.insert((due, self.count), entry);
    }

    pub(super) fn park(&mut self, entry: Entry) {
        let until = entry.came + PATIENCE;
        if let Some((_, before)) = self.parked.replace((until, entry)) {
            self.insert(before, self.last);
        }
    }

    pub(super) fn has_parked(&self) -> bool {
        self.parked.is_some()
    }

    /// Takes so many bytes, if there is room for them.
    pub(super) fn takes(&mut self, length: usize) -> bool {
        let has_room = self.kept + length <= ROOM;
        self.kept += if has_room { length } else { 0 };
        has_room
    }

    pub(super) fn gives_back(&mut self, length: usize) {
        self.kept = self.kept.saturating_sub(length);
    }

    /// The next frame that goes on by then.
    pub(super) fn next_before(&mut self, now: Duration) -> Option<Entry> {
        if let Some((_, parked)) = self.parked.take_if(|(until, _)| *until <= now) {
            self.insert(parked, now);
        }
        let first = self.waiting.first_entry();
        let entry = first.filter(|entry| entry.key().0 <= now)?.remove();
        self.gives_back(entry.bytes.len());
        Some(entry)
    }

    /// When the next frame goes on.
    pub(super) fn next(&self) -> Option<Duration> {
        let first = self.waiting.keys().map(|(due, _)| *due).next();
        let parked = self.parked.as_ref().map(|(until, _)| *until);
        first.into_iter().chain(parked).min()
    }
}
