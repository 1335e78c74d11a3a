//! Shows less when there is more than anybody can read, and knows how much less.

use std::time::Duration;

const WINDOW: Duration = Duration::from_millis(250);
/// How many are shown in each window.
const ROOM: u32 = 25;

/// Lets some of many through in each quarter of a second, and spreads them over it
/// as the quarter before makes expect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    window: u128,
    seen: u32,
    shown: u32,
    /// How many were seen and shown in the window before.
    before: (u32, u32),
}

impl Gate {
    /// Whether the next one is shown.
    pub(crate) fn lets_through(&mut self, time: Duration) -> bool {
        let window = time.as_nanos() / WINDOW.as_nanos();
        if window != self.window {
            let next = window == self.window + 1;
            let last = (self.seen, self.shown);
            self.before = if next { last } else { (0, 0) };
            (self.window, self.seen, self.shown) = (window, 0, 0);
        }
        let stride = self.before.0.div_ceil(ROOM).max(1);
        let through = self.shown < ROOM && self.seen.is_multiple_of(stride);
        self.seen += 1;
        self.shown += u32::from(through);
        through
    }

    /// Some(40): lately, 1 of 40 was shown. None: all were.
    pub(crate) fn one_of(&self, now: Duration) -> Option<u32> {
        let window = now.as_nanos() / WINDOW.as_nanos();
        let (mut seen, mut shown) = (0, 0);
        if window <= self.window + 1 {
            (seen, shown) = (self.seen, self.shown);
        }
        if window <= self.window {
            (seen, shown) = (seen + self.before.0, shown + self.before.1);
        }
        (seen > shown).then(|| seen.div_ceil(shown.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_all_shown_and_of_many_one_of_so_many_until_it_is_calm_again() {
        let mut gate = Gate::default();
        let at = Duration::from_millis;
        assert!((0..25).all(|n| gate.lets_through(at(n))));
        assert_eq!(gate.one_of(at(50)), None);
        let shown = (0..1000).filter(|_| gate.lets_through(at(300))).count();
        assert_eq!(shown, 25);
        assert_eq!(gate.one_of(at(510)), Some(40));
        assert_eq!(gate.one_of(at(2000)), None);
    }

    #[test]
    fn those_that_are_shown_of_many_are_spread_over_the_time() {
        let mut gate = Gate::default();
        let at = |n: u32| Duration::from_micros(u64::from(n * 250));
        let shown = (0..2000).filter(|n| gate.lets_through(at(*n)));
        let later: Vec<u32> = shown.filter(|n| *n >= 1000).collect();
        assert_eq!(later.len(), 25);
        assert!(later.windows(2).all(|pair| pair[1] - pair[0] == 40));
    }
}
