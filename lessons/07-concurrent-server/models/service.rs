//! What all models share: the answer, the list of running calls, and the stop.
//!
//! Nothing here knows how the calls are served at the same time.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};
use clap::ValueEnum;

use crate::{complain, say};

mod call;

pub use call::Call;

/// The pause after a failed accept. The reason mostly lasts, and the caller is
/// still in the queue: without a pause the loop would turn at full speed.
pub const PAUSE: Duration = Duration::from_millis(100);

/// What is sent back for what was received.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reply {
    /// ASCII letters in upper case, all other bytes as they came
    Upper,
    /// The bytes as they came
    Echo,
}

/// What the command line says about the service.
pub struct Settings {
    /// What is sent back.
    pub reply: Reply,
    /// A message with these bytes in it makes the handler panic.
    pub panic_on: Option<Vec<u8>>,
    /// Nothing is said about single calls.
    pub quiet: bool,
    /// How many calls may run at once.
    pub max_clients: usize,
    /// How many threads a pool has.
    pub workers: usize,
    /// The size of a receive buffer in bytes. It bounds the memory that a caller
    /// can cost.
    pub room: usize,
    /// How long running calls may go on after Ctrl-C.
    pub grace: Duration,
}

/// One for the whole program, shared by all threads and tasks.
pub struct Service {
    /// What the command line says.
    pub settings: Settings,
    bytes: AtomicU64,
    /// Those that received or sent datagrams.
    system_calls: AtomicU64,
    accept_fails: AtomicBool,
    asked_to_stop: AtomicBool,
    /// Like `stop_by` below, for whoever asks often: it needs no lock.
    stopping: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    accepted: u64,
    /// The running calls by number, with the connection where a thread waits
    /// in it and another thread has to be able to end that wait.
    running: HashMap<u64, Option<Arc<TcpStream>>>,
    full: bool,
    /// Ctrl-C was pressed, and running calls have until then.
    stop_by: Option<Instant>,
    closed: bool,
    too_late: bool,
    turned_away: u64,
    broken: u64,
    panicked: u64,
    cut_off: u64,
}

impl Service {
    /// A service without a call.
    pub fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            bytes: AtomicU64::new(0),
            system_calls: AtomicU64::new(0),
            accept_fails: AtomicBool::new(false),
            asked_to_stop: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// Turns what was received into the answer, in place: no memory is asked
    /// for, however many messages come.
    pub fn answer(&self, message: &mut [u8]) {
        if let Some(text) = &self.settings.panic_on {
            let found = message.windows(text.len()).any(|part| part == text);
            assert!(!found, "the message contains the text of --panic-on");
        }
        if self.settings.reply == Reply::Upper {
            message.make_ascii_uppercase();
        }
        let length = message.len() as u64;
        self.bytes.fetch_add(length, Ordering::Relaxed);
    }

    /// A datagram is over as soon as it has been handled.
    pub fn count_datagram(&self, panicked: bool) {
        let mut state = self.state();
        state.accepted += 1;
        state.panicked += u64::from(panicked);
    }

    /// With datagrams, few system calls for many messages are the point.
    pub fn count_system_calls(&self, calls: u64) {
        self.system_calls.fetch_add(calls, Ordering::Relaxed);
    }

    /// Says what happens, unless the crowd is too large for that.
    pub fn say<T: Display>(&self, line: impl FnOnce() -> T) {
        if !self.settings.quiet {
            say(line());
        }
    }

    /// Says that accept failed; once, until it succeeds again.
    pub fn accept_failed(&self, error: Error) {
        if !self.accept_fails.swap(true, Ordering::Relaxed) {
            complain(error);
        }
    }

    /// Enters a new call into the list.
    pub fn open(self: &Arc<Self>, peer: SocketAddr) -> Call {
        self.accept_fails.store(false, Ordering::Relaxed);
        let mut state = self.state();
        state.accepted += 1;
        state.full = false;
        let number = state.accepted;
        state.running.insert(number, None);
        drop(state);
        let service = self.clone();
        Call::new(number, service, peer)
    }

