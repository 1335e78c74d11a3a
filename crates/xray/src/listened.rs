//! Programs that are listened to.

use std::collections::VecDeque;
use std::io;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use sources::output::{Heard, Outputs, Said};
use timeline::{Actor, Event, Kind, Place};

use crate::cast::Cast;
use crate::program::{Program, started};

/// Programs of which is known what they print, and how they end. It works on all
/// systems and needs no privilege. What still runs when it is dropped is killed.
pub struct Listened {
    outputs: Outputs,
    began: Instant,
    /// What has come, and was not given out.
    ready: VecDeque<Event>,
}

impl Listened {
    /// Programs whose lines keep the order in which they were printed, where the
    /// system allows it: see [`sources::output`].
    ///
    /// # Errors
    /// When the system has no more descriptors or threads.
    pub fn new() -> io::Result<Self> {
        Ok(Self::to(Outputs::new()?))
    }

    /// Programs that are not trusted: of each of their streams, the first `most`
    /// bytes are given out.
    pub fn at_most(most: u64) -> Self {
        Self::to(Outputs::at_most(most))
    }

    fn to(outputs: Outputs) -> Self {
        Self {
            outputs,
            began: Instant::now(),
            ready: VecDeque::new(),
        }
    }

    fn arrives(&mut self, time: Duration, actor: Actor, kind: Kind) {
        let place = Place::Actor(actor);
        self.ready.push_back(Event { time, place, kind });
    }
}

impl Cast for Listened {
    fn start(&mut self, lane: &str, program: &Program) -> io::Result<(Actor, Option<ChildStdin>)> {
        let command = program.command()?;
        let (time, kind) = (self.now(), started(lane, &command));
        let actor = self.outputs.start(command)?;
        self.arrives(time, actor, kind);
        Ok((actor, self.outputs.take_stdin(actor)))
    }

    /// Also takes what came beside the first thing, but nothing that comes
    /// meanwhile: in a flood that would never end.
    fn look(&mut self, mut deadline: Instant) {
        let now = Instant::now();
        while let Some(Heard { actor, at, what }) = self.outputs.next(deadline) {
            let kind = match what {
                Said::Line(stream, text) => Kind::Line { stream, text },
                Said::Ended(ending) => Kind::Ended(ending),
            };
            self.arrives(at.saturating_duration_since(self.began), actor, kind);
            if at > now {
                return;
            }
            deadline = now;
        }
    }

    fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    fn peek(&self) -> Option<&Event> {
        self.ready.front()
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    /// While the last words of a program are on their way, nobody knows.
    fn settled(&self) -> Duration {
        match self.outputs.is_an_end_on_its_way() {
            true => Duration::ZERO,
            false => self.now(),
        }
    }

    fn pid(&self, actor: Actor) -> u32 {
        self.outputs.pid(actor)
    }

    fn kill(&mut self, actor: Actor) -> io::Result<()> {
        self.outputs.kill(actor)
    }

    fn interrupt(&mut self, actor: Actor) -> io::Result<()> {
        self.outputs.interrupt(actor)
    }
}
