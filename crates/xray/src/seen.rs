//! Programs under the X-ray, and what comes of them, in order.
//!
//! Three threads look: the tracer's at each call, while the program is stopped;
//! one at the packets; and the caller's own, which puts all in order. What they
//! see goes into one [`Recorder`], behind one lock, and from there through a queue.
//! Where the queue grows too long, the programs wait.

use std::collections::VecDeque;
use std::io;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sources::calls::{Change, Options as Observe, Tracer, What};
use sources::packets::Gauge;
use timeline::call::CallId;
use timeline::order::Order;
use timeline::{Actor, Event};
use wire::{Control, Hand, Settings, Side, Wire};

use super::Options;
use super::backlog::{Backlog, wait_while};
use super::recorder::{News, Recorder, clock};
use super::sniffer::Sniffer;
use crate::cast::{self, Cast};

/// Events are held back so long, so that the end of a short call is known when
/// its start is handed out. That none is overtaken does not hang on it: see
/// [`Session::settle`].
pub(super) const WINDOW: Duration = Duration::from_millis(15);
/// How often the pipes are emptied when no call does it.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// News is collected for so long: to wake up for each piece of it would take time
/// away from the programs.
pub(super) const NAP: Duration = Duration::from_millis(1);
/// The number of SIGINT on all systems that have it.
const SIGINT: i32 = 2;

pub(crate) struct Session {
    pub(super) tracer: Tracer,
    sniffer: Option<Sniffer>,
    pub(super) wire: Option<(Wire, Control)>,
    pub(super) recorder: Arc<Mutex<Recorder>>,
    arrivals: Receiver<News>,
    order: Order,
    /// What happened up to here is in order.
    settled: Duration,
    /// From which time on all stamps count, since 1970.
    pub(super) start: Duration,
    /// How much news is on its way.
    backlog: Backlog,
    /// In order, and not yet taken.
    ready: VecDeque<Event>,
    /// Calls that wait until they may begin.
    pub(super) held: VecDeque<(CallId, Actor)>,
    /// Whether the first program listens.
    pub(super) listens: bool,
    pub(super) alive: Vec<bool>,
    pids: Vec<u32>,
}