    /// Waits until fewer than `places` calls are running. Until then nobody is
    /// accepted: the callers wait in the kernel's queue. False means stop.
    pub fn wait_for_place(&self, places: usize) -> bool {
        let mut state = self.state();
        while state.running.len() >= places && state.stop_by.is_none() {
            if !state.full {
                drop(state);
                self.full(places);
                state = self.state();
                continue;
            }
            state = self.wait(state);
        }
        state.stop_by.is_none()
    }

    /// Says that all places are taken; once, until a call is accepted again.
    pub fn full(&self, places: usize) {
        let said = std::mem::replace(&mut self.state().full, true);
        if !said {
            self.say(|| format!("{} running: no accept", count(places, "call")));
        }
    }

    /// The listener is closed: no call can be added any more.
    pub fn closed_the_listener(&self) {
        say("closed the listener");
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Waits until every call has ended.
    pub fn wait_until_all_ended(&self) {
        let mut state = self.state();
        while !state.running.is_empty() {
            state = self.wait(state);
        }
    }

    /// Asks for the stop. False if it has been asked for before.
    pub fn stop(&self) -> bool {
        // The second time no lock is taken: it ends the program in any case.
        let first = !self.asked_to_stop.swap(true, Ordering::SeqCst);
        if first {
            let _state = self.state();
            self.changed.notify_all();
        }
        first
    }

    /// Does `action` as soon as the stop is asked for. Each model needs another
    /// one, because each waits in another call of the system.
    pub fn when_stopped(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) + Send + 'static,
    ) -> Result<()> {
        let service = self.clone();
        let wait = move || {
            service.begin_to_stop();
            action(&service);
        };
        let thread = thread::Builder::new().name("stop".into());
        thread.spawn(wait).context("thread that waits for Ctrl-C")?;
        Ok(())
    }

    fn begin_to_stop(&self) {
        let mut state = self.state();
        while !self.asked_to_stop.load(Ordering::SeqCst) {
            state = self.wait(state);
        }
        let grace = self.settings.grace;
        state.stop_by = Some(Instant::now() + grace);
        self.stopping.store(true, Ordering::SeqCst);
        self.changed.notify_all();
        // The lock is held while this is said, so it is said before anything
        // that follows from it.
        let calls = count(state.running.len(), "running call");
        match state.running.len() {
            0 => say("asked to stop"),
            _ => say(format!(
                "asked to stop: {calls}, {} s left",
                grace.as_secs_f64()
            )),
        }
    }

    /// Whether the stop has begun.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// How long running calls may still go on.
    pub fn time_left(&self) -> Duration {
        if !self.stopping() {
            return Duration::MAX;
        }
        match self.state().stop_by {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::MAX,
        }
    }

    /// Waits until all calls have ended or the time is over. Then it shuts the
    /// late connections down: a thread that waits in read or write wakes up.
    pub fn cut_off_late_calls(&self) {
        let mut state = self.state();
        while !(state.closed && state.running.is_empty()) {
            let left = state.stop_by.map_or(Duration::ZERO, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                state.too_late = true;
                for connection in state.running.values().flatten() {
                    // It fails if the peer was faster. Then there is nothing to do.
                    let _ = connection.shutdown(Shutdown::Both);
                }
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What the server did, for its last line.
    pub fn summary(&self, noun: &str) -> String {
        let state = self.state();
        let bytes = self.bytes.load(Ordering::Relaxed);
        let mut line = format!("stopped: {}, ", count(state.accepted, noun));
        line += &count(bytes, "byte");
        for (number, what) in [
            (state.turned_away, "turned away"),
            (state.broken, "broken"),
            (state.panicked, "panicked"),
            (state.cut_off, "cut off"),
        ] {
            if number > 0 {
                line += &format!(", {number} {what}");
            }
        }
        line
    }

    /// How many system calls received and sent the datagrams.
    pub fn system_calls(&self) -> String {
        let calls = self.system_calls.load(Ordering::Relaxed);
        format!("used {}", count(calls, "system call"))
    }

    /// A panic elsewhere says nothing about this list: it stays usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let woken = self.changed.wait(state);
        woken.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number with its noun: 1 call, 2 calls.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
