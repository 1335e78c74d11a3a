//! What a stage offers to whoever tests the programs on it.

use std::process::ChildStdin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sources::calls::Change;
use timeline::Actor;

use super::Stage;

impl Stage {
    /// The process id of an actor.
    pub fn pid(&self, actor: Actor) -> u32 {
        self.cast.pid(actor)
    }

    /// The pipe to an actor's standard input; then the stage has it no longer.
    pub fn take_input(&mut self, actor: Actor) -> Option<ChildStdin> {
        self.inputs.remove(&actor)
    }

    /// From now on these changes are made in the programs' calls, and no others.
    ///
    /// # Errors
    /// When calls are not observed, or the changes make no sense.
    pub fn change(&mut self, changes: Vec<Change>) -> Result<()> {
        self.cast.change(changes).context("change calls")
    }

    /// Takes in what happens for so long.
    ///
    /// # Errors
    /// When the audience has gone.
    pub fn pass(&mut self, time: Duration) -> Result<()> {
        let deadline = Instant::now() + time;
        while self.pump(deadline)? {}
        Ok(())
    }
}
