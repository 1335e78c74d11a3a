//! Where programs play: starts them, speaks to them, explains, and keeps the
//! timeline.

mod on_wire;
mod wait;

use std::collections::HashMap;
use std::io::Write;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sources::calls::Change;
use timeline::{Actor, Ending, Event, Kind, Place, Timeline};

use crate::audience::Audience;
use crate::cast::{self, Cast, Listened};
use crate::sign::Sign;
use crate::{Focus, Options, Program};

/// How long a scene waits for something before it gives up.
const DEADLINE: Duration = Duration::from_secs(10);
/// In so short a time since the stage has caught up nothing is missed.
const JUST_NOW: Duration = Duration::from_millis(1);

/// Where programs play. What still runs when the stage is dropped is killed.
pub struct Stage {
    cast: Box<dyn Cast>,
    timeline: Timeline,
    audience: Option<Audience>,
    deadline: Duration,
    inputs: HashMap<Actor, ChildStdin>,
    /// For each actor: how many events the script has gone through for it.
    heard: HashMap<Actor, usize>,
    endings: HashMap<Actor, Ending>,
    /// How many events have been searched for signs that the script awaits.
    searched: usize,
    /// With which event the part began.
    part: usize,
    /// Explanations that wait for what they explain.
    hints: Vec<(Sign, String)>,
    /// What the audience is to see from a sign on.
    turns: Vec<(Sign, Focus)>,
    /// When it had caught up the last time.
    caught_up: Duration,
    /// The first error of the audience; the script meets it at its next wait.
    broken: Option<std::io::Error>,
}

impl Stage {
    /// A stage without an audience: nothing is printed, no beat pauses. The
    /// timeline has what the programs say.
    ///
    /// # Panics
    /// When the system has no descriptor or thread left.
    pub fn rehearsal() -> Self {
        let cast = Listened::new().expect("a rehearsal needs a queue for the programs' output");
        Self::new(Box::new(cast), None)
    }

    /// A stage without an audience, under the X-ray: the timeline has the calls,
    /// packets and TCP states, too.
    ///
    /// # Errors
    /// When the system does not let programs be observed.
    #[cfg(target_os = "linux")]
    pub fn observed(options: &crate::xray::Options) -> Result<Self> {
        let cast = crate::xray::Session::new(options)?;
        Ok(Self::new(Box::new(cast), None))
    }

    /// A stage whose events are printed as they happen; under the X-ray where
    /// the options want it and the machine allows it.
    pub(crate) fn with_audience(options: &Options) -> Result<Self> {
        let (cast, missing) = crate::observe::cast(options)?;
        let observed = missing.is_none() && (options.wants_xray() || options.wire);
        let audience = Audience::new(options, observed);
        let mut stage = Self::new(cast, Some(audience));
        if let Some(missing) = missing {
            stage.note(missing);
        }
        Ok(stage)
    }

    fn new(cast: Box<dyn Cast>, audience: Option<Audience>) -> Self {
        Self {
            cast,
            timeline: Timeline::default(),
            audience,
            deadline: DEADLINE,
            inputs: HashMap::new(),
            heard: HashMap::new(),
            endings: HashMap::new(),
            searched: 0,
            part: 0,
            hints: Vec::new(),
            turns: Vec::new(),
            caught_up: Duration::ZERO,
            broken: None,
        }
    }

    /// How long each later wait may take; 10 seconds if nothing is said.
    pub fn deadline(&mut self, deadline: Duration) {
        self.deadline = deadline;
    }

