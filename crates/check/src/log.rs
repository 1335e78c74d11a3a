//! What the programs of a check have done so far.

use timeline::{Actor, Ending, Event, Kind, Place, Stream, Timeline};
use xray::Take;

/// So many lines of a program are kept.
const MOST_LINES: usize = 20_000;

/// What the programs have said, how they have ended, and all else that was seen.
#[derive(Debug)]
pub(crate) struct Log {
    programs: Vec<(Said, Option<Ending>)>,
    /// All events, if they are evidence.
    timeline: Option<Timeline>,
}

/// What one program wrote, as far as it was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) name: String,
    pub(crate) lines: Vec<Printed>,
}

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) on_stderr: bool,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn on(&self, stream: Stream) -> impl Iterator<Item = &str> {
        let (lines, on_stderr) = (self.lines.iter(), stream == Stream::Stderr);
        let of_it = lines.filter(move |line| line.on_stderr == on_stderr);
        of_it.map(|line| line.text.as_str())
    }
}

impl Log {
    /// An empty one. `observed`: calls, packets and states are kept, too.
    pub(crate) fn new(observed: bool) -> Self {
        Self {
            programs: Vec::new(),
            timeline: observed.then(Timeline::default),
        }
    }

    /// The next program was started.
    pub(crate) fn starts(&mut self, name: &str) {
        let said = Said {
            name: name.to_string(),
            lines: Vec::new(),
        };
        self.programs.push((said, None));
    }

    /// What a program has said.
    pub(crate) fn said(&self, actor: Actor) -> &Said {
        &self.programs[actor.0].0
    }

    /// How a program has ended, if it has.
    pub(crate) fn ending(&self, actor: Actor) -> Option<Ending> {
        self.programs[actor.0].1
    }

    /// Those that have not ended.
    pub(crate) fn running(&self) -> impl Iterator<Item = Actor> {
        let programs = self.programs.iter().enumerate();
        let running = programs.filter(|(_, (_, ending))| ending.is_none());
        running.map(|(index, _)| Actor(index))
    }

    /// All that was seen, where programs are observed.
    pub(crate) fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_ref()
    }

    /// What all programs have said.
    pub(crate) fn into_said(self) -> Vec<Said> {
        self.programs.into_iter().map(|(said, _)| said).collect()
    }
}

impl Take for Log {
    fn take(&mut self, event: Event, _: Option<&Event>) -> anyhow::Result<()> {
        if let Place::Actor(actor) = event.place {
            let (said, end) = &mut self.programs[actor.0];
            match &event.kind {
                Kind::Line { stream, text } if said.lines.len() < MOST_LINES => {
                    let (on_stderr, text) = (*stream == Stream::Stderr, text.clone());
                    said.lines.push(Printed { on_stderr, text });
                }
                Kind::Ended(ending) => *end = Some(*ending),
                _ => {}
            }
        }
        if let Some(timeline) = &mut self.timeline {
            timeline.push(event);
        }
        Ok(())
    }
}
