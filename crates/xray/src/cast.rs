//! Programs that play, and how one deals with them, whether they are listened
//! to or seen.

use std::io;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use anyhow::Result;
use sources::calls::Change;
use timeline::{Actor, Event};
use wire::Side;
use wire::rules::Rules;

use crate::program::Program;

/// Programs that play, and what happens to them.
pub trait Cast {
    /// Starts a program in this lane, with its input from a pipe. The first event
    /// of it says that it has started. Actors are numbered in the order of their
    /// start.
    ///
    /// # Errors
    /// Those of [`Command::spawn`](std::process::Command::spawn), such as a program that does not exist.
    fn start(&mut self, lane: &str, program: &Program) -> io::Result<(Actor, Option<ChildStdin>)>;

    /// Waits until something has come, or until the deadline. It may come back
    /// earlier; then it has looked at least once.
    fn look(&mut self, deadline: Instant);

    /// The next event that is known to be next, oldest first. It does not wait.
    fn next(&mut self) -> Option<Event>;

    /// The event after the one that `next` gave, if it is known already.
    fn peek(&self) -> Option<&Event>;

    /// The time by the clock of the events.
    fn now(&self) -> Duration;

    /// How long an event may be on its way.
    fn delay(&self) -> Duration;

    /// Of what happened up to here, `next` has given everything, when it gives
    /// nothing more.
    fn settled(&self) -> Duration;

    /// The number of its process, for as long as it runs, and after.
    fn pid(&self, actor: Actor) -> u32;

    /// Sends SIGKILL, or what the system has in its place. A program that has
    /// ended already is no error.
    ///
    /// # Errors
    /// Those of kill(2).
    fn kill(&mut self, actor: Actor) -> io::Result<()>;

    /// Sends SIGINT, as Ctrl-C does. A program that has ended already is no error.
    ///
    /// # Errors
    /// Those of kill(2); "unsupported" where there are no signals.
    fn interrupt(&mut self, actor: Actor) -> io::Result<()>;

    /// From now on these changes are made in the programs' calls, and no others.
    ///
    /// # Errors
    /// "Unsupported" where calls are not seen; changes that make no sense.
    fn change(&mut self, _changes: Vec<Change>) -> io::Result<()> {
        let why = "calls are changed only where they are observed";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    /// Sets a value of the kernel for one host alone, such as
    /// `net.ipv4.tcp_syn_retries` (tcp(7)). False where there are no two hosts.
    ///
    /// # Errors
    /// One that this kernel does not have, or a value that it does not take.
    fn set(&mut self, _host: Side, _name: &str, _value: &str) -> io::Result<bool> {
        Ok(false)
    }

    /// From now on these rules say what becomes of packets on the cable; an empty
    /// text ends all. Gives them one by one; none where there is no cable.
    ///
    /// # Errors
    /// A text that is no rule.
    fn rules(&mut self, text: &str) -> Result<Vec<String>> {
        Rules::parse(text)?;
        Ok(Vec::new())
    }
}
