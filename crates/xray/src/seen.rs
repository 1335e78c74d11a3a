//! Programs that are seen: what they print, the socket calls they make, the
//! packets between them and the TCP states, in order.
//!
//! Three threads look: the tracer's at each call, while the program is stopped;
//! that of the packet source; and the caller's own, which puts all in order. What
//! they see goes into one recorder, behind one lock, and from there through a
//! queue. Where the queue grows too long, the programs wait.

mod backlog;
mod cable;
mod looks;
mod loopback;
mod open;
mod owners;
mod packets;
mod pipes;
mod recorder;

use std::collections::VecDeque;
use std::io;
use std::process::{ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use kernel::clock;
use kernel::signal::SIGINT;
use sources::calls::{Change, Tracer};
use timeline::call::CallId;
use timeline::order::Order;
use timeline::{Actor, Event, Place};
use wire::Side;
use wire::rules::Rules;

use crate::cast::Cast;
use crate::program::{Program, started};
use backlog::Backlog;
pub use open::Watching;
use packets::PacketSource;
use recorder::{News, Shared};

/// How long events are held back, so that the end of a short call is known when
/// its start is handed out. That none is overtaken does not depend on it: see
/// [`Seen::settle`].
const WINDOW: Duration = Duration::from_millis(15);
/// How often the pipes are emptied when no call does it, and how long a source
/// waits at a time.
const AT_LEAST_EVERY: Duration = Duration::from_millis(10);
/// How long news is collected: to wake up for each piece of it would take time
/// away from the programs.
const NAP: Duration = Duration::from_millis(1);
/// How long programs that are ended may take to do so.
const ENDING: Duration = Duration::from_secs(2);

/// Programs of which the calls, packets and TCP states are known, too: on Linux.
/// What still runs when it is dropped is killed.
pub struct Seen {
    pub(crate) tracer: Tracer,
    pub(crate) packets: Box<dyn PacketSource>,
    pub(crate) recorder: Shared,
    arrivals: Receiver<News>,
    order: Order,
    /// What happened up to here is in order.
    settled: Duration,
    /// From which time on all stamps count, since 1970.
    pub(crate) start: Duration,
    /// How much news is on its way.
    backlog: Backlog,
    /// In order, and not yet taken.
    ready: VecDeque<Event>,
    /// Calls that wait until they may begin.
    pub(crate) held: VecDeque<(CallId, Actor)>,
    /// Whether the first program listens, or is bound for UDP.
    pub(crate) listens: bool,
    alive: Vec<bool>,
    pids: Vec<u32>,
}

impl Seen {
    /// Starts a program whose input is this; `detached` from our terminal.
    pub(crate) fn start_with(
        &mut self,
        lane: &str,
        program: &Program,
        stdin: Stdio,
        detached: bool,
    ) -> io::Result<(Actor, Option<ChildStdin>)> {
        let mut command = program.command()?;
        if detached {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let actor = Actor(self.alive.len());
        self.packets.place(actor, program.host(), &mut command);
        // Its events may come before `start` is back. So whoever reports them has
        // its pipes beforehand: what it prints stands before the call behind it.
        let (stdout, its_stdout) = io::pipe()?;
        let (stderr, its_stderr) = io::pipe()?;
        self.recorder.lock().listen_to(actor, stdout, stderr);
        command.stdin(stdin).stdout(its_stdout).stderr(its_stderr);
        // Python keeps back what it prints into a pipe until it ends.
        command.env("PYTHONUNBUFFERED", "1");
        let kind = started(lane, &command);
        let time = self.now();
        let begun = self.tracer.start(actor, command)?;
        self.alive.push(true);
        self.pids.push(begun.pid);
        self.recorder.lock().tell(time, Place::Actor(actor), kind);
        Ok((actor, begun.stdin))
    }

    /// Whether one of the programs runs, from this one on.
    pub(crate) fn is_alive_from(&self, first: usize) -> bool {
        self.alive.iter().skip(first).any(|alive| *alive)
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

    fn take_all(&mut self) {
        while let Ok(news) = self.arrivals.try_recv() {
            self.take(news);
        }
    }

    /// Waits for news, but not longer than a look, and not when it is time to give
    /// something out.
    fn wait(&mut self, deadline: Instant) {
        let held_back = self.order.peek().map_or(AT_LEAST_EVERY, |event| {
            (event.time + WINDOW).saturating_sub(self.now())
        });
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = AT_LEAST_EVERY.min(held_back).min(left).max(NAP);
        match self.arrivals.recv_timeout(wait) {
            Ok(news) => {
                self.take(news);
                thread::sleep(NAP);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.recorder.lock().catch_up();
            }
        }
    }

    /// Gives out events that nothing older can precede any more: the tracer and
    /// the packet source say up to when they have told all. Only then is what they
    /// have told taken, so that nothing comes between.
    fn settle(&mut self) {
        let told = Duration::from_nanos(self.tracer.reported_until());
        let told = self.packets.told_until().min(told);
        let mut recorder = self.recorder.lock();
        let told = recorder.since_start(told);
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

    /// Gives out all that is known, while a call is held: time stands still for
    /// its program, so nothing older will come.
    pub(crate) fn settle_all(&mut self) {
        thread::sleep(WINDOW);
        self.give_all();
    }

    fn give_all(&mut self) {
        self.take_all();
        self.ready.extend(self.order.take_until(Duration::MAX));
    }

    /// Ends what still runs, and looks for what is still on its way.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.tracer.hold(false)?;
        for index in (0..self.alive.len()).filter(|index| self.alive[*index]) {
            self.tracer.kill(Actor(index))?;
        }
        let deadline = Instant::now() + ENDING;
        while self.is_alive_from(0) && Instant::now() < deadline {
            self.wait(deadline);
            self.take_all();
        }
        self.packets.end();
        self.take_all();
        self.recorder.lock().finish(self.order.late());
        self.give_all();
        Ok(())
    }
}

impl Cast for Seen {
    fn start(&mut self, lane: &str, program: &Program) -> io::Result<(Actor, Option<ChildStdin>)> {
        self.start_with(lane, program, Stdio::piped(), false)
    }

    fn look(&mut self, deadline: Instant) {
        self.wait(deadline);
        self.settle();
    }

    fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    fn peek(&self) -> Option<&Event> {
        self.ready.front().or_else(|| self.order.peek())
    }

    fn now(&self) -> Duration {
        clock::now().saturating_sub(self.start)
    }

    fn delay(&self) -> Duration {
        // One look more, so that the pipes are emptied once after the window.
        WINDOW + 2 * AT_LEAST_EVERY
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

    fn set(&mut self, host: Side, name: &str, value: &str) -> io::Result<bool> {
        let Some((wire, _)) = self.packets.wire() else {
            return Ok(false);
        };
        wire.host(host).set(name, value)?;
        Ok(true)
    }

    fn rules(&mut self, text: &str) -> Result<Vec<String>> {
        let rules = Rules::parse(text)?;
        let Some((_, cable)) = self.packets.wire() else {
            return Ok(Vec::new());
        };
        let settings = rules.settings();
        cable.change(move |now| *now = settings);
        let told = rules.iter().map(ToString::to_string).collect();
        cable.give_to(rules);
        Ok(told)
    }
}
