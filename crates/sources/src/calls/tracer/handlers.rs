//! What a signal does to a call that it interrupts: signal(7).
//!
//! The kernel notes that the call was interrupted, and decides when it delivers
//! the signal. A program without a handler for it notices nothing: the call
//! starts again. With a handler it depends on how that was set: with SA_RESTART
//! most calls start again, else the program gets EINTR.

use std::collections::HashMap;

const SA_RESTART: u64 = 0x1000_0000;
const SA_RESETHAND: u64 = 0x8000_0000;

const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;

/// The kernel's note for a call that starts again if the handler wishes it.
const ERESTARTSYS: i64 = 512;
/// For a call that starts again in any case.
const ERESTARTNOINTR: i64 = 513;

/// The handlers of all processes.
#[derive(Default)]
pub(super) struct Handlers {
    /// For each process and signal with a handler: the flags.
    flags: HashMap<i32, HashMap<i32, u64>>,
}

/// What the program sees of an interrupted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: the call starts again.
    StartsAgain,
    /// EINTR.
    Fails,
}

impl Handlers {
    /// A process sets what a signal shall do.
    pub(super) fn set(&mut self, pid: i32, signal: i32, handler: u64, flags: u64) {
        let own = self.flags.entry(pid).or_default();
        if handler == SIG_DFL || handler == SIG_IGN {
            own.remove(&signal);
        } else {
            own.insert(signal, flags);
        }
    }

    /// A new process begins with the handlers of its parent.
    pub(super) fn inherit(&mut self, parent: i32, child: i32) {
        if let Some(flags) = self.flags.get(&parent) {
            self.flags.insert(child, flags.clone());
        }
    }

    /// A process has ended, or runs another program: its handlers are gone.
    pub(super) fn forget(&mut self, pid: i32) {
        self.flags.remove(&pid);
    }

    /// A signal is delivered to a process. What becomes of a call that left with
    /// this note; None when no handler runs.
    pub(super) fn deliver(&mut self, pid: i32, signal: i32, note: Option<i64>) -> Option<Fate> {
        let own = self.flags.get_mut(&pid)?;
        let flags = *own.get(&signal)?;
        if flags & SA_RESETHAND != 0 {
            own.remove(&signal);
        }
        let again = match note? {
            ERESTARTNOINTR => true,
            ERESTARTSYS => flags & SA_RESTART != 0,
            _ => false,
        };
        Some(match again {
            true => Fate::StartsAgain,
            false => Fate::Fails,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGUSR1: i32 = 10;
    const HANDLER: u64 = 0x40_1000;

    fn fate(flags: u64, note: i64) -> Option<Fate> {
        let mut handlers = Handlers::default();
        handlers.set(1, SIGUSR1, HANDLER, flags);
        handlers.deliver(1, SIGUSR1, Some(note))
    }

    #[test]
    fn sa_restart_decides_for_most_calls_and_for_no_other() {
        assert_eq!(fate(SA_RESTART, 512), Some(Fate::StartsAgain));
        assert_eq!(fate(0, 512), Some(Fate::Fails));
        assert_eq!(fate(0, 513), Some(Fate::StartsAgain));
        assert_eq!(fate(SA_RESTART, 514), Some(Fate::Fails));
        assert_eq!(fate(SA_RESTART, 516), Some(Fate::Fails));
    }

    #[test]
    fn a_signal_without_a_handler_leaves_the_fate_open() {
        let mut handlers = Handlers::default();
        assert_eq!(handlers.deliver(1, SIGUSR1, Some(512)), None);
        handlers.set(1, SIGUSR1, HANDLER, 0);
        handlers.set(1, SIGUSR1, SIG_IGN, 0);
        assert_eq!(handlers.deliver(1, SIGUSR1, Some(512)), None);
    }

    #[test]
    fn a_child_inherits_handlers_and_exec_drops_them() {
        let mut handlers = Handlers::default();
        handlers.set(1, SIGUSR1, HANDLER, SA_RESTART);
        handlers.inherit(1, 2);
        handlers.forget(1);
        assert_eq!(handlers.deliver(1, SIGUSR1, Some(512)), None);
        assert_eq!(
            handlers.deliver(2, SIGUSR1, Some(512)),
            Some(Fate::StartsAgain)
        );
    }

    #[test]
    fn a_handler_for_one_time_is_gone_after_it() {
        let mut handlers = Handlers::default();
        handlers.set(1, SIGUSR1, HANDLER, SA_RESETHAND);
        assert_eq!(handlers.deliver(1, SIGUSR1, Some(512)), Some(Fate::Fails));
        assert_eq!(handlers.deliver(1, SIGUSR1, Some(512)), None);
    }
}