    /// From here on there are these lanes, from left to right.
    pub fn lanes(&mut self, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_string()).collect();
        self.narrate(Kind::Lanes(names));
    }

    /// From here on the audience sees this of the X-ray.
    pub fn focus(&mut self, focus: Focus) {
        self.catch_up_once();
        self.set_focus(focus);
    }

    /// The same, from right behind this event on: for what happens too fast for the
    /// script. It waits until the next headline.
    pub fn focus_after(&mut self, sign: Sign, focus: Focus) {
        self.turns.push((sign, focus));
    }

    /// Begins a part of the scene. What an explanation of an earlier part waited
    /// for is over: it is forgotten.
    pub fn headline(&mut self, text: &str) {
        self.narrate(Kind::Headline(text.to_string()));
        self.hints.clear();
        self.turns.clear();
        self.part = self.timeline.events().len();
        self.searched = self.part;
    }

    /// Explains, across all lanes.
    pub fn note(&mut self, text: impl Into<String>) {
        self.narrate(Kind::Note(text.into()));
    }

    /// Explains as soon as this happens: once, right behind it, if it is before the
    /// next headline. Without the X-ray nobody sees it, and nothing is explained.
    pub fn when(&mut self, sign: Sign, text: impl Into<String>) {
        self.hints.push((sign, text.into()));
    }

    /// Shows rows that are laid out already, such as a table.
    pub fn text(&mut self, rows: impl Into<String>) {
        self.narrate(Kind::Rows(rows.into()));
    }

    /// A step pauses here.
    pub fn beat(&mut self) {
        self.narrate(Kind::Beat);
    }

    /// Says what to try after the scene.
    pub fn next(&mut self, things: &[&str]) {
        let things = things.iter().map(|thing| (*thing).to_string()).collect();
        self.narrate(Kind::Next(things));
    }

    /// Starts a program in a lane. It does not wait for anything.
    ///
    /// # Errors
    /// When the program cannot be started, or the audience has gone.
    pub fn start(&mut self, lane: &str, program: &Program) -> Result<Actor> {
        self.check_audience()?;
        let command = program.command().context("find our own executable")?;
        let line = cast::words(&command).join(" ");
        self.catch_up_once();
        let started = self.cast.start(lane, program.host(), command);
        let (actor, stdin) = started.with_context(|| format!("start {line}"))?;
        self.inputs.extend(stdin.map(|stdin| (actor, stdin)));
        // Its lane has a name from now on.
        while !self.timeline.has_started(actor) && self.pump(Instant::now() + self.deadline)? {}
        Ok(actor)
    }

    /// Writes a line to the actor's standard input.
    ///
    /// # Errors
    /// When the actor no longer reads.
    pub fn tell(&mut self, actor: Actor, line: &str) -> Result<()> {
        let subject = format!(
            "write to the standard input of {}",
            self.timeline.lane(actor)
        );
        let input = self
            .inputs
            .get_mut(&actor)
            .with_context(|| subject.clone())?;
        input
            .write_all(format!("{line}\n").as_bytes())
            .context(subject)
    }

    /// Closes the actor's standard input: it reads an end of file.
    pub fn end_input(&mut self, actor: Actor) {
        self.inputs.remove(&actor);
    }

    /// Sends SIGINT to the actor, as Ctrl-C does.
    ///
    /// # Errors
    /// Those of kill(2); where there are no signals, that.
    pub fn interrupt(&mut self, actor: Actor) -> Result<()> {
        let lane = self.timeline.lane(actor);
        self.cast
            .interrupt(actor)
            .with_context(|| format!("send SIGINT to {lane}"))
    }

    /// Sends SIGKILL to the actor: it ends without a chance to clean up.
    ///
    /// # Errors
    /// Those of kill(2).
    pub fn kill(&mut self, actor: Actor) -> Result<()> {
        let lane = self.timeline.lane(actor);
        self.cast
            .kill(actor)
            .with_context(|| format!("send SIGKILL to {lane}"))
    }

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

    /// What an actor said so far.
    pub fn lines(&self, actor: Actor) -> Vec<String> {
        self.timeline.lines(actor).map(str::to_string).collect()
    }

    /// All that happened so far.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Takes the next event from the programs; false when the deadline passed.
    fn pump(&mut self, deadline: Instant) -> Result<bool> {
        self.check_audience()?;
        let Some(event) = self.cast.next(deadline) else {
            return Ok(false);
        };
        if let (Place::Actor(actor), Kind::Ended(ending)) = (event.place, &event.kind) {
            self.endings.insert(actor, *ending);
        }
        let explained = self
            .hints
            .iter()
            .position(|(sign, _)| sign.fits(&self.timeline, &event));
        let fits = |(sign, _): &(Sign, Focus)| sign.fits(&self.timeline, &event);
        let turned = self.turns.iter().position(fits);
        let time = event.time;
        self.push(event);
        if let Some(index) = explained {
            let (_, text) = self.hints.remove(index);
            self.push(Event {
                time,
                place: Place::Narrator,
                kind: Kind::Note(text),
            });
        }
        if let Some(index) = turned {
            let (_, focus) = self.turns.remove(index);
            self.set_focus(focus);
        }
        Ok(true)
    }

    /// Takes all that has happened by now, and says whether it could. Under the
    /// X-ray events come late, and on a busy machine later: so it waits until the
    /// tracer and the capture say that they have told all up to this moment.
    pub fn catch_up(&mut self) -> bool {
        let now = self.cast.now();
        let patience = Instant::now() + self.deadline;
        loop {
            // One look: then it may be known already.
            let deadline = Instant::now() + self.cast.delay().min(Duration::from_millis(1));
            while self.broken.is_none() && matches!(self.pump(deadline), Ok(true)) {
                let last = self.timeline.events().last();
                if last.is_some_and(|event| event.time > now) {
                    self.caught_up = self.cast.now();
                    return true;
                }
            }
            if self.cast.settled() >= now {
                self.caught_up = self.cast.now();
                return true;
            }
            if self.broken.is_some() || Instant::now() > patience {
                return false;
            }
        }
    }

    /// Several steps of a script in a row wait for the same: once is enough.
    fn catch_up_once(&mut self) {
        if self.cast.now() > self.caught_up + JUST_NOW {
            self.catch_up();
        }
    }

    /// Whatever has been written by now stands before the explanation. One right
    /// behind another stands together with it: nothing comes between.
    fn narrate(&mut self, kind: Kind) {
        self.catch_up_once();
        let last = self.timeline.events().last();
        let last = last.map_or(Duration::ZERO, |event| event.time);
        self.push(Event {
            time: last.max(self.cast.now().saturating_sub(self.cast.delay())),
            place: Place::Narrator,
            kind,
        });
    }

    fn set_focus(&mut self, focus: Focus) {
        if let Some(audience) = &mut self.audience {
            audience.focus(focus);
        }
    }

    fn push(&mut self, event: Event) {
        self.timeline.push(event);
        let Some(audience) = &mut self.audience else {
            return;
        };
        let Some(event) = self.timeline.events().last() else {
            return;
        };
        let seen = audience.see(&self.timeline, event, self.cast.peek());
        self.broken = self.broken.take().or(seen.err());
    }

    fn check_audience(&mut self) -> Result<()> {
        match self.broken.take() {
            Some(error) => Err(error).context("write the scene to standard output"),
            None => Ok(()),
        }
    }
}
