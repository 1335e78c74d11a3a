//! The X-ray: what programs print, the socket calls they make, the packets
//! between them and the TCP states, in one timeline.
//!
//! Read it in this order: this file, `xray/session.rs`, `xray/backlog.rs`,
//! `xray/sniffer.rs`, `xray/recorder.rs`,
//! `xray/looks.rs`, `xray/owners.rs`.

mod backlog;
mod ends;
mod looks;
mod on_wire;
mod owners;
mod recorder;
mod session;
mod sniffer;

use std::os::unix::process::CommandExt;
use std::process::{ChildStdin, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use timeline::{Event, Timeline};
use wire::{Control, Hand, Settings, Wire};

use crate::Program;
use crate::cast;
pub(crate) use session::Session;
use session::{WINDOW, lock};

/// How long a server may take until it listens.
const READY: Duration = Duration::from_secs(10);
/// How long a server may go on when all clients have ended.
const GRACE: Duration = Duration::from_millis(300);

/// How long a cable must be quiet while a server goes on, and how long we wait
/// for that: a segment that nobody acknowledges comes again after 0.2, 0.4, 0.8
/// seconds and so on.
const QUIET: Duration = Duration::from_secs(1);
const CALM_DOWN: Duration = Duration::from_secs(10);

/// How to observe.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether each call is held until [`Audience::go_on`] comes back.
    pub step: bool,
    /// How many bytes of what a call sends or receives are kept.
    pub keep: usize,
    /// Whether the programs are alone in their network. Where they are not,
    /// packets of others are left out.
    pub alone: bool,
    /// Whether the audience has the keyboard: then the last program reads what
    /// the audience writes, and it ends only when the audience has seen enough.
    pub keyboard: bool,
}

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

/// Runs the programs, the first as the server: the others start when it listens,
/// or is bound for UDP. It ends when they have ended, or when the audience has
/// seen enough; whatever still runs then is ended.
///
/// # Errors
/// When a program cannot be started, or the audience has gone. That the packets
/// or states cannot be seen is no error: it stands in the timeline.
pub fn record(
    programs: &[(String, Program)],
    options: &Options,
    audience: &mut dyn Audience,
) -> Result<()> {
    Recording::new(options)?.play(programs, audience)
}

/// A recording that is about to begin.
pub struct Recording {
    session: Session,
    options: Options,
}

impl Recording {
    /// Of programs on the loopback of the network in which this process is.
    ///
    /// # Errors
    /// When programs cannot be observed.
    pub fn new(options: &Options) -> Result<Self> {
        let session = Session::new(options)?;
        let options = options.clone();
        Ok(Self { session, options })
    }

    /// Of programs on two hosts. `hand` decides about each frame on the cable
    /// between them: the first program plays on the server's host, the others on
    /// the client's.
    ///
    /// # Errors
    /// When programs cannot be observed.
    pub fn on_wire(
        options: &Options,
        wire: Wire,
        hand: impl Hand + 'static,
        settings: Settings,
    ) -> Result<Self> {
        let session = Session::on_wire(options, wire, Box::new(hand), settings)?;
        let options = options.clone();
        Ok(Self { session, options })
    }

    /// When the timeline begins, since 1970.
    pub fn start(&self) -> Duration {
        self.session.start
    }

    /// A hand on the cable, where there is one.
    pub fn cable(&self) -> Option<&Control> {
        cast::Cast::cable(&self.session)
    }

    /// The hosts, where there are two: their states and counters.
    pub fn wire(&self) -> Option<&Wire> {
        cast::Cast::wire(&self.session)
    }

    /// Explains something at the beginning of the timeline.
    pub fn note(&self, text: &str) {
        lock(&self.session.recorder).note(text);
    }

    /// A way to say, while it goes on, what a person has done.
    pub fn notes(&self) -> impl Fn(&str) + Send + use<> {
        let recorder = Arc::clone(&self.session.recorder);
        move |text| lock(&recorder).note(text)
    }