impl Session {
    /// Begins to look.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let (news, arrivals) = mpsc::channel();
        let backlog = Backlog::default();
        let news = backlog.counts(news);
        let (recorder, capture) = Recorder::new(news, options.alone);
        let recorder = Arc::new(Mutex::new(recorder));
        let gauge = capture.as_ref().and_then(|capture| capture.gauge().ok());
        let sniffer = capture.map(|capture| Sniffer::start(capture, Arc::clone(&recorder)));
        let mut session = Self::with(options, recorder, gauge, backlog, arrivals)?;
        session.sniffer = sniffer;
        Ok(session)
    }

    /// Begins to look at two hosts and the cable between them.
    pub(crate) fn on_wire(
        options: &Options,
        mut wire: Wire,
        hand: Box<dyn Hand>,
        settings: Settings,
    ) -> Result<Self> {
        let (news, arrivals) = mpsc::channel();
        let backlog = Backlog::default();
        let news = backlog.counts(news);
        let recorder = Arc::new(Mutex::new(Recorder::of_wire(news, &wire)));
        let seen = Arc::clone(&recorder);
        let plugged = wire.plug(hand, settings, move |report| lock(&seen).report(report));
        let control = plugged.context("plug the cable in")?;
        let mut session = Self::with(options, recorder, None, backlog, arrivals)?;
        if !wire.host(Side::Server).knows_names() {
            let why = "the names server and client: nothing can be mounted here";
            lock(&session.recorder).unseen(why);
        }
        session.wire = Some((wire, control));
        Ok(session)
    }

    fn with(
        options: &Options,
        recorder: Arc<Mutex<Recorder>>,
        gauge: Option<Gauge>,
        backlog: Backlog,
        arrivals: Receiver<News>,
    ) -> Result<Self> {
        let start = lock(&recorder).start();
        let observe = Observe {
            keep: options.keep,
            hold: options.step,
            ..Observe::default()
        };
        let seen = Arc::clone(&recorder);
        let behind = backlog.clone();
        let tracer = Tracer::new(observe, move |event| {
            // The programs wait where we are too slow: so nothing gets lost.
            wait_while(|| behind.is_too_much());
            if let (What::CallStart(_), Some(gauge)) = (&event.what, &gauge) {
                wait_while(|| gauge.is_filling());
            }
            lock(&seen).call(event);
        });
        let tracer = tracer.context("observe the calls of programs")?;
        Ok(Self {
            tracer,
            sniffer: None,
            wire: None,
            recorder,
            arrivals,
            start,
            backlog,
            order: Order::default(),
            settled: Duration::ZERO,
            ready: VecDeque::new(),
            held: VecDeque::new(),
            listens: false,
            alive: Vec::new(),
            pids: Vec::new(),
        })
    }

    /// Starts a program whose input is this.
    pub(super) fn start_with(
        &mut self,
        lane: &str,
        host: Option<Side>,
        mut command: Command,
        stdin: Stdio,
    ) -> io::Result<(Actor, Option<ChildStdin>)> {
        let actor = Actor(self.alive.len());
        self.place(actor, host, &mut command);
        // Its events may come before `start` is back. So whoever reports them has
        // its pipes beforehand: what it prints stands before the call behind it.
        let (stdout, its_stdout) = io::pipe()?;
        let (stderr, its_stderr) = io::pipe()?;
        lock(&self.recorder).listen_to(actor, stdout, stderr);
        command.stdin(stdin).stdout(its_stdout).stderr(its_stderr);
        // Python keeps back what it prints into a pipe until it ends.
        command.env("PYTHONUNBUFFERED", "1");
        let words = cast::words(&command);
        let time = self.now();
        let started = self.tracer.start(actor, command)?;
        self.alive.push(true);
        self.pids.push(started.pid);
        lock(&self.recorder).started(time, actor, lane, words);
        Ok((actor, started.stdin))
    }

    /// Waits for news, but not longer than a look, and not when it is time to give
    /// something out.
    pub(super) fn look(&mut self, deadline: Instant) {
        let held_back = self.order.peek().map_or(LOOK, |event| {
            (event.time + WINDOW).saturating_sub(self.now())
        });
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = LOOK.min(held_back).min(left).max(NAP);
        match self.arrivals.recv_timeout(wait) {
            Ok(news) => {
                self.take(news);
                thread::sleep(NAP);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                lock(&self.recorder).catch_up();
            }
        }
    }

    fn take_all(&mut self) {
        while let Ok(news) = self.arrivals.try_recv() {
            self.take(news);
        }
    }

    fn take(&mut self, news: News) {
        self.backlog.taken();
        match news {
            News::Event(event) => self.order.push(*event),
            News::Held(call, actor) => self.held.push_back((call, actor)),
            News::Ready => self.listens = true,
            News::Ended(actor) => self.alive[actor.0] = false,
        }
    }

    /// Gives out events that nothing older can precede any more: the tracer and
    /// the capture say up to when they have told all. Only then is what they have
    /// told taken, so that nothing comes between.
    pub(super) fn settle(&mut self) {
        let told = self.tracer.reported_until();
        let told = self.sniffer.as_ref().map_or(told, |sniffer| {
            sniffer.told_until.load(Ordering::SeqCst).min(told)
        });
        let mut recorder = lock(&self.recorder);
        let told = recorder.since_start(Duration::from_nanos(told));
        let until = told.min(recorder.now().saturating_sub(WINDOW));
        recorder.given_until = until;
        let count = self.backlog.count();
        drop(recorder);
        self.settled = until;
        // Not what comes meanwhile: in a flood that would never end.
        for news in self.arrivals.try_iter().take(count).collect::<Vec<_>>() {
            self.take(news);
        }
        self.ready.extend(self.order.take_until(until));
    }

    /// Gives out all that is known.
    pub(super) fn settle_all(&mut self) {
        self.take_all();
        self.ready.extend(self.order.take_until(Duration::MAX));
    }

    /// The next event in order.
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Ends what still runs, and looks for what is still on its way.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.tracer.hold(false)?;
        for index in 0..self.alive.len() {
            if self.alive[index] {
                self.tracer.kill(Actor(index))?;
            }
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        while self.alive.contains(&true) && Instant::now() < deadline {
            self.look(deadline);
            self.take_all();
        }
        // It takes what is in its queue, and comes back when nothing comes any more.
        drop(self.sniffer.take());
        self.unplug();
        self.take_all();
        lock(&self.recorder).finish(self.order.late());
        self.settle_all();
        Ok(())
    }
}

impl Cast for Session {
    fn start(
        &mut self,
        lane: &str,
        host: Option<Side>,
        command: Command,
    ) -> io::Result<(Actor, Option<ChildStdin>)> {
        self.start_with(lane, host, command, Stdio::piped())
    }

    fn cable(&self) -> Option<&Control> {
        self.wire.as_ref().map(|(_, control)| control)
    }

    fn wire(&self) -> Option<&Wire> {
        self.wire.as_ref().map(|(wire, _)| wire)
    }

    fn next(&mut self, deadline: Instant) -> Option<Event> {
        while self.ready.is_empty() && Instant::now() < deadline {
            self.look(deadline);
            self.settle();
        }
        self.pop()
    }

    fn peek(&self) -> Option<&Event> {
        self.ready.front().or_else(|| self.order.peek())
    }

    fn now(&self) -> Duration {
        clock().saturating_sub(self.start)
    }

    fn delay(&self) -> Duration {
        // One look more, so that the pipes are emptied once after the window.
        WINDOW + 2 * LOOK
    }

    fn settled(&self) -> Duration {
        self.settled
    }

    fn pid(&self, actor: Actor) -> u32 {
        self.pids[actor.0]
    }

    fn kill(&mut self, actor: Actor) -> io::Result<()> {
        self.tracer.kill(actor)
    }

    fn interrupt(&mut self, actor: Actor) -> io::Result<()> {
        self.tracer.signal(actor, SIGINT)
    }

    fn change(&mut self, changes: Vec<Change>) -> io::Result<()> {
        self.tracer.change(changes)
    }
}

/// A thread that has panicked has said so; what it had recorded still counts.
pub(super) fn lock(recorder: &Mutex<Recorder>) -> std::sync::MutexGuard<'_, Recorder> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}
