//! A word to the scheduler, for the crowd and for all models with one thread.

#![allow(unsafe_code)]

/// Asks to be woken for a batch of work and not for each message: SCHED_BATCH,
/// see sched(7). On a core that others use too, the first message would
/// otherwise take the core away from the program that is about to send more,
/// and each message would cost two context switches. The price: a woken server
/// waits until the other program sleeps, or its slice of some ms is over.
pub fn in_batches() {
    let no_priority = libc::sched_param { sched_priority: 0 };
    // What this thread starts later begins as usual.
    let policy = libc::SCHED_BATCH | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the kernel only reads the structure, during the call; 0 stands
    // for this thread. Where it is refused, all stays as it was.
    unsafe { libc::sched_setscheduler(0, policy, &no_priority) };
}
