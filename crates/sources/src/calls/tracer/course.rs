//! The course of a call: how it begins, is interrupted, and ends.

use std::sync::atomic::Ordering;

use kernel::trace::{self, At};
use timeline::call::{CallId, End, Outcome, Start, Text};

use super::changes;
use super::engine::{Engine, Interrupted, Running};
use super::handlers::Fate;
use super::names;
use super::outputs::made;
use super::proc::TaskMemory;
use super::reader::Decoder;
use super::table::{self, Row, When};
use crate::calls::Deed;

const EINTR: i64 = 4;

/// The descriptors into which a program prints.
const OUTPUTS: [u64; 2] = [1, 2];

impl Engine {
    /// The filter has stopped a task at the beginning of a call.
    pub(super) fn entry(&mut self, at: u64, tid: i32) {
        if self.is_started(tid) {
            self.settle(tid, Fate::StartsAgain);
            if let Ok((At::Entry { number, args }, _)) = trace::call_info(tid)
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
        let (pid, actor) = (self.tasks[&tid].pid, self.tasks[&tid].actor);
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
        let Some(socket) = self.sockets.concern((pid, tid), row, &args, &decoder) else {
            if row.name.starts_with("write") && OUTPUTS.contains(&args[0]) {
                self.tell(at, tid, Deed::Prints);
            }
            return false;
        };
        let (arguments, room) = decoder.arguments(row, &args);
        self.calls += 1;
        let id = CallId(self.calls);
        let resumes = again.as_ref().map(|left| left.id);
        let call = changes::Call {
            tid,
            pid,
            actor,
            row,
            args: &args,
            is_watched: socket
                .as_ref()
                .is_some_and(|socket| self.sockets.is_watched(socket)),
            socket: socket.as_ref(),
        };
        // For the program it is one call, however often it begins.
        let plan = match &mut again {
            Some(left) => std::mem::take(&mut left.plan),
            None => self.changes.plan(&call, &decoder),
        };
        let (changed, undo) = call.carry_out(&plan, &decoder).unzip();
        let undo = undo.unwrap_or_default();
        let running = match again {
            // The kernel writes where the interrupted call wanted it.
            Some(left) if is_restart => Running {
                id,
                plan,
                undo,
                ..left
            },
            _ => Running {
                id,
                row,
                args,
                room,
                plan,
                undo,
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
            socket,
            resumes,
            changed,
        };
        self.tell(at, tid, Deed::Call(start));
        let hold = self.hold.load(Ordering::Relaxed);
        if hold {
            self.held.insert(id, tid);
            self.tell(at, tid, Deed::Held(id));
        }
        hold
    }

    /// The call of a task has ended.
    pub(super) fn exit(&mut self, at: u64, tid: i32) {
        let Ok((At::Exit { result }, _)) = trace::call_info(tid) else {
            return self.resume(tid, 0);
        };
        let task = self.tasks.get_mut(&tid).expect("its exit was reported");
        let Some(call) = task.call.take() else {
            return self.resume(tid, 0);
        };
        let result = call.undo.carry_out(tid, result);
        self.changes.ended(&call.plan, &call.undo, result);
        if names::RESTART.iter().any(|&(note, _)| note == -result) {
            // The signal decides what the program will see.
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
        self.tell(at, tid, Deed::Return(end));
    }

    /// Reports the end of a call that has no result, and then the signals that were
    /// delivered since.
    pub(super) fn end_without_result(
        &mut self,
        at: u64,
        tid: i32,
        id: CallId,
        outcome: Outcome,
        signals: Vec<(u64, i32)>,
    ) {
        let end = End {
            id,
            outcome,
            outputs: Vec::new(),
            sockets: Vec::new(),
        };
        self.tell(at, tid, Deed::Return(end));
        for (at, signal) in signals {
            self.tell(at, tid, Deed::Signal(signal));
        }
    }

    /// It is known now what becomes of the interrupted call, if there is one.
    pub(super) fn settle(&mut self, tid: i32, fate: Fate) {
        if let Some(task) = self.tasks.get_mut(&tid)
            && let Some(left) = task.interrupted.take()
        {
            let id = left.call.id;
            let outcome = match fate {
                Fate::Fails => Outcome::Failed(names::errno(EINTR)),
                Fate::StartsAgain => {
                    task.again = Some(left.call);
                    Outcome::Interrupted(names::errno(left.note))
                }
            };
            self.end_without_result(left.at, tid, id, outcome, left.signals);
        }
    }
}
