//! What each stop of a task means, and how the task goes on.

use kernel::signal::{SIGKILL, send};
use kernel::trace::{self, GoOn};
use timeline::call::Outcome;
use timeline::{Actor, Ending};

use super::engine::{Engine, Task, Unborn};
use super::handlers::Fate;
use super::{proc, table};
use crate::calls::Deed;

/// The stop at the end of a call, told apart from a SIGTRAP by this bit.
const CALL_STOP: i32 = libc::SIGTRAP | 0x80;

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

    pub(super) fn is_started(&self, tid: i32) -> bool {
        let task = self.tasks.get(&tid);
        let program = task.and_then(|task| self.programs.get(&task.actor));
        program.is_some_and(|program| program.started)
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
            self.tell(at, tid, Deed::Signal(signal));
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
                self.tell(at, child, Deed::NewTask { parent });
            }
            self.catch_up(at, child);
            if self.is_doomed(actor) {
                let _ = send(pid as u32, SIGKILL);
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
        let seen = info.is_ok_and(|(_, arch)| arch == table::MACHINE);
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
            Deed::Started { path, seen }
        } else {
            Deed::Exec { path, seen }
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
            self.tell(at, tid, Deed::Exiting(ending));
        }
        self.resume(tid, 0);
    }

    /// A task that dies in a call gets no result.
    fn finish_call(&mut self, at: u64, tid: i32) {
        let Some(task) = self.tasks.get_mut(&tid) else {
            return;
        };
        if let Some(left) = task.interrupted.take() {
            self.end_without_result(left.at, tid, left.call.id, Outcome::Died, left.signals);
        } else if let Some(call) = task.call.take() {
            self.held.remove(&call.id);
            self.end_without_result(at, tid, call.id, Outcome::Died, Vec::new());
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
        self.tell_of(at, actor, (pid, tid), Deed::TaskEnded(ending));
        let root = self.programs.get(&actor).map(|program| program.root);
        if root == Some(tid) {
            self.tell_of(at, actor, (pid, tid), Deed::ProgramEnded(ending));
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
                let _ = send(pid as u32, SIGKILL);
            }
        }
    }
}
