//! What each stop of a task means, and how the task goes on.

use std::sync::atomic::Ordering;

use timeline::call::{CallId, End, Outcome, Start, Text};
use timeline::{Actor, Ending};

use crate::os::trace::{self, At, GoOn};

use super::engine::{Engine, Interrupted, Running, Task, Unborn};
use super::handlers::Fate;
use super::outputs::made;
use super::proc::TaskMemory;
use super::reader::Decoder;
use super::table::{self, Row, When};
use super::{names, proc};
use crate::calls::What;

/// The stop at the end of a call, told apart from a SIGTRAP by this bit.
const CALL_STOP: i32 = libc::SIGTRAP | 0x80;

const EINTR: i64 = 4;

/// The descriptors into which a program prints.
const OUTPUTS: [u64; 2] = [1, 2];

impl Engine {
    /// Takes a report of waitpid(2).
    pub(super) fn reported(&mut self, at: u64, tid: i32, status: i32) {
        let known = self.tasks.contains_key(&tid);
        let Some(signal) = trace::stop_signal(status) else {
            let ending = trace::ending(status);
            if known {
                self.ended(at, tid, ending);
            } else {
                self.unborn.insert(tid, Unborn::Ended(ending));
            }
            return;
        };
        if !known {
            // A new task, earlier than its parent's report: it waits for that.
            self.unborn.insert(tid, Unborn::Stopped);
            return;
        }
        match status >> 16 {
            libc::PTRACE_EVENT_SECCOMP => self.entry(at, tid),
            libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                self.birth(at, tid, status >> 16);
            }
            libc::PTRACE_EVENT_EXEC => self.exec(at, tid),
            libc::PTRACE_EVENT_EXIT => self.exiting(at, tid),
            trace::EVENT_STOP => self.job_control(tid, signal),
            0 if signal == CALL_STOP => self.exit(at, tid),
            0 => self.signal(at, tid, signal),
            _ => self.resume(tid, 0),
        }
    }

    fn is_started(&self, tid: i32) -> bool {
        let task = self.tasks.get(&tid);
        let program = task.and_then(|task| self.programs.get(&task.actor));
        program.is_some_and(|program| program.started)
    }

    /// The filter has stopped a task at the beginning of a call.
    fn entry(&mut self, at: u64, tid: i32) {
        if self.is_started(tid) {
            self.settle(tid, Fate::StartsAgain);
            if let Ok(info) = trace::call_info(tid)
                && let At::Entry { number, args } = info.at
                && let Some(row) = table::find(number)
                && self.begin(at, tid, row, args)
            {
                return;
            }
        }
        self.resume(tid, 0);
    }

    /// Reports the begin of a call, if it concerns sockets. Whether it is held.
    fn begin(&mut self, at: u64, tid: i32, row: &'static Row, args: [u64; 6]) -> bool {
        let pid = self.tasks[&tid].pid;
        let memory = TaskMemory(tid);
        let decoder = Decoder {
            memory: &memory,
            keep: self.keep,
        };
        if row.when == When::Handler {
            if let Some((signal, handler, flags)) = decoder.handler(&args) {
                self.handlers.set(pid, signal, handler, flags);
            }
            return false;
        }
        let is_restart = row.when == When::Restart;
        let mut again = self.tasks.get_mut(&tid).and_then(|task| {
            let same = |left: &mut Running| is_restart || left.row.number == row.number;
            task.again.take_if(same)
        });
        if is_restart && again.is_none() {
            return false;
        }
        let Some(concern) = self.sockets.concern((pid, tid), row, &args, &decoder) else {
            if row.name.starts_with("write") && OUTPUTS.contains(&args[0]) {
                self.tell(at, tid, What::Prints);
            }
            return false;
        };
        let (arguments, room) = decoder.arguments(row, &args);
        self.calls += 1;
        let id = CallId(self.calls);
        let resumes = again.as_ref().map(|left| left.id);
        let running = match again.take() {
            // What it writes is where the interrupted call wanted it.
            Some(left) if is_restart => Running { id, ..left },
            _ => Running {
                id,
                row,
                args,
                room,
            },
        };
        let task = self.tasks.get_mut(&tid).expect("its entry was reported");
        task.call = Some(running);
        let start = Start {
            id,
            pid: pid as u32,
            tid: tid as u32,
            name: Text::Borrowed(row.name),
            args: arguments,
            socket: concern.socket,
            resumes,
        };
        self.tell(at, tid, What::CallStart(start));
        let hold = self.hold.load(Ordering::Relaxed);
        if hold {
            self.held.insert(id, tid);
            self.tell(at, tid, What::Held(id));
        }
        hold
    }

    /// The call of a task has ended.
    fn exit(&mut self, at: u64, tid: i32) {
        let info = trace::call_info(tid);
        let Ok(At::Exit { result }) = info.map(|info| info.at) else {
            return self.resume(tid, 0);
        };
        let task = self.tasks.get_mut(&tid).expect("its exit was reported");
        let Some(call) = task.call.take() else {
            return self.resume(tid, 0);
        };
        if names::RESTART.iter().any(|&(note, _)| note == -result) {
            // What the program will see is known with the signal.
            task.interrupted = Some(Interrupted {
                at,
                call,
                note: -result,
                signals: Vec::new(),
            });
        } else {
            self.end_call(at, tid, &call, result);
        }
        self.resume(tid, 0);
    }

    fn end_call(&mut self, at: u64, tid: i32, call: &Running, result: i64) {
        let memory = TaskMemory(tid);
        let decoder = Decoder {
            memory: &memory,
            keep: self.keep,
        };
        let outputs = decoder.outputs(call.row, &call.args, call.room, result);
        let numbers = made(call.row, &call.args, result, &outputs);
        let sockets = numbers.into_iter().filter_map(|number| {
            let socket = self.sockets.of(tid, number)?;
            Some((number, socket))
        });
        let end = End {
            id: call.id,
            outcome: match result {
                -4095..=-1 => Outcome::Failed(names::errno(-result)),
                _ => Outcome::Returned(result),
            },
            sockets: sockets.collect(),
            outputs,
        };
        self.tell(at, tid, What::CallEnd(end));
    }

    /// Reports the end of a call that has no result.
    fn end_without_result(&mut self, at: u64, tid: i32, id: CallId, outcome: Outcome) {
        let end = End {
            id,
            outcome,
            outputs: Vec::new(),
            sockets: Vec::new(),
        };
        self.tell(at, tid, What::CallEnd(end));
    }

    /// It is known now what becomes of the interrupted call, if there is one.
    fn settle(&mut self, tid: i32, fate: Fate) {
        let task = self.tasks.get_mut(&tid);
        let Some((task, left)) = task.and_then(|task| {
            let left = task.interrupted.take()?;
            Some((task, left))
        }) else {
            return;
        };
        let id = left.call.id;
        let outcome = match fate {
            Fate::Fails => Outcome::Failed(names::errno(EINTR)),
            Fate::StartsAgain => {
                task.again = Some(left.call);
                Outcome::Interrupted(names::errno(left.note))
            }
        };
        self.end_interrupted(left.at, tid, id, outcome, left.signals);
    }

    fn end_interrupted(
        &mut self,
        at: u64,
        tid: i32,
        id: CallId,
        outcome: Outcome,
        signals: Vec<(u64, i32)>,
    ) {
        self.end_without_result(at, tid, id, outcome);
        for (at, signal) in signals {
            self.tell(at, tid, What::Signal(signal));
        }
    }

    /// A signal is about to be delivered.
    fn signal(&mut self, at: u64, tid: i32, signal: i32) {
        let task = &self.tasks[&tid];
        let note = task.interrupted.as_ref().map(|left| left.note);
        if let Some(fate) = self.handlers.deliver(task.pid, signal, note) {
            self.settle(tid, fate);
        }
        let task = self.tasks.get_mut(&tid);
        if let Some(left) = task.and_then(|task| task.interrupted.as_mut()) {
            left.signals.push((at, signal));
        } else if self.is_started(tid) {
            self.tell(at, tid, What::Signal(signal));
        }
        self.resume(tid, signal);
    }

    /// The first stop of a new task; a signal that stops the process; SIGCONT.
    fn job_control(&mut self, tid: i32, signal: i32) {
        self.settle(tid, Fate::StartsAgain);
        let stops = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
        if stops.contains(&signal) {
            let _ = trace::go_on(tid, GoOn::Stopped, 0);
        } else {
            self.resume(tid, 0);
        }
    }

    /// A task has made a new one: a process or a thread.
    fn birth(&mut self, at: u64, tid: i32, event: i32) {
        if let Ok(child) = trace::event_message(tid) {
            let child = child as i32;
            let parent = &self.tasks[&tid];
            let pid = match event {
                libc::PTRACE_EVENT_CLONE => proc::family(child).map_or(parent.pid, |(pid, _)| pid),
                _ => child,
            };
            let actor = parent.actor;
            if pid != parent.pid {
                self.handlers.inherit(parent.pid, pid);
            }
            let task = self
                .tasks
                .entry(child)
                .or_insert_with(|| Task::new(pid, actor));
            (task.pid, task.actor) = (pid, actor);
            if self.is_started(tid) {
                let parent = tid as u32;
                self.tell(at, child, What::NewTask { parent });
            }
            self.catch_up(at, child);
            if self.is_doomed(actor) {
                let _ = trace::kill(pid, libc::SIGKILL);
            }
        }
        self.resume(tid, 0);
    }

    /// A new task is known now; what was seen of it before is done now.
    fn catch_up(&mut self, at: u64, tid: i32) {
        match self.unborn.remove(&tid) {
            Some(Unborn::Stopped) => self.resume(tid, 0),
            Some(Unborn::Ended(ending)) => self.ended(at, tid, ending),
            None => {}
        }
    }

    /// A process runs another program from here on.
    fn exec(&mut self, at: u64, tid: i32) {
        let former = trace::event_message(tid).map_or(tid, |former| former as i32);
        if former != tid
            && let Some(task) = self.tasks.remove(&former)
        {
            // All other threads are gone, and the one that called exec is the
            // first thread now. The first one before it never reports its end.
            self.finish_call(at, tid);
            self.tasks.insert(tid, task);
            self.sockets.forget(former);
            self.sockets.forget(tid);
        }
        let info = trace::call_info(tid);
        let seen = info.is_ok_and(|info| info.arch == table::MACHINE);
        let path = proc::executable(tid);
        let task = &self.tasks[&tid];
        let (pid, actor) = (task.pid, task.actor);
        self.starting.remove(&pid);
        self.handlers.forget(pid);
        let program = self.programs.get_mut(&actor);
        let first = program.is_some_and(|program| !std::mem::replace(&mut program.started, true));
        let what = if first {
            // It fails only for a task that was killed.
            let _ = trace::report_exit(tid);
            What::Started { path, seen }
        } else {
            What::Exec { path, seen }
        };
        self.tell(at, tid, what);
        self.resume(tid, 0);
    }

    /// A task is on its way out; its descriptors are still open.
    fn exiting(&mut self, at: u64, tid: i32) {
        self.finish_call(at, tid);
        if self.is_started(tid)
            && let Ok(status) = trace::event_message(tid)
        {
            let ending = trace::ending(status as i32);
            self.tell(at, tid, What::Exiting(ending));
        }
        self.resume(tid, 0);
    }

    /// A task that dies in a call gets no result.
    fn finish_call(&mut self, at: u64, tid: i32) {
        let Some(task) = self.tasks.get_mut(&tid) else {
            return;
        };
        if let Some(left) = task.interrupted.take() {
            self.end_interrupted(left.at, tid, left.call.id, Outcome::Died, left.signals);
        } else if let Some(call) = task.call.take() {
            self.held.remove(&call.id);
            self.end_without_result(at, tid, call.id, Outcome::Died);
        }
    }

    /// A task has ended.
    pub(super) fn ended(&mut self, at: u64, tid: i32, ending: Ending) {
        self.finish_call(at, tid);
        let Some(task) = self.tasks.remove(&tid) else {
            return;
        };
        let (actor, pid) = (task.actor, task.pid);
        self.sockets.forget(tid);
        if tid == pid {
            self.handlers.forget(pid);
        }
        self.tell_of(at, actor, (pid, tid), What::TaskEnded(ending));
        let root = self.programs.get(&actor).map(|program| program.root);
        if root == Some(tid) {
            self.tell_of(at, actor, (pid, tid), What::ProgramEnded(ending));
        }
        self.adopt_orphans(at, actor);
    }

    /// A parent that was killed in fork never tells of its child.
    fn adopt_orphans(&mut self, at: u64, actor: Actor) {
        let unborn: Vec<i32> = self.unborn.keys().copied().collect();
        for tid in unborn {
            let family = proc::family(tid);
            let awaited =
                |(pid, parent)| self.tasks.contains_key(&pid) || self.tasks.contains_key(&parent);
            if family.is_some_and(awaited) {
                continue;
            }
            let pid = family.map_or(tid, |(pid, _)| pid);
            self.tasks.insert(tid, Task::new(pid, actor));
            self.catch_up(at, tid);
            if self.is_doomed(actor) {
                let _ = trace::kill(pid, libc::SIGKILL);
            }
        }
    }
}
