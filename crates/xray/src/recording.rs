//! A recording: the first program is the server, the others start when it
//! listens, and all that happens is handed to an audience.

use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use timeline::{Event, Timeline};
use wire::{CableControl, Hand, Settings, Wire};

use crate::cast::Cast;
use crate::program::Program;
use crate::seen::{Seen, Watching};
use crate::take::{Take, until};

/// How long a server may take until it listens.
const READY: Duration = Duration::from_secs(10);
/// How long a server may go on when all clients have ended.
const GRACE: Duration = Duration::from_millis(300);
/// How long programs may play.
const FOREVER: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a cable must be quiet while a server goes on, and how long we wait
/// for that: a segment that nobody acknowledges comes again after 0.2, 0.4, 0.8
/// seconds and so on.
const QUIET: Duration = Duration::from_secs(1);
const CALM_DOWN: Duration = Duration::from_secs(10);

/// Whoever watches while it happens.
pub trait Audience {
    /// It begins; `start` is the time since 1970 from which all times count.
    ///
    /// # Errors
    /// When nobody watches any more.
    fn begins(&mut self, start: Duration) -> Result<()>;

    /// The next event, and the one after it, if it is known already. The timeline
    /// knows the lanes, but not all events before: nobody keeps them, so that a
    /// long run needs no more memory than a short one.
    ///
    /// # Errors
    /// When nobody watches any more: then all ends.
    fn see(&mut self, timeline: &Timeline, event: &Event, next: Option<&Event>) -> Result<()>;

    /// A program is held before a call, which was seen last. Comes back when it
    /// may go on.
    ///
    /// # Errors
    /// When nobody watches any more: then all ends.
    fn go_on(&mut self, lane: &str) -> Result<()>;

    /// Whether all is to end now, as after Ctrl-C.
    fn enough(&self) -> bool;

    /// What the last program reads, where the audience has the keyboard.
    fn input_of_last(&mut self, _input: ChildStdin) {}
}

/// A recording that is about to begin.
pub struct Recording {
    seen: Seen,
    watching: Watching,
}

impl Recording {
    /// Of programs on the loopback of the network in which this process is.
    ///
    /// # Errors
    /// When programs cannot be observed.
    pub fn new(watching: &Watching) -> Result<Self> {
        let seen = Seen::new(watching)?;
        let watching = watching.clone();
        Ok(Self { seen, watching })
    }

    /// Of programs on two hosts. `hand` decides about each frame on the cable
    /// between them: the first program plays on the server's host, the others on
    /// the client's.
    ///
    /// # Errors
    /// When programs cannot be observed.
    pub fn on_wire(
        watching: &Watching,
        wire: Wire,
        hand: impl Hand + 'static,
        settings: Settings,
    ) -> Result<Self> {
        let seen = Seen::on_wire(watching, wire, Box::new(hand), settings)?;
        let watching = watching.clone();
        Ok(Self { seen, watching })
    }

    /// When the timeline begins, since 1970.
    pub fn start(&self) -> Duration {
        self.seen.start
    }

    /// A hand on the cable, where there is one.
    pub fn cable(&self) -> Option<&CableControl> {
        self.seen.packets.wire().map(|(_, control)| control)
    }

    /// The hosts, where there are two: their states and counters.
    pub fn wire(&self) -> Option<&Wire> {
        self.seen.packets.wire().map(|(wire, _)| wire)
    }

    /// Explains something at the beginning of the timeline.
    pub fn note(&self, text: &str) {
        self.seen.recorder.lock().note(text);
    }

    /// A way to say, while it goes on, what a person has done.
    pub fn notes(&self) -> impl Fn(&str) + Send + use<> {
        let recorder = self.seen.recorder.clone();
        move |text| recorder.lock().note(text)
    }

