//! Where packets are at a time, and what is due.

use std::time::Duration;

use super::{BEHIND, Board, Mode, PACES, Place, Row, SLIDE};

impl Board {
    /// How old events are when they are seen, if they are so old that it matters.
    pub(crate) fn behind(&self, now: Duration) -> Option<Duration> {
        let (happened, seen) = self.seen;
        let by = seen.saturating_sub(happened);
        (by > BEHIND && now < seen + BEHIND).then_some(by)
    }

    /// The time by what is seen: behind the clock where the screen is behind.
    pub(crate) fn by_events(&self, now: Duration) -> Duration {
        let (happened, seen) = self.seen;
        match now < seen + BEHIND {
            true => now.saturating_sub(seen.saturating_sub(happened)),
            false => now,
        }
    }

    /// The next packet that goes on by itself in slow motion, and when.
    pub(crate) fn next_due(&self) -> Option<(u64, Duration)> {
        if self.mode != Mode::Slow {
            return None;
        }
        // A packet that a rule holds waits for a key in slow motion, too.
        let rows = self.packets.waiting.iter();
        let mut rows = rows.filter_map(|frame| self.packets.row(*frame));
        let row = rows.find(|row| row.by.is_none() && !row.swaps)?;
        Some((row.frame, self.starts(row) + self.pace()))
    }

    /// When a packet begins its way in slow motion.
    pub(super) fn starts(&self, row: &Row) -> Duration {
        row.came.max(self.since)
    }

    pub(crate) fn pace(&self) -> Duration {
        Duration::from_millis(PACES[self.pace])
    }

    /// Whether something moves by itself, so that the next picture is another.
    pub(crate) fn moves(&self, now: Duration) -> bool {
        let newest = self.packets.frames().rev().take(100);
        let mut rows = newest.filter_map(|frame| self.packets.row(frame));
        self.next_due().is_some()
            || rows.any(|row| match row.place {
                Place::Arrived { at, .. } => now < at + SLIDE,
                Place::Travels { .. } => true,
                _ => false,
            })
    }

    /// Which part of its way a packet has made, from 0 to 1.
    pub(crate) fn part(&self, row: &Row, now: Duration) -> f64 {
        self.part_of_way(now)(row)
    }

    pub(super) fn part_of_way(&self, now: Duration) -> impl Fn(&Row) -> f64 + use<> {
        let slow = (self.mode == Mode::Slow).then(|| (self.since, self.pace()));
        move |row| match (row.place, slow) {
            (Place::Waits, Some((since, pace))) if row.by.is_none() => {
                share(now, row.came.max(since), pace)
            }
            (Place::Waits | Place::Stands | Place::Lost, _) => 0.5,
            (Place::Travels { since, until }, _) => share(now, since, until.saturating_sub(since)),
            (Place::Arrived { at, from }, _) => from + (1.0 - from) * share(now, at, SLIDE),
        }
    }
}

fn share(now: Duration, since: Duration, of: Duration) -> f64 {
    let part = now.saturating_sub(since).as_secs_f64() / of.as_secs_f64().max(1e-9);
    part.clamp(0.0, 1.0)
}
