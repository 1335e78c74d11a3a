//! Where programs play: starts them, speaks to them, explains, and keeps the
//! timeline.

mod wait;

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use timeline::{Actor, Kind, Timeline};
use xray::{Cast, Change, Listened, Program, Side};

use crate::focus::Focus;
use crate::options::{Options, Xray};
use crate::sign::Sign;
use crate::spectator::Spectator;
use crate::story::Story;

/// How long a scene waits for something before it gives up.
const DEADLINE: Duration = Duration::from_secs(10);
/// So soon after the stage has caught up nothing is missed.
const JUST_NOW: Duration = Duration::from_millis(1);

/// Where programs play. What still runs when the stage is dropped is killed.
pub struct Stage {
    cast: Box<dyn Cast>,
    story: Story,
    deadline: Duration,
    inputs: HashMap<Actor, ChildStdin>,
    /// When it had caught up the last time.
    caught_up: Duration,
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
    pub fn observed(watching: &xray::Watching) -> Result<Self> {
        let cast = xray::Seen::new(watching)?;
        Ok(Self::new(Box::new(cast), None))
    }

    /// A stage whose events are printed as they happen; under the X-ray where
    /// the options want it and the machine allows it.
    pub(crate) fn with_audience(options: &Options) -> Result<Self> {
        let (cast, missing) = crate::observe::cast(options)?;
        let observed = missing.is_none() && (options.xray == Xray::On || options.wire);
        let spectator = Spectator::new(options, observed);
        let mut stage = Self::new(cast, Some(spectator));
        if let Some(missing) = missing {
            stage.note(missing);
        }
        Ok(stage)
    }

