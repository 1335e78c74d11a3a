//! The programs on stage, and how they are watched: by what they say, or with
//! the X-ray as well. The stage does not know which.

use std::collections::VecDeque;
use std::io;
use std::process::{ChildStdin, Command};
use std::time::{Duration, Instant};

use sources::calls::Change;
use sources::output::{Output, Outputs, What};
use timeline::{Actor, Event, Kind, Place};
use wire::Side;

/// Programs that play, and what happens to them.
pub(crate) trait Cast {
    /// Starts a program. The first event of it says so. Where there are two hosts
    /// it plays on this one; None: the first program on the server's, all others
    /// on the client's.
    fn start(
        &mut self,
        lane: &str,
        host: Option<Side>,
        command: Command,
    ) -> io::Result<(Actor, Option<ChildStdin>)>;

    /// A hand on the cable between two hosts, where there are two.
    #[cfg(target_os = "linux")]
    fn cable(&self) -> Option<&wire::Control> {
        None
    }

    /// The two hosts, where there are two.
    #[cfg(target_os = "linux")]
    fn wire(&self) -> Option<&wire::Wire> {
        None
    }

    /// The next event, oldest first; None when the deadline has passed.
    fn next(&mut self, deadline: Instant) -> Option<Event>;

    /// The event after the one that `next` gave, if it is known already.
    fn peek(&self) -> Option<&Event>;

    /// The time by the clock of the events.
    fn now(&self) -> Duration;

    /// How long an event may be on its way.
    fn delay(&self) -> Duration;

    /// Of what happened up to here, `next` has given everything, when it gives
    /// nothing more.
    fn settled(&self) -> Duration;

    fn pid(&self, actor: Actor) -> u32;

    /// SIGKILL; one that has ended is no error.
    fn kill(&mut self, actor: Actor) -> io::Result<()>;

    /// SIGINT; one that has ended is no error.
    fn interrupt(&mut self, actor: Actor) -> io::Result<()>;

    /// From now on these changes are made in the programs' calls.
    fn change(&mut self, _changes: Vec<Change>) -> io::Result<()> {
        let why = "calls are changed only where they are observed";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }
}

/// The words of a command line.
pub(crate) fn words(command: &Command) -> Vec<String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// Programs of which is known what they say, and how they end. It works on all
/// systems and needs no privilege.
pub(crate) struct Listened {
    outputs: Outputs,
    began: Instant,
    /// That programs were started.
    starts: VecDeque<Event>,
}

impl Listened {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            outputs: Outputs::new()?,
            began: Instant::now(),
            starts: VecDeque::new(),
        })
    }
}

impl Cast for Listened {
    fn start(
        &mut self,
        lane: &str,
        _: Option<Side>,
        command: Command,
    ) -> io::Result<(Actor, Option<ChildStdin>)> {
        let kind = Kind::Started {
            lane: lane.to_string(),
            command: words(&command),
        };
        let time = self.now();
        let actor = self.outputs.start(command)?;
        self.starts.push_back(Event {
            time,
            place: Place::Actor(actor),
            kind,
        });
        Ok((actor, self.outputs.take_stdin(actor)))
    }

    fn next(&mut self, deadline: Instant) -> Option<Event> {
        if let Some(start) = self.starts.pop_front() {
            return Some(start);
        }
        let Output { actor, at, what } = self.outputs.next(deadline)?;
        let kind = match what {
            What::Line(stream, text) => Kind::Line { stream, text },
            What::Ended(ending) => Kind::Ended(ending),
        };
        Some(Event {
            time: at.saturating_duration_since(self.began),
            place: Place::Actor(actor),
            kind,
        })
    }

    fn peek(&self) -> Option<&Event> {
        None
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    fn settled(&self) -> Duration {
        self.now()
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
