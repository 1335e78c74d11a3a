//! One order out of several sources.
//!
//! All sources stamp with the same clock, each as near to the cause as it can: a
//! call begins before its stamp's work is done, and ends before its stamp; a
//! packet is stamped when the kernel passes it on; a state when it was seen. So
//! the stamps agree with cause and effect. But each source has a thread of its
//! own, and an event may arrive after a younger one of another source. Events are
//! held back for a short while, and then given out by their stamps; of those with
//! the same stamp a call's start comes first, then packets, states, what was
//! printed, and the call's end.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Event, Kind};

/// Holds events back until no older one can come any more.
#[derive(Debug, Default)]
pub struct Order {
    waiting: VecDeque<Event>,
    /// The stamp of the last event that was given out.
    given: Duration,
    /// How many events came when a younger one had been given out.
    late: u64,
}

impl Order {
    /// Takes an event. One that comes too late is moved behind what was given
    /// out already, and counted.
    pub fn push(&mut self, mut event: Event) {
        if event.time < self.given {
            self.late += 1;
            event.time = self.given;
        }
        let key = |event: &Event| (event.time, rank(&event.kind));
        // Nearly always at the end, or close to it.
        let comes_later = |other: &&Event| key(other) > key(&event);
        let younger = self.waiting.iter().rev().take_while(comes_later).count();
        self.waiting.insert(self.waiting.len() - younger, event);
    }

    /// The events that are older than this, oldest first.
    pub fn take_until(&mut self, time: Duration) -> Vec<Event> {
        let ready = self.waiting.partition_point(|event| event.time <= time);
        let taken: Vec<Event> = self.waiting.drain(..ready).collect();
        if let Some(last) = taken.last() {
            self.given = last.time;
        }
        taken
    }

    /// The oldest event that is still held back.
    pub fn peek(&self) -> Option<&Event> {
        self.waiting.front()
    }

    /// How many events came too late to stand in their place.
    pub fn late(&self) -> u64 {
        self.late
    }
}

fn rank(kind: &Kind) -> u8 {
    match kind {
        Kind::Started { .. } => 0,
        Kind::Call(_) => 1,
        Kind::Packet(_) | Kind::Fate(_) => 2,
        Kind::State(_) => 3,
        Kind::Return(_) => 5,
        Kind::Ended(_) => 6,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn note(time: u64, text: &str) -> Event {
        let time = Duration::from_nanos(time);
        Event {
            time,
            place: Place::Narrator,
            kind: Kind::Note(text.to_string()),
        }
    }

    fn texts(events: &[Event]) -> Vec<&str> {
        let text = |event| match event {
            &Event {
                kind: Kind::Note(ref text),
                ..
            } => text.as_str(),
            _ => "",
        };
        events.iter().map(text).collect()
    }

    #[test]
    fn events_of_several_sources_come_out_by_their_stamps() {
        let mut order = Order::default();
        for event in [note(3, "c"), note(1, "a"), note(2, "b"), note(9, "later")] {
            order.push(event);
        }
        assert_eq!(
            texts(&order.take_until(Duration::from_nanos(5))),
            ["a", "b", "c"]
        );
        assert_eq!(texts(&order.take_until(Duration::MAX)), ["later"]);
    }

    #[test]
    fn events_with_the_same_stamp_stay_in_the_order_in_which_they_came() {
        let mut order = Order::default();
        for event in [note(1, "a"), note(1, "b"), note(1, "c")] {
            order.push(event);
        }
        assert_eq!(texts(&order.take_until(Duration::MAX)), ["a", "b", "c"]);
    }

    #[test]
    fn what_comes_too_late_is_moved_and_counted() {
        let mut order = Order::default();
        order.push(note(5, "a"));
        order.take_until(Duration::from_nanos(5));
        order.push(note(2, "late"));
        assert_eq!(order.late(), 1);
        let taken = order.take_until(Duration::MAX);
        assert_eq!(taken[0].time, Duration::from_nanos(5));
    }
}
