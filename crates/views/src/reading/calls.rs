//! Calls from their beginning to their end, and the threads that make them.

use std::collections::HashMap;
use std::time::Duration;

use timeline::call::{CallId, Start};

use super::MOST;
use super::row::Interval;

/// Calls that change nothing.
const INQUIRIES: [&str; 3] = ["getsockname", "getpeername", "getsockopt"];

#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Calls that have begun, and not ended.
    open: HashMap<CallId, Open>,
    /// For each process, the threads that have made a call, with their places in
    /// that order.
    threads: HashMap<u32, HashMap<u32, usize>>,
}

/// A call that has begun.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) start: Start,
    pub(super) interval: Interval,
    /// Whether its end was told together with its beginning.
    pub(super) is_told: bool,
}

impl Calls {
    pub(super) fn begin(&mut self, time: Duration, start: &Start) -> &mut Open {
        if self.open.len() >= MOST {
            self.open.clear(); // The ends of so many calls were missed.
        }
        let interval = Interval {
            call: start.id,
            since: time,
            until: None,
            thread: self.thread(start),
            inquiry: INQUIRIES.contains(&start.name.as_ref()),
        };
        let open = Open {
            start: start.clone(),
            interval,
            is_told: false,
        };
        self.open.entry(start.id).insert_entry(open).into_mut()
    }

    /// None for a call whose beginning was not seen.
    pub(super) fn end(&mut self, time: Duration, call: CallId) -> Option<Open> {
        let mut open = self.open.remove(&call)?;
        open.interval.until = Some(time);
        Some(open)
    }

    /// The first thread of a process is 1.
    fn thread(&mut self, start: &Start) -> usize {
        if self.threads.len() >= MOST {
            self.threads.clear(); // Most of these processes have ended.
        }
        let threads = self.threads.entry(start.pid).or_default();
        let next = threads.len() + 1;
        match threads.len() < MOST {
            true => *threads.entry(start.tid).or_insert(next),
            false => threads.get(&start.tid).copied().unwrap_or(next),
        }
    }
}
