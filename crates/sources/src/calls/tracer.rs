//! The tracer on Linux.

mod arguments;
mod changes;
mod course;
mod engine;
mod filter;
mod handlers;
mod launch;
mod names;
mod orders;
mod outputs;
mod parse;
mod proc;
mod reader;
mod sockets;
mod stops;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::io;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use timeline::Actor;
use timeline::call::CallId;

use super::{Change, Started, TaskEvent, Tracing, change};
use changes::Changes;
use engine::Engine;
use orders::{Order, Orders};

/// Starts programs and reports their calls on sockets. A program that
/// still runs when it is dropped is killed, and so are all when this process is.
#[derive(Debug)]
pub struct Tracer {
    orders: Orders,
    hold: Arc<AtomicBool>,
    busy: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Tracer {
    /// Begins to observe. `report` is called in the tracer's thread, while the
    /// task that the event is about is stopped; all others wait meanwhile too. So
    /// it may look at the state of the kernel before the program goes on, but it
    /// must not wait for a thread that is in a function of this tracer.
    ///
    /// # Errors
    /// "Unsupported" where calls cannot be observed; "invalid input" for changes
    /// that make no sense; else when the system has no thread left.
    pub fn new(
        options: Tracing,
        report: impl FnMut(TaskEvent) + Send + 'static,
    ) -> io::Result<Self> {
        change::check(&options.changes)?;
        let hold = Arc::new(AtomicBool::new(options.hold));
        let (sender, requests) = mpsc::channel();
        let (tell_id, id) = mpsc::channel();
        let holds = Arc::clone(&hold);
        let busy = Arc::new(AtomicU64::new(engine::IDLE));
        let is_busy = Arc::clone(&busy);
        let work = move || {
            let _ = tell_id.send(kernel::process::thread_id());
            let engine = Engine {
                report: Box::new(report),
                requests,
                hold: holds,
                busy: is_busy,
                keep: options.keep,
                tasks: HashMap::new(),
                programs: HashMap::new(),
                starting: HashSet::new(),
                unborn: HashMap::new(),
                held: HashMap::new(),
                calls: 0,
                changes: Changes::new(options.changes),
                handlers: Default::default(),
                sockets: Default::default(),
                quitting: false,
            };
            engine.run();
        };
        let thread = thread::Builder::new().name("calls".into()).spawn(work)?;
        let thread_id = id.recv().map_err(io::Error::other)?;
        Ok(Self {
            orders: Orders {
                sender,
                thread: thread_id,
            },
            hold,
            busy,
            thread: Some(thread),
        })
    }

    /// Starts a program under observation, with all that the command says of its
    /// directory, environment, streams, and of what is done before exec. Each
    /// program needs an actor of its own. Its events may come before this returns.
    ///
    /// # Errors
    /// Those of [`Command::spawn`], and where the system forbids to observe.
    pub fn start(&self, actor: Actor, command: Command) -> io::Result<Started> {
        let mut child = launch::launch(&self.orders, actor, command)?;
        Ok(Started {
            pid: child.id(),
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
        })
    }

    /// Until when all is reported, in nanoseconds of CLOCK_REALTIME: no event that
    /// is still to come has an older stamp.
    pub fn reported_until(&self) -> u64 {
        let now = engine::now();
        match self.busy.load(Ordering::SeqCst) {
            engine::IDLE => now,
            at => at.min(now),
        }
    }

    /// From now on each call is held before it begins, or is not. When it is not,
    /// those that are held go on.
    ///
    /// # Errors
    /// When the tracer's thread has ended.
    pub fn hold(&self, hold: bool) -> io::Result<()> {
        self.hold.store(hold, Ordering::Relaxed);
        match hold {
            true => Ok(()),
            false => self.orders.give(Order::GoAll),
        }
    }

    /// From now on these changes are made, and none of those before; their counts
    /// begin anew. Calls that have begun end as they would have.
    ///
    /// # Errors
    /// "Invalid input" for changes that make no sense; else when the tracer's
    /// thread has ended.
    pub fn change(&self, changes: Vec<Change>) -> io::Result<()> {
        change::check(&changes)?;
        self.orders.give(Order::Change(changes))
    }

    /// Lets a held call go on. One that was killed meanwhile is no error.
    ///
    /// # Errors
    /// When the tracer's thread has ended.
    pub fn go(&self, call: CallId) -> io::Result<()> {
        self.orders.give(Order::Go(call))
    }

    /// Sends a signal to the first process of a program. One that has ended is
    /// no error.
    ///
    /// # Errors
    /// Those of kill(2), and "not found" for an actor that was never started.
    pub fn signal(&self, actor: Actor, signal: i32) -> io::Result<()> {
        self.orders.give(Order::Signal(actor, signal))
    }

    /// Ends a program and all that it has started: SIGKILL.
    ///
    /// # Errors
    /// When the tracer's thread has ended.
    pub fn kill(&self, actor: Actor) -> io::Result<()> {
        self.orders.give(Order::Kill(actor))
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // Both fail only when the thread has panicked; then the kernel has killed
        // the programs.
        let _ = self.orders.give(Order::Quit);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