    fn new(cast: Box<dyn Cast>, spectator: Option<Spectator>) -> Self {
        Self {
            cast,
            story: Story::new(spectator),
            deadline: DEADLINE,
            inputs: HashMap::new(),
            caught_up: Duration::ZERO,
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
        self.catch_up();
        self.story.focus(focus);
    }

    /// Like `focus`, from right behind this event on: for what happens too fast for
    /// the script. It waits until the next headline.
    pub fn focus_after(&mut self, sign: Sign, focus: Focus) {
        self.story.turns.push((sign, focus));
    }

    /// Begins a part of the scene. What an explanation of an earlier part waited
    /// for is over: it is forgotten.
    pub fn headline(&mut self, text: &str) {
        self.narrate(Kind::Headline(text.to_string()));
        self.story.begin_part();
    }

    /// Explains, across all lanes.
    pub fn note(&mut self, text: impl Into<String>) {
        self.narrate(Kind::Note(text.into()));
    }

    /// Explains as soon as this happens: once, right behind it, if it is before the
    /// next headline. Without the X-ray nobody sees it, and nothing is explained.
    ///
    /// Say it before you start what leads to it: a note, a wait and a change of
    /// focus show all that has happened by then, and what was shown before is not
    /// explained any more.
    pub fn when(&mut self, sign: Sign, text: impl Into<String>) {
        self.story.hints.push((sign, text.into()));
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
        self.story.check()?;
        self.catch_up();
        let started = self.cast.start(lane, program);
        let (actor, stdin) = started.with_context(|| format!("start {}", program.line()))?;
        self.inputs.extend(stdin.map(|stdin| (actor, stdin)));
        // Its lane has a name from now on.
        self.until(|story| story.timeline.has_started(actor).then_some(()))?;
        Ok(actor)
    }

    /// Starts the side `server` in a lane of that name, and waits until it says
    /// where it is.
    ///
    /// # Errors
    /// Those of [`Stage::start`] and [`Stage::ready`].
    pub fn serve(&mut self, args: &[&str]) -> Result<(Actor, SocketAddr)> {
        let server = self.start("server", &Program::side("server").args(args))?;
        let addr = self.ready(server)?;
        Ok((server, addr))
    }

    /// Writes a line to the actor's standard input.
    ///
    /// # Errors
    /// When the actor no longer reads.
    pub fn tell(&mut self, actor: Actor, line: &str) -> Result<()> {
        let lane = self.story.timeline.lane(actor);
        let subject = format!("write to the standard input of {lane}");
        let Some(input) = self.inputs.get_mut(&actor) else {
            bail!(subject);
        };
        let line = format!("{line}\n");
        input.write_all(line.as_bytes()).context(subject)
    }

    /// Hands out the standard input of an actor, for bytes that are no line. The
    /// actor's input ends when it is dropped.
    pub fn take_input(&mut self, actor: Actor) -> Option<ChildStdin> {
        self.inputs.remove(&actor)
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
        let sent = self.cast.interrupt(actor);
        sent.with_context(|| format!("send SIGINT to {}", self.story.timeline.lane(actor)))
    }

    /// Sends SIGKILL to the actor: it ends without a chance to clean up.
    ///
    /// # Errors
    /// Those of kill(2).
    pub fn kill(&mut self, actor: Actor) -> Result<()> {
        let sent = self.cast.kill(actor);
        sent.with_context(|| format!("send SIGKILL to {}", self.story.timeline.lane(actor)))
    }

    /// The same, and waits until it has ended.
    ///
    /// # Errors
    /// Those of [`Stage::kill`] and [`Stage::wait_exit`].
    pub fn end(&mut self, actor: Actor) -> Result<()> {
        self.kill(actor)?;
        self.wait_exit(actor)?;
        Ok(())
    }

    /// The process id of an actor.
    pub fn pid(&self, actor: Actor) -> u32 {
        self.cast.pid(actor)
    }

    /// From now on these changes are made in the programs' calls, and no others.
    ///
    /// # Errors
    /// When calls are not observed, or the changes make no sense.
    pub fn change(&mut self, changes: Vec<Change>) -> Result<()> {
        self.cast.change(changes).context("change calls")
    }

    /// Sets a value of the kernel for one host alone, such as
    /// `net.ipv4.tcp_syn_retries` (tcp(7)), and tells it. Without a cable nothing
    /// happens.
    ///
    /// # Errors
    /// One that this kernel does not have, or a value that it does not take.
    pub fn set(&mut self, host: Side, name: &str, value: &str) -> Result<()> {
        if self.cast.set(host, name, value)? {
            let side = host.name();
            self.note(format!("On the host {side}: {name} = {value}"));
        }
        Ok(())
    }

    /// From here on these rules say what becomes of packets on the cable, and are
    /// told; an empty text ends all. `docs/wire.md` has the language. Without a
    /// cable nothing happens.
    ///
    /// # Errors
    /// A text that is no rule.
    pub fn rules(&mut self, text: &str) -> Result<()> {
        let told = self.cast.rules(text)?;
        if !told.is_empty() {
            self.note(format!("On the cable: {}", told.join("; ")));
        }
        Ok(())
    }

    /// What an actor said so far.
    pub fn lines(&self, actor: Actor) -> Vec<String> {
        let lines = self.story.timeline.lines(actor);
        lines.map(str::to_string).collect()
    }

    /// All that happened so far.
    pub fn timeline(&self) -> &Timeline {
        &self.story.timeline
    }

    /// Takes what happens until `found` finds something; None when the deadline
    /// has passed.
    fn until<T>(&mut self, mut found: impl FnMut(&mut Story) -> Option<T>) -> Result<Option<T>> {
        let deadline = Instant::now() + self.deadline;
        let found = xray::until(&mut *self.cast, &mut self.story, deadline, |story, _| {
            // A script that waits has to know when nobody sees it any more.
            match story.is_broken() {
                true => Some(None),
                false => found(story).map(Some),
            }
        })?;
        self.story.check()?;
        Ok(found.flatten())
    }

    /// Takes all that has happened by now. Several steps of a script in a row wait
    /// for the same: once is enough.
    fn catch_up(&mut self) {
        if self.cast.now() <= self.caught_up + JUST_NOW {
            return;
        }
        // To take never fails: an error of the spectator is kept for the script.
        let caught = xray::catch_up(&mut *self.cast, &mut self.story, self.deadline);
        if matches!(caught, Ok(true)) {
            self.caught_up = self.cast.now();
        }
    }

    /// All that has been written by now comes before the explanation. Two
    /// explanations in a row stay together: nothing comes between.
    fn narrate(&mut self, kind: Kind) {
        self.catch_up();
        let now = self.cast.now().saturating_sub(self.cast.delay());
        let time = self.story.last().max(now);
        self.story.narrate(time, kind, self.cast.peek());
    }
}
