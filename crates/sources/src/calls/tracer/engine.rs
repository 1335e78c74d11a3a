//! The tracer's thread: it waits for stops, and does what it is asked.
//!
//! ptrace(2) binds a traced task to one *thread*. So this thread alone waits for
//! the programs, decides, and lets them go on. `stops.rs` says what
//! a stop means.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use kernel::signal::{SIGKILL, send};
use kernel::trace::{self, GoOn};
use timeline::call::CallId;
use timeline::{Actor, Ending};

use super::changes::{Changes, Plan, Undo};
use super::handlers::Handlers;
use super::orders::{Order, Request};
use super::sockets::Sockets;
use super::table::Row;
use crate::calls::{Deed, TaskEvent};

/// How long to wait for an order before the programs are looked at again.
const SHORTLY: Duration = Duration::from_millis(1);

/// All that the thread knows.
pub(super) struct Engine {
    pub(super) report: Box<dyn FnMut(TaskEvent) + Send>,
    pub(super) requests: Receiver<Request>,
    /// The stamp of the stop that is being reported, or [`IDLE`].
    pub(super) busy: Arc<AtomicU64>,
    /// Whether calls are held before they begin.
    pub(super) hold: Arc<AtomicBool>,
    /// How many bytes of data are kept.
    pub(super) keep: usize,
    pub(super) tasks: HashMap<i32, Task>,
    pub(super) programs: HashMap<Actor, Program>,
    /// Processes between fork and exec; another thread is in Command::spawn.
    pub(super) starting: HashSet<i32>,
    /// New tasks that were seen before their parent's report of them.
    pub(super) unborn: HashMap<i32, Unborn>,
    /// The task of each held call.
    pub(super) held: HashMap<CallId, i32>,
    pub(super) calls: u64,
    pub(super) changes: Changes,
    pub(super) handlers: Handlers,
    pub(super) sockets: Sockets,
    pub(super) quitting: bool,
}

/// A thread of a program.
pub(super) struct Task {
    /// Its process.
    pub(super) pid: i32,
    pub(super) actor: Actor,
    /// The observed call in which it is.
    pub(super) call: Option<Running>,
    /// The call from which a signal has called it away, as long as it is not
    /// known what becomes of the call.
    pub(super) interrupted: Option<Interrupted>,
    /// The interrupted call that it will begin again.
    pub(super) again: Option<Running>,
}

/// A call that has begun.
pub(super) struct Running {
    pub(super) id: CallId,
    pub(super) row: &'static Row,
    pub(super) args: [u64; 6],
    /// The room for an address or an option, as the program gave it.
    pub(super) room: u64,
    /// What was planned to change in it, also when it begins again.
    pub(super) plan: Plan,
    /// What is to be put right when it has ended.
    pub(super) undo: Undo,
}

pub(super) struct Interrupted {
    pub(super) at: u64,
    pub(super) call: Running,
    /// The kernel's note: how the call may go on.
    pub(super) note: i64,
    /// The signals that were delivered since, and when: they are told after it.
    pub(super) signals: Vec<(u64, i32)>,
}

pub(super) struct Program {
    /// Its first process.
    pub(super) root: i32,
    /// Whether exec has succeeded.
    pub(super) started: bool,
    /// Whether all that it starts is to end.
    pub(super) killed: bool,
}

pub(super) enum Unborn {
    Stopped,
    Ended(Ending),
}

impl Task {
    pub(super) fn new(pid: i32, actor: Actor) -> Self {
        Self {
            pid,
            actor,
            call: None,
            interrupted: None,
            again: None,
        }
    }
}

/// CLOCK_REALTIME in nanoseconds, the clock that stamps packets too.
pub(super) fn now() -> u64 {
    kernel::clock::now().as_nanos() as u64
}

/// No stop is being reported.
pub(super) const IDLE: u64 = u64::MAX;

impl Engine {
    /// Works until it is told to quit and all programs have ended.
    pub(super) fn run(mut self) {
        trace::can_be_woken();
        loop {
            if self.tasks.is_empty() {
                if self.quitting || !self.wait_for_order() {
                    return;
                }
                continue;
            }
            while let Ok(request) = self.requests.try_recv() {
                self.answer(request);
            }
            match self.next_stop() {
                Ok(Some((tid, status))) => {
                    // In this order: whoever looks meanwhile must not believe that
                    // all older stops are reported.
                    self.busy.store(0, Ordering::SeqCst);
                    let at = now();
                    self.busy.store(at, Ordering::SeqCst);
                    self.reported(at, tid, status);
                    self.busy.store(IDLE, Ordering::SeqCst);
                }
                Ok(None) => {}
                // Command::spawn has waited for a child that could not exec.
                Err(_) if !self.starting.is_empty() => {
                    self.wait_for_order();
                }
                Err(_) => self.lose_all(),
            }
        }
    }

