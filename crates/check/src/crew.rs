//! The programs under test, watched in one of two ways: by what they say, or
//! with the X-ray. The bench does not know which.

use std::io;
use std::process::{ChildStdin, Command};
use std::time::{Duration, Instant};

use anyhow::Result;
use sources::output::{Output, Outputs, What};
use timeline::Actor;

/// Programs, and how they are watched.
pub(crate) enum Crew {
    /// What they say, and how they end.
    Heard(Outputs),
    /// Their calls, packets and TCP states, too.
    #[cfg(target_os = "linux")]
    Seen(Box<seen::Seen>),
}

impl Crew {
    /// Of each output of a program, at most so many bytes are kept.
    pub(crate) fn heard(most: u64) -> Self {
        Self::Heard(Outputs::at_most(most))
    }

    pub(crate) fn start(
        &mut self,
        name: &str,
        words: &[String],
        environment: &[(String, String)],
    ) -> Result<(Actor, Option<ChildStdin>)> {
        match self {
            Self::Heard(outputs) => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]);
                command.envs(environment.iter().map(|(name, value)| (name, value)));
                let actor = outputs.start(command)?;
                Ok((actor, outputs.take_stdin(actor)))
            }
            #[cfg(target_os = "linux")]
            Self::Seen(seen) => seen.start(name, words, environment),
        }
    }

    /// Hands out what the programs say within this time, and how they end.
    pub(crate) fn pass(&mut self, time: Duration, mut take: impl FnMut(Actor, What)) {
        match self {
            Self::Heard(outputs) => {
                let deadline = Instant::now() + time;
                while let Some(Output { actor, what, .. }) = outputs.next(deadline) {
                    take(actor, what);
                }
            }
            #[cfg(target_os = "linux")]
            Self::Seen(seen) => seen.pass(time, take),
        }
    }

    /// Whether a program is known to have ended, and what it said at last is on its
    /// way. What is seen comes with its time, so there nobody has to ask.
    pub(crate) fn is_an_end_on_its_way(&self) -> bool {
        match self {
            Self::Heard(outputs) => outputs.is_an_end_on_its_way(),
            #[cfg(target_os = "linux")]
            Self::Seen(_) => false,
        }
    }

    pub(crate) fn pid(&self, actor: Actor) -> u32 {
        match self {
            Self::Heard(outputs) => outputs.pid(actor),
            #[cfg(target_os = "linux")]
            Self::Seen(seen) => seen.stage.pid(actor),
        }
    }

    /// SIGINT.
    pub(crate) fn interrupt(&mut self, actor: Actor) -> io::Result<()> {
        match self {
            Self::Heard(outputs) => outputs.interrupt(actor),
            #[cfg(target_os = "linux")]
            Self::Seen(seen) => seen.stage.interrupt(actor).map_err(io::Error::other),
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, actor: Actor) -> io::Result<()> {
        match self {
            Self::Heard(outputs) => outputs.kill(actor),
            #[cfg(target_os = "linux")]
            Self::Seen(seen) => seen.stage.kill(actor).map_err(io::Error::other),
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) mod seen {
    use std::process::ChildStdin;
    use std::time::Duration;

    use anyhow::Result;
    use scene::{Program, Stage};
    use sources::output::What;
    use timeline::{Actor, Kind, Place};
    use xray::Watching as Options;

    /// Programs under the X-ray.
    pub(crate) struct Seen {
        pub(crate) stage: Stage,
        /// How many events of the timeline were handed out.
        at: usize,
    }

    impl Seen {
        pub(crate) fn new() -> Result<Self> {
            let options = Options {
                step: false,
                keep: 256,
                alone: true,
                keyboard: false,
            };
            Ok(Self {
                stage: Stage::observed(&options)?,
                at: 0,
            })
        }

        pub(crate) fn start(
            &mut self,
            name: &str,
            words: &[String],
            environment: &[(String, String)],
        ) -> Result<(Actor, Option<ChildStdin>)> {
            let mut program = Program::new(&words[0]).args(&words[1..]);
            for (name, value) in environment {
                program = program.env(name, value);
            }
            let actor = self.stage.start(name, &program)?;
            let input = self.stage.take_input(actor);
            Ok((actor, input))
        }

        pub(crate) fn pass(&mut self, time: Duration, mut take: impl FnMut(Actor, What)) {
            // It fails only when an audience has gone, and there is none.
            let _ = self.stage.pass(time);
            for event in &self.stage.timeline().events()[self.at..] {
                self.at += 1;
                match (event.place, &event.kind) {
                    (Place::Actor(actor), Kind::Line { stream, text }) => {
                        take(actor, What::Line(*stream, text.clone()));
                    }
                    (Place::Actor(actor), Kind::Ended(ending)) => take(actor, What::Ended(*ending)),
                    _ => {}
                }
            }
        }
    }
}
