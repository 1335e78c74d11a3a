//! The calls and packets of the programs: what is seen of them, and changed.

use std::net::SocketAddr;

use sources::calls::Change;

use super::Bench;
use crate::crew::Crew;
use crate::evidence::{Call, calls, first_fin};
use crate::fault::{Fault, Verdict};
use crate::program::Program;
use crate::story::PATIENCE;

impl Bench {
    /// The calls of a program on sockets so far, in their order: all that it has
    /// ended by now are there. Which those are hangs on what the check has waited
    /// for. A check that asks for them is marked as [`crate::Check::observed`].
    ///
    /// # Errors
    /// When the program is not observed, or its calls do not come to be known.
    pub fn calls(&mut self, program: &Program) -> Verdict<Vec<Call>> {
        #[cfg(target_os = "linux")]
        if let Crew::Seen(seen) = &mut self.crew {
            if !seen.stage.catch_up() {
                return Err(anyhow::anyhow!("the X-ray did not tell all calls in time").into());
            }
            return Ok(calls(seen.stage.timeline(), program.actor));
        }
        Err(anyhow::anyhow!("the calls of {} are not observed", program.name).into())
    }

    /// Who sent the first FIN: the side that closed first. It is waited for. For
    /// checks that are [`crate::Check::observed`].
    ///
    /// # Errors
    /// When nobody sends one.
    pub fn first_fin(&mut self) -> Verdict<SocketAddr> {
        #[cfg(target_os = "linux")]
        let fin = self.until(PATIENCE, |bench| match &bench.crew {
            Crew::Seen(seen) => first_fin(seen.stage.timeline()),
            Crew::Heard(_) => None,
        });
        #[cfg(not(target_os = "linux"))]
        let fin = None;
        fin.ok_or_else(|| Fault::program("a FIN of either side", "none was seen"))
    }

    /// From now on these changes are made in the calls of the programs: things
    /// that the kernel may do at any time, and seldom does. `what` tells them.
    ///
    /// # Errors
    /// When the programs are not observed.
    pub fn change(&mut self, what: &str, changes: Vec<Change>) -> Verdict {
        self.story.step(what);
        #[cfg(target_os = "linux")]
        if let Crew::Seen(seen) = &mut self.crew {
            return Ok(seen.stage.change(changes)?);
        }
        let _ = changes;
        Err(anyhow::anyhow!("calls are changed only where they are observed").into())
    }
}
