//! The loop in which events are taken from programs. Scenes, checks and
//! recordings all wait in it.

use std::time::{Duration, Instant};

use anyhow::Result;
use timeline::Event;

use crate::cast::Cast;

/// A look that has brought nothing is over by then, whatever the delay.
const MOMENT: Duration = Duration::from_millis(1);

/// Whoever takes events.
pub trait Take {
    /// The next event, and the one after it, if it is known already.
    ///
    /// # Errors
    /// When nobody wants more: then the loop ends.
    fn take(&mut self, event: Event, next: Option<&Event>) -> Result<()>;
}

/// Hands out what happens until `so` finds what it looks for; None when the
/// deadline has passed. `so` is asked at first, after each event, and after each
/// look that brought none. There is at least one look.
///
/// # Errors
/// Those of [`Take::take`].
pub fn until<C: Cast + ?Sized, T: Take + ?Sized, F>(
    cast: &mut C,
    to: &mut T,
    deadline: Instant,
    mut so: impl FnMut(&mut T, &C) -> Option<F>,
) -> Result<Option<F>> {
    let mut looked = false;
    loop {
        if let Some(found) = so(to, cast) {
            return Ok(Some(found));
        }
        if let Some(event) = cast.next() {
            to.take(event, cast.peek())?;
        } else if looked && Instant::now() >= deadline {
            return Ok(None);
        } else {
            cast.look(deadline);
            looked = true;
        }
    }
}

/// Hands out what happens up to the deadline.
///
/// # Errors
/// Those of [`Take::take`].
pub fn pass<C: Cast + ?Sized, T: Take + ?Sized>(
    cast: &mut C,
    to: &mut T,
    deadline: Instant,
) -> Result<()> {
    until(cast, to, deadline, |_, _| None::<()>).map(drop)
}

/// Hands out all that has happened by now, and says whether it could within this
/// time. Where programs are seen events come late, and on a busy machine later:
/// so it waits until the tracer and the packet source say that they have told
/// all up to this moment.
///
/// # Errors
/// Those of [`Take::take`].
pub fn catch_up<C: Cast + ?Sized, T: Take + ?Sized>(
    cast: &mut C,
    to: &mut T,
    patience: Duration,
) -> Result<bool> {
    let (now, end) = (cast.now(), Instant::now() + patience);
    loop {
        let moment = Instant::now() + cast.delay().min(MOMENT);
        pass(cast, to, moment)?;
        if cast.settled() >= now {
            return Ok(true);
        }
        if Instant::now() > end {
            return Ok(false);
        }
    }
}