    /// False when nobody can give orders any more.
    fn wait_for_order(&mut self) -> bool {
        self.requests
            .recv()
            .map(|request| self.answer(request))
            .is_ok()
    }

    fn answer(&mut self, (order, reply): Request) {
        // One who waits no longer needs no answer.
        let _ = reply.send(self.obey(order));
    }

    fn next_stop(&mut self) -> io::Result<Option<(i32, i32)>> {
        if self.starting.is_empty() {
            return trace::wait_for(None);
        }
        // A child that cannot exec ends, and Command::spawn waits for it: its end
        // must not be taken away here.
        let Some((tid, ended)) = trace::peek()? else {
            return Ok(None);
        };
        if !(ended && self.starting.contains(&tid)) {
            return trace::wait_for(Some(tid)).or(Ok(None));
        }
        // It will show again and again until Command::spawn has returned; and that
        // may depend on other children, which have inherited its pipe.
        if let Ok(Some(stopped)) = trace::peek_at_stops() {
            return trace::wait_for(Some(stopped)).or(Ok(None));
        }
        if let Ok(request) = self.requests.recv_timeout(SHORTLY) {
            self.answer(request);
        }
        Ok(None)
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Attach(pid, actor) => {
                trace::seize(pid)?;
                self.tasks.insert(pid, Task::new(pid, actor));
                self.starting.insert(pid);
                let program = Program {
                    root: pid,
                    started: false,
                    killed: false,
                };
                self.programs.insert(actor, program);
            }
            Order::Launched(pid) => {
                self.starting.remove(&pid);
            }
            Order::Failed(pid) => {
                self.starting.remove(&pid);
                if let Some(task) = self.tasks.remove(&pid) {
                    self.programs.remove(&task.actor);
                }
            }
            Order::Change(changes) => self.changes = Changes::new(changes),
            Order::Go(call) => self.go(call),
            Order::GoAll => {
                let mut calls: Vec<CallId> = self.held.keys().copied().collect();
                calls.sort_unstable();
                for call in calls {
                    self.go(call);
                }
            }
            Order::Signal(actor, signal) => return self.signal_program(actor, signal),
            Order::Kill(actor) => {
                if let Some(program) = self.programs.get_mut(&actor) {
                    program.killed = true;
                }
                self.kill_processes(|task| task.actor == actor);
            }
            Order::Quit => {
                self.quitting = true;
                self.kill_processes(|_| true);
            }
        }
        Ok(())
    }

    fn go(&mut self, call: CallId) {
        let Some(tid) = self.held.remove(&call) else {
            return; // It was killed while it was held.
        };
        self.resume(tid, 0);
    }

    fn signal_program(&self, actor: Actor, signal: i32) -> io::Result<()> {
        let program = self.programs.get(&actor);
        let Some(root) = program.map(|program| program.root) else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such program"));
        };
        // Nobody but this thread takes its end, so the number is still its own.
        match self.tasks.contains_key(&root) {
            true => send(root as u32, signal),
            false => Ok(()),
        }
    }

    fn kill_processes(&self, which: impl Fn(&Task) -> bool) {
        let chosen = self.tasks.values().filter(|task| which(task));
        let pids: HashSet<i32> = chosen.map(|task| task.pid).collect();
        for pid in pids {
            // It fails only for one that is gone already.
            let _ = send(pid as u32, SIGKILL);
        }
    }

    /// Whether a task of this program is to end as soon as it is seen.
    pub(super) fn is_doomed(&self, actor: Actor) -> bool {
        let program = self.programs.get(&actor);
        self.quitting || program.is_some_and(|program| program.killed)
    }

    /// Lets a stopped task go on: to the end of its call, if it is in one.
    pub(super) fn resume(&self, tid: i32, signal: i32) {
        let in_call = self.tasks.get(&tid).is_some_and(|task| task.call.is_some());
        let how = match in_call {
            true => GoOn::ToTheEndOfTheCall,
            false => GoOn::Freely,
        };
        // It fails only for a task that was killed, whose end will be reported.
        let _ = trace::go_on(tid, how, signal);
    }

    /// Reports something that a task did.
    pub(super) fn tell(&mut self, at: u64, tid: i32, what: Deed) {
        if let Some(task) = self.tasks.get(&tid) {
            let (actor, pid) = (task.actor, task.pid);
            self.tell_of(at, actor, (pid, tid), what);
        }
    }

    pub(super) fn tell_of(&mut self, at: u64, actor: Actor, (pid, tid): (i32, i32), what: Deed) {
        (self.report)(TaskEvent {
            at,
            actor,
            pid: pid as u32,
            tid: tid as u32,
            what,
        });
    }

    /// The kernel says that there is nobody to wait for: somebody else in this
    /// process has waited for them.
    fn lose_all(&mut self) {
        let lost: Vec<i32> = self.tasks.keys().copied().collect();
        for tid in lost {
            self.ended(now(), tid, Ending::Status(-1));
        }
    }
}
