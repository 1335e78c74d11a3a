//! The X-ray: what programs print, the socket calls they make, the packets
//! between them and the TCP states, in one timeline.
//!
//! Three threads look: the tracer's at each call, while the program is stopped;
//! one at the packets; and the caller's own, which puts all in order and hands
//! it out. What they see goes into one [`recorder::Recorder`], behind one lock.

mod owners;
mod recorder;

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sources::calls::{Options as Observe, Tracer};
use sources::packets::Capture;
use timeline::call::CallId;
use timeline::order::Order;
use timeline::{Actor, Event, Kind, Timeline};

use crate::Program;
use recorder::{News, Recorder};

/// Events are held back so long, in case an older one is still on its way.
const WINDOW: Duration = Duration::from_millis(30);
/// How often the pipes are emptied when no call does it.
const LOOK: Duration = Duration::from_millis(10);
/// How long a server may take until it listens.
const READY: Duration = Duration::from_secs(10);
/// How long a server may go on when all clients have ended.
const GRACE: Duration = Duration::from_millis(300);

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
}

/// Whoever watches while it happens.
pub trait Audience {
    /// The next event, and the one after it, if it is known already.
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
) -> Result<Timeline> {
    let (news, arrivals) = mpsc::channel();
    let (recorder, capture) = Recorder::new(news, options.alone);
    let recorder = Arc::new(Mutex::new(recorder));
    let sniffer = capture.map(|capture| Sniffer::start(capture, Arc::clone(&recorder)));
    let observe = Observe {
        keep: options.keep,
        hold: options.step,
    };
    let seen = Arc::clone(&recorder);
    let tracer = Tracer::new(observe, move |event| lock(&seen).call(event))
        .context("observe the calls of programs")?;
    let session = Session {
        tracer,
        sniffer,
        recorder,
        arrivals,
        order: Order::default(),
        timeline: Timeline::default(),
        held: VecDeque::new(),
        ready: false,
        alive: vec![false; programs.len()],
    };
    session.play(programs, options, audience)
}

struct Session {
    tracer: Tracer,
    sniffer: Option<Sniffer>,
    recorder: Arc<Mutex<Recorder>>,
    arrivals: Receiver<News>,
    order: Order,
    timeline: Timeline,
    held: VecDeque<(CallId, Actor)>,
    ready: bool,
    alive: Vec<bool>,
}

impl Session {
    fn play(
        mut self,
        programs: &[(String, Program)],
        options: &Options,
        audience: &mut dyn Audience,
    ) -> Result<Timeline> {
        for (index, (lane, program)) in programs.iter().enumerate() {
            let last = index + 1 == programs.len();
            // In steps, Enter is for us.
            let keyboard = last && !options.step;
            self.start(Actor(index), lane, program, keyboard)?;
            if index == 0 && !last {
                let deadline = Instant::now() + READY;
                self.until(audience, deadline, |session| {
                    session.ready || !session.alive[0]
                })?;
                if !self.ready {
                    let why = "the first program does not listen; the others start all the same";
                    lock(&self.recorder).unseen(why);
                }
            }
        }
        let clients = if programs.len() > 1 { 1 } else { 0 };
        let forever = Instant::now() + Duration::from_secs(24 * 60 * 60);
        self.until(audience, forever, |session| {
            !session.alive[clients..].contains(&true)
        })?;
        let grace = Instant::now() + GRACE;
        self.until(audience, grace, |session| !session.alive.contains(&true))?;
        self.end(audience)
    }

    fn start(&mut self, actor: Actor, lane: &str, program: &Program, keyboard: bool) -> Result<()> {
        let mut command = program.command().context("find our own executable")?;
        prepare(&mut command, keyboard);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = words
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let line = words.join(" ");
        lock(&self.recorder).started(actor, lane, words);
        let started = self.tracer.start(actor, command);
        let started = started.with_context(|| format!("start {line}"))?;
        lock(&self.recorder).listen_to(actor, started.stdout, started.stderr);
        self.alive[actor.0] = true;
        Ok(())
    }