    /// Runs the programs: see [`record`].
    ///
    /// # Errors
    /// Those of [`record`].
    pub fn play(self, programs: &[(String, Program)], audience: &mut dyn Audience) -> Result<()> {
        audience.begins(self.session.start)?;
        let show = Show {
            session: self.session,
            timeline: Timeline::default(),
            audience,
            options: self.options,
        };
        show.play(programs)
    }
}

struct Show<'a> {
    session: Session,
    timeline: Timeline,
    audience: &'a mut dyn Audience,
    options: Options,
}

impl Show<'_> {
    fn play(mut self, programs: &[(String, Program)]) -> Result<()> {
        for (index, (lane, program)) in programs.iter().enumerate() {
            let last = index + 1 == programs.len();
            // Only one can read the keyboard. In steps, Enter is for us.
            let stdin = match self.options.keyboard {
                true if last => Stdio::piped(),
                false if last && !self.options.step => Stdio::inherit(),
                _ => Stdio::null(),
            };
            self.start(lane, program, stdin)?;
            if index == 0 && !last {
                let deadline = Instant::now() + READY;
                self.until(deadline, |session| session.listens || !session.alive[0])?;
                if !self.session.listens {
                    let why = "the first program does not listen; the others start all the same";
                    lock(&self.session.recorder).unseen(why);
                }
            }
        }
        let clients = if programs.len() > 1 { 1 } else { 0 };
        let forever = Instant::now() + Duration::from_secs(24 * 60 * 60);
        let keyboard = self.options.keyboard;
        self.until(forever, |session| {
            !keyboard && !session.alive[clients..].contains(&true)
        })?;
        let grace = Instant::now() + GRACE;
        self.until(grace, |session| !session.alive.contains(&true))?;
        // On a cable much may still be on its way, and come again.
        let end = Instant::now() + CALM_DOWN;
        self.until(end, |session| {
            let patience = if session.alive.contains(&true) {
                QUIET
            } else {
                GRACE
            };
            session.is_quiet_for(patience)
        })?;
        self.session.end().context("end the programs")?;
        self.hand_out()
    }

    fn start(&mut self, lane: &str, program: &Program, stdin: Stdio) -> Result<()> {
        let mut command = program.command().context("find our own executable")?;
        // Who has the keyboard hears of the terminal: a new size is a signal, and
        // it would interrupt the calls of a program that is observed.
        if self.options.keyboard {
            command.process_group(0);
        }
        let line = cast::words(&command).join(" ");
        let started = self
            .session
            .start_with(lane, program.host(), command, stdin);
        let (_, input) = started.with_context(|| format!("start {line}"))?;
        if let Some(input) = input {
            self.audience.input_of_last(input);
        }
        Ok(())
    }

    /// Hands out what comes, until this is so, or the deadline has passed.
    fn until(&mut self, deadline: Instant, so: impl Fn(&Session) -> bool) -> Result<()> {
        while !so(&self.session) && Instant::now() < deadline && !self.audience.enough() {
            self.session.look(deadline);
            self.session.settle();
            self.hand_out()?;
            self.step()?;
        }
        Ok(())
    }

    fn hand_out(&mut self) -> Result<()> {
        while let Some(event) = self.session.pop() {
            self.timeline.push(event);
            let next = cast::Cast::peek(&self.session);
            for event in self.timeline.events() {
                self.audience.see(&self.timeline, event, next)?;
            }
            self.timeline.forget();
        }
        Ok(())
    }

    /// Lets the program that was held first go on, when the audience says so.
    fn step(&mut self) -> Result<()> {
        let Some((call, actor)) = self.session.held.pop_front() else {
            return Ok(());
        };
        // While one is held, time stands still for it: nothing older will come.
        thread::sleep(WINDOW);
        self.session.settle_all();
        self.hand_out()?;
        if !self.audience.enough() {
            self.audience.go_on(self.timeline.lane(actor))?;
        }
        let gone_on = self.session.tracer.go(call);
        gone_on.context("let a held call go on")
    }
}