    /// Runs the programs, the first as the server: the others start when it listens,
    /// or is bound for UDP. It ends when they have ended, or when the audience has
    /// seen enough; what still runs then is ended.
    ///
    /// # Errors
    /// When a program cannot be started, or the audience has gone. That the packets
    /// or states cannot be seen is no error: the timeline says so.
    pub fn play(
        mut self,
        programs: &[(String, Program)],
        audience: &mut dyn Audience,
    ) -> Result<()> {
        audience.begins(self.start())?;
        let mut show = Show {
            timeline: Timeline::default(),
            audience,
        };
        for (index, (lane, program)) in programs.iter().enumerate() {
            let last = index + 1 == programs.len();
            self.start_one(lane, program, last, &mut show)?;
            if index == 0 && !last {
                self.wait_until_ready(&mut show)?;
            }
        }
        let clients = usize::from(programs.len() > 1);
        let keyboard = self.watching.keyboard;
        self.until(FOREVER, &mut show, |seen| {
            !keyboard && !seen.is_alive_from(clients)
        })?;
        self.until(GRACE, &mut show, |seen| !seen.is_alive_from(0))?;
        // On a cable much may still be on its way, and come again.
        self.until(CALM_DOWN, &mut show, |seen| {
            let patience = if seen.is_alive_from(0) { QUIET } else { GRACE };
            seen.packets.is_quiet_for(patience)
        })?;
        self.seen.end().context("end the programs")?;
        show.all_of(&mut self.seen)
    }

    fn start_one(
        &mut self,
        lane: &str,
        program: &Program,
        last: bool,
        show: &mut Show,
    ) -> Result<()> {
        // Only one can read the keyboard. In steps, Enter is for us.
        let stdin = match self.watching.keyboard {
            true if last => Stdio::piped(),
            false if last && !self.watching.step => Stdio::inherit(),
            _ => Stdio::null(),
        };
        // A program in the foreground hears of the terminal: a new size is a signal,
        // and it would interrupt the calls of a program that is observed.
        let detached = self.watching.keyboard;
        let started = self.seen.start_with(lane, program, stdin, detached);
        let (_, input) = started.with_context(|| format!("start {}", program.line()))?;
        if let Some(input) = input {
            show.audience.input_of_last(input);
        }
        Ok(())
    }

    /// Waits until the first program listens, or has ended.
    fn wait_until_ready(&mut self, show: &mut Show) -> Result<()> {
        let ready = |seen: &Seen| seen.listens || !seen.is_alive_from(0);
        self.until(READY, show, ready)?;
        if !self.seen.listens {
            let why = "the first program does not listen; the others start all the same";
            self.seen.recorder.lock().unseen(why);
        }
        Ok(())
    }

    /// Hands out what comes, until this is so, the time is over, or the audience
    /// has seen enough.
    fn until(&mut self, time: Duration, show: &mut Show, so: impl Fn(&Seen) -> bool) -> Result<()> {
        let deadline = Instant::now() + time;
        loop {
            let over = until(&mut self.seen, show, deadline, |show: &mut Show, seen| {
                let over = so(seen) || show.audience.enough();
                (over || !seen.held.is_empty()).then_some(over)
            })?;
            match over {
                Some(false) => self.step(show)?,
                Some(true) | None => return Ok(()),
            }
        }
    }

    /// Lets the program that was held first go on, when the audience says so.
    fn step(&mut self, show: &mut Show) -> Result<()> {
        let Some((call, actor)) = self.seen.held.pop_front() else {
            return Ok(());
        };
        self.seen.settle_all();
        show.all_of(&mut self.seen)?;
        if !show.audience.enough() {
            show.audience.go_on(show.timeline.lane(actor))?;
        }
        let gone_on = self.seen.tracer.go(call);
        gone_on.context("let a held call go on")
    }
}

/// Hands events to the audience, and keeps the lanes.
struct Show<'a> {
    timeline: Timeline,
    audience: &'a mut dyn Audience,
}

impl Show<'_> {
    /// What has been given out.
    fn all_of(&mut self, seen: &mut Seen) -> Result<()> {
        while let Some(event) = seen.next() {
            self.take(event, seen.peek())?;
        }
        Ok(())
    }
}

impl Take for Show<'_> {
    fn take(&mut self, event: Event, next: Option<&Event>) -> Result<()> {
        self.timeline.push(event);
        for event in self.timeline.events() {
            self.audience.see(&self.timeline, event, next)?;
        }
        self.timeline.forget();
        Ok(())
    }
}
