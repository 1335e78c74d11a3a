//! What other threads want of the tracer's thread, which waits in waitpid(2).

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use kernel::trace;
use timeline::Actor;
use timeline::call::CallId;

use crate::calls::Change;

/// How long to wait before the thread is woken again.
const AGAIN: Duration = Duration::from_millis(1);

/// Something to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Observe this process, which is on its way to become the program.
    Attach(i32, Actor),
    /// Nobody waits for its end: it runs the program, or was killed before.
    Launched(i32),
    /// It never will: it has ended and was waited for.
    Failed(i32),
    /// Make these changes to calls, and no others.
    Change(Vec<Change>),
    /// Let this held call go on.
    Go(CallId),
    /// Let all held calls go on.
    GoAll,
    /// Send a signal to a program's first process.
    Signal(Actor, i32),
    /// End all processes of a program.
    Kill(Actor),
    /// End all programs, then the thread.
    Quit,
}

pub(super) type Request = (Order, Sender<io::Result<()>>);

/// The way to the tracer's thread.
#[derive(Debug)]
pub(super) struct Orders {
    pub(super) sender: Sender<Request>,
    /// The id of the thread that reads the other end.
    pub(super) thread: i32,
}

impl Orders {
    /// Hands it over, and waits until it is done.
    pub(super) fn give(&self, order: Order) -> io::Result<()> {
        let gone = || io::Error::other("the tracer's thread has ended");
        let (reply, answer) = mpsc::channel();
        self.sender.send((order, reply)).map_err(|_| gone())?;
        loop {
            // The signal may come right before the thread begins to wait, and
            // then interrupts nothing. waitpid has no form that closes this gap,
            // so it is sent until there is an answer.
            trace::wake(self.thread);
            match answer.recv_timeout(AGAIN) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
    }
}
