//! The socket calls of programs: in any language, with threads and children.
//!
//! A [`Tracer`] starts programs and reports what they do with sockets: each call
//! when it begins, with its arguments, and when it ends, with its result. The
//! program is not changed and need not know. On Linux this is ptrace(2) with a
//! filter of seccomp(2), so that a program stops at these calls alone.
//!
//! What it cannot see: calls that a program hands to the kernel through a ring
//! (`io_uring_enter` is shown, not what is in the ring), and those of programs
//! for another machine, such as 32-bit ones.
//!
//! With [`Tracing::changes`] it does more than look on: it has calls send and
//! receive fewer bytes than the program asked for, or fail (`change.rs`).
//!
//! What it changes anyway: a program cannot be observed twice (gdb, strace). Without
//! privileges, sudo and ping cannot gain theirs. A signal that the program
//! ignores interrupts a few waiting calls, such as `epoll_wait`, as one with a
//! handler would; strace has the same effect.
//!
//! No other part of the process may wait for "any child", which is waitpid(2)
//! with -1: it would take away what is meant for the tracer. `Command` and
//! `Child` of std do not.
//!
//! Read it in this order: this file, `change.rs`, then `tracer.rs`, and in its
//! folder `launch.rs`, `engine.rs`, `stops.rs`, `course.rs`, `table.rs`.

use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver};

use timeline::call::{CallId, End, Start};
use timeline::{Actor, Ending};

mod change;

#[cfg(all(
    target_os = "linux",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod tracer;

#[cfg(not(all(
    target_os = "linux",
    target_endian = "little",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
#[path = "calls/elsewhere.rs"]
mod tracer;

pub use change::{Calls, Change, Counted, How, Which, errno};
pub use tracer::Tracer;

/// How to observe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracing {
    /// How many bytes of what a call sends or receives are kept.
    pub keep: usize,
    /// Whether each call is held before it begins, until [`Tracer::go`].
    pub hold: bool,
    /// What is changed in calls. Each of these counts its calls; the first one
    /// that fits is done.
    pub changes: Vec<Change>,
}

impl Default for Tracing {
    /// The first 4,096 bytes; nothing is held and nothing changed.
    fn default() -> Self {
        Self {
            keep: 4096,
            hold: false,
            changes: Vec::new(),
        }
    }
}

/// A program that was started. How it ends is an event.
#[derive(Debug)]
pub struct Started {
    /// The number of its first process.
    pub pid: u32,
    /// The pipe to its standard input, if the command asked for one.
    pub stdin: Option<ChildStdin>,
    /// The pipe from its standard output, if the command asked for one.
    pub stdout: Option<ChildStdout>,
    /// The pipe from its standard error, if the command asked for one.
    pub stderr: Option<ChildStderr>,
}

/// Something that a task of a program did. A task is a thread; the first thread
/// of a process has the number of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEvent {
    /// When it was seen: nanoseconds of CLOCK_REALTIME. Of a call's start, it is
    /// before the kernel begins; of its end, after the kernel has finished and
    /// before the program goes on. Across tasks, events can come a little out of
    /// this order; those of one task come in it.
    pub at: u64,
    /// Which program: all that it starts belongs to it.
    pub actor: Actor,
    /// Which process.
    pub pid: u32,
    /// Which task of it.
    pub tid: u32,
    /// What it did.
    pub what: Deed,
}

/// What a task did, or what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The program begins.
    Started {
        /// Its file.
        path: String,
        /// Whether its calls can be seen: not those of a 32-bit program.
        seen: bool,
    },
    /// A call on a socket begins.
    Call(Start),
    /// The call that was reported right before is held: see [`Tracer::go`].
    Held(CallId),
    /// The call has ended.
    Return(End),
    /// This task is new: a process if it has the number of its process, else a
    /// thread.
    NewTask {
        /// The task that made it.
        parent: u32,
    },
    /// The process becomes another program: exec(2).
    Exec {
        /// The file of that program.
        path: String,
        /// Whether its calls can be seen.
        seen: bool,
    },
    /// It is about to write into its standard output or error, which is no socket.
    /// Its words of before are there already: whoever reads them now keeps the
    /// order of all that is printed.
    Prints,
    /// A signal is delivered, also one that the program ignores.
    Signal(i32),
    /// The task is about to end. When the last task that has a descriptor ends,
    /// the kernel closes it, after this and before [`Deed::TaskEnded`].
    Exiting(Ending),
    /// The task has ended.
    TaskEnded(Ending),
    /// The first process of the program has ended. Those that it started may go on.
    ProgramEnded(Ending),
}

/// A tracer whose events come through a channel.
///
/// # Errors
/// Those of [`Tracer::new`].
pub fn channel(options: Tracing) -> io::Result<(Tracer, Receiver<TaskEvent>)> {
    let (sender, receiver) = mpsc::channel();
    // Nobody listens any more: the programs go on all the same.
    let report = move |event| drop(sender.send(event));
    Ok((Tracer::new(options, report)?, receiver))
}