    /// Hands out what comes, until this is so, or the deadline has passed.
    fn until(
        &mut self,
        audience: &mut dyn Audience,
        deadline: Instant,
        so: impl Fn(&Self) -> bool,
    ) -> Result<()> {
        while !so(self) && Instant::now() < deadline && !audience.enough() {
            match self.arrivals.recv_timeout(LOOK) {
                Ok(news) => self.take(news),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    lock(&self.recorder).empty_pipes();
                }
            }
            let now = lock(&self.recorder).now();
            self.hand_out(audience, now.saturating_sub(WINDOW))?;
            self.step(audience)?;
        }
        Ok(())
    }

    fn take(&mut self, news: News) {
        match news {
            News::Event(event) => self.order.push(event),
            News::Held(call, actor) => self.held.push_back((call, actor)),
            News::Ready => self.ready = true,
            News::Ended(actor) => self.alive[actor.0] = false,
        }
    }

    fn hand_out(&mut self, audience: &mut dyn Audience, until: Duration) -> Result<()> {
        let events = self.order.take_until(until);
        for (index, event) in events.iter().enumerate() {
            self.timeline.push(event.clone());
            let next = events.get(index + 1).or_else(|| self.order.peek());
            audience.see(&self.timeline, event, next)?;
        }
        Ok(())
    }

    /// Lets the program that was held first go on, when the audience says so.
    fn step(&mut self, audience: &mut dyn Audience) -> Result<()> {
        let Some((call, actor)) = self.held.pop_front() else {
            return Ok(());
        };
        // While one is held, time stands still for it: nothing older will come.
        thread::sleep(WINDOW);
        while let Ok(news) = self.arrivals.try_recv() {
            self.take(news);
        }
        self.hand_out(audience, Duration::MAX)?;
        if !audience.enough() {
            audience.go_on(self.timeline.lane(actor))?;
        }
        self.tracer.go(call).context("let a held call go on")
    }

    /// Ends what still runs, and hands out the rest.
    fn end(mut self, audience: &mut dyn Audience) -> Result<Timeline> {
        self.tracer.hold(false).context("let held calls go on")?;
        for index in 0..self.alive.len() {
            if self.alive[index] {
                self.tracer.kill(Actor(index)).context("end a program")?;
            }
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        while self.alive.contains(&true) && Instant::now() < deadline {
            if let Ok(news) = self.arrivals.recv_timeout(LOOK) {
                self.take(news);
            }
        }
        // It takes what is in its queue, and comes back when nothing comes any more.
        drop(self.sniffer.take());
        lock(&self.recorder).finish();
        while let Ok(news) = self.arrivals.try_recv() {
            self.take(news);
        }
        self.hand_out(audience, Duration::MAX)?;
        Ok(self.timeline)
    }
}

/// Its output goes to us. Only the last program has the keyboard, because only
/// one can read it.
fn prepare(command: &mut Command, keyboard: bool) {
    let stdin = if keyboard {
        Stdio::inherit()
    } else {
        Stdio::null()
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Python keeps back what it prints into a pipe until it ends.
    command.env("PYTHONUNBUFFERED", "1");
}

/// The thread that looks at the packets.
struct Sniffer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sniffer {
    fn start(mut capture: Capture, recorder: Arc<Mutex<Recorder>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            // What is in the queue when all has ended still belongs to it.
            loop {
                match capture.next(LOOK) {
                    Ok(Some(captured)) => lock(&recorder).packet(captured),
                    Ok(None) if stopped.load(Ordering::Relaxed) => break,
                    Ok(None) => {}
                    Err(error) => {
                        return lock(&recorder).unseen(&format!("packets from here on: {error}"));
                    }
                }
            }
            match capture.dropped() {
                Ok(0) => {}
                Ok(count) => lock(&recorder).unseen(&format!("{count} packets came too fast")),
                Err(error) => {
                    lock(&recorder).unseen(&format!("how many packets got lost: {error}"))
                }
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It fails only when the thread has panicked, and then it has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A thread that has panicked has said so; what it had recorded still counts.
fn lock(recorder: &Mutex<Recorder>) -> std::sync::MutexGuard<'_, Recorder> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an event belongs to the X-ray and not to the story around it.
pub fn is_observed(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::Call(_) | Kind::Return(_) | Kind::Packet(_) | Kind::State(_)
    )
}
