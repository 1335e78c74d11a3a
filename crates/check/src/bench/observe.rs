//! The calls and packets of the programs: what is seen of them, and changed.

use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use xray::Change;

use super::Bench;
use crate::evidence::{Call, calls, first_fin};
use crate::fault::{Fault, Verdict};
use crate::launch::Tested;
use crate::story::PATIENCE;

impl Bench {
    /// The calls of a program on sockets so far, in their order: all that it has
    /// ended by now are there. Which those are depends on what the check has waited
    /// for. A check that asks for them is marked as [`crate::Check::observed`].
    ///
    /// # Errors
    /// When the program is not observed, or its calls do not come to be known.
    pub fn calls(&mut self, program: &Tested) -> Verdict<Vec<Call>> {
        let caught_up = self.catch_up();
        let timeline = self.log.timeline();
        let timeline =
            timeline.ok_or_else(|| anyhow!("the calls of {} are not observed", program.name))?;
        match caught_up {
            true => Ok(calls(timeline, program.actor)),
            false => Err(anyhow!("the X-ray did not tell all calls in time").into()),
        }
    }

    /// Who sent the first FIN: the side that closed first. It is waited for. For
    /// checks that are [`crate::Check::observed`].
    ///
    /// # Errors
    /// When nobody sends one.
    pub fn first_fin(&mut self) -> Verdict<SocketAddr> {
        let fin = self.until(PATIENCE, |bench| bench.log.timeline().and_then(first_fin));
        fin.ok_or_else(|| Fault::program("a FIN of either side", "none was seen"))
    }

    /// From now on these changes are made in the calls of the programs: things
    /// that the kernel may do at any time, and seldom does. `what` tells them.
    ///
    /// # Errors
    /// When the programs are not observed.
    pub fn change(&mut self, what: &str, changes: Vec<Change>) -> Verdict {
        self.story.step(what);
        Ok(self.cast.change(changes).context("change calls")?)
    }
}
