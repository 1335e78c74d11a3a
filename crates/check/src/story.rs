//! What was done so far, step by step.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use crate::ground::{self, Activity};
use crate::held::Dropped;

/// The steps of one check, and its clock. All who take part write into it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    steps: Rc<RefCell<Vec<String>>>,
    end: Instant,
    dropped: Dropped,
    met: Rc<Cell<bool>>,
}

/// How long to wait for something that should come at once. A program that sits
/// idle for this time will not do it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

impl Story {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            steps: Rc::default(),
            end: Instant::now() + limit,
            dropped: Dropped::default(),
            met: Rc::default(),
        }
    }

    /// One more thing was done, or happened.
    pub(crate) fn step(&self, text: impl Into<String>) {
        self.dropped.close();
        self.steps.borrow_mut().push(text.into());
    }

    /// The program was found, or it found us.
    pub(crate) fn meet(&self) {
        self.met.set(true);
    }

    pub(crate) fn has_met(&self) -> bool {
        self.met.get()
    }

    /// What was dropped and is still open.
    pub(crate) fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.steps.borrow().clone()
    }

    /// Begins to wait for something that should take no longer than this.
    pub(crate) fn wait(&self, time: Duration) -> Wait {
        self.dropped.close();
        let start = Instant::now();
        Wait {
            end: self.end,
            until: start + time,
            busy: BUSY,
            processor: Cell::new(None),
        }
    }

    /// Tries a call of a socket again and again, which is told how long it may wait;
    /// None when the time is over. There is one more try then: what was awaited may
    /// have come while we looked whether the programs rest, and when it is their end,
    /// they rest because it has come.
    pub(crate) fn retry<T>(
        &self,
        time: Duration,
        mut call: impl FnMut(Duration) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        let wait = self.wait(time);
        let mut over = false;
        loop {
            match call(wait.slice()) {
                Err(error) if is_timeout(&error) => {
                    if over {
                        return Ok(None);
                    }
                    over = wait.is_over();
                }
                // A machine that is halted for a moment interrupts a call that has a
                // deadline: EINTR, signal(7).
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map(Some),
            }
        }
    }

    /// What is left of the time of the check, but never zero, which means "no
    /// timeout" to a socket.
    pub(crate) fn at_most(&self, time: Duration) -> Duration {
        self.dropped.close();
        let left = self.end.saturating_duration_since(Instant::now());
        time.min(left).max(Duration::from_millis(1))
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}

/// What a system says when the time of a call is over.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// A wait that ends. On a busy machine a program may be slow without a fault of
/// its own. So when the time is over and it wants the processor, the wait goes on
/// until it has had it for [`BUSY`], up to the limit of the check.
#[derive(Debug)]
pub(crate) struct Wait {
    end: Instant,
    until: Instant,
    /// How long programs may work when the time is over.
    busy: Duration,
    /// What the programs had when the time was over: to look costs time, too.
    processor: Cell<Option<Duration>>,
}

/// A program that works for this time without a result will have none.
const BUSY: Duration = Duration::from_secs(1);
/// A program that wants nothing at so many looks in a row waits for others.
const GLANCES: u32 = 3;
/// The time between two of these looks, and how long a receive waits at a time.
const GLANCE: Duration = Duration::from_millis(10);

impl Wait {
    /// Programs may work for this time when it is over, and no longer.
    pub(crate) fn unless_busy_for(self, busy: Duration) -> Self {
        Self { busy, ..self }
    }

    /// Whether to wait no longer.
    pub(crate) fn is_over(&self) -> bool {
        let now = Instant::now();
        if now < self.until {
            return false;
        }
        now >= self.end || (0..GLANCES).all(|_| self.is_idle())
    }

    /// Whether the programs had their time after it was over, and used it up.
    pub(crate) fn has_worked_too_long(&self) -> bool {
        self.used(&ground::activity()) >= self.busy
    }

    /// How long the programs had a processor since the first look after the end of
    /// the time. A thread of ours that traces one works for it.
    fn used(&self, activity: &Activity) -> Duration {
        let now = activity.processor + activity.ours;
        let before = self.processor.get().unwrap_or(now);
        self.processor.set(Some(before));
        now.saturating_sub(before)
    }

    fn is_idle(&self) -> bool {
        let activity = ground::activity();
        if self.used(&activity) < self.busy && activity.busy {
            return false;
        }
        thread::sleep(GLANCE);
        true
    }

    /// How long a call may wait before [`Wait::is_over`] is asked again.
    fn slice(&self) -> Duration {
        let left = self.until.saturating_duration_since(Instant::now());
        left.max(GLANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_for_a_time_is_over_then_and_not_before() {
        let story = Story::new(Duration::from_secs(20));
        let time = Duration::from_millis(30);
        let start = Instant::now();
        let wait = story.wait(time);
        assert!(!wait.is_over());
        while !wait.is_over() {
            thread::sleep(wait.slice());
        }
        assert!(start.elapsed() >= time);
        assert!(!story.is_over());
    }

    #[test]
    fn no_wait_lasts_longer_than_the_check() {
        let story = Story::new(Duration::ZERO);
        assert!(story.is_over());
        // Zero would mean "no timeout" to a socket.
        let least = story.at_most(Duration::from_secs(1));
        assert_eq!(least, Duration::from_millis(1));
        let wait = story.wait(Duration::ZERO);
        assert!(wait.is_over());
    }

    #[test]
    fn there_is_one_more_try_when_the_time_is_over() {
        let mut tries = 0;
        let nothing = Story::new(Duration::ZERO).retry(Duration::ZERO, |_| {
            tries += 1;
            io::Result::<()>::Err(ErrorKind::WouldBlock.into())
        });
        assert!(nothing.unwrap().is_none());
        assert_eq!(tries, 2);
    }
}
