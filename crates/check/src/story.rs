//! What was done so far, step by step.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The steps of one check, and its clock. Whoever takes part writes into it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    steps: Rc<RefCell<Vec<String>>>,
    end: Instant,
}

/// How long to wait for something that should come at once. A program that does
/// nothing for so long will not do it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

impl Story {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            steps: Rc::default(),
            end: Instant::now() + limit,
        }
    }

    /// One more thing was done, or happened.
    pub(crate) fn step(&self, text: impl Into<String>) {
        self.steps.borrow_mut().push(text.into());
    }

    pub(crate) fn steps(&self) -> Vec<String> {
        self.steps.borrow().clone()
    }

    /// The moment until which to wait, if it may take so long: the check as a
    /// whole has a limit, too.
    pub(crate) fn until(&self, time: Duration) -> Instant {
        self.end.min(Instant::now() + time)
    }

    /// What is left of the time of the check, but not nothing: zero means "for
    /// ever" to a socket.
    pub(crate) fn at_most(&self, time: Duration) -> Duration {
        let left = self.end.saturating_duration_since(Instant::now());
        time.min(left).max(Duration::from_millis(1))
    }

    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}
