//! Ctrl-C in the middle of a check: it reaches everybody in the terminal. A worker
//! ends its programs, and who started the worker clears away what it left. SIGTERM
//! and SIGHUP do the same.

use std::process::{self, Child};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::ground::{end_all, reap_orphans};

static CAME: AtomicBool = AtomicBool::new(false);

/// What a shell says of a program that Ctrl-C has ended: 128 and SIGINT.
pub(crate) const STATUS: u8 = 130;

/// How long a worker may take to end its programs.
const LAST: Duration = Duration::from_secs(1);

/// From now on it does not end this process: it is to be asked for.
pub(crate) fn listen() -> Result<()> {
    let remember = || CAME.store(true, Ordering::Relaxed);
    kernel::signal::on_end(remember).context("listen for Ctrl-C")
}

/// Whether it came.
pub(crate) fn came() -> bool {
    CAME.load(Ordering::Relaxed)
}

/// From now on it ends the programs of this process first.
pub(crate) fn end_programs_first() -> Result<()> {
    let end = || {
        end_all();
        reap_orphans();
        process::exit(STATUS.into());
    };
    kernel::signal::on_end(end).context("listen for Ctrl-C")
}

/// Ends a worker and its programs.
pub(crate) fn end(worker: &mut Child) {
    #[cfg(unix)]
    {
        use kernel::signal::{SIGTERM, send};
        // It fails when the worker has ended already, which is seen below.
        let _ = send(worker.id(), SIGTERM);
        let late = Instant::now() + LAST;
        while matches!(worker.try_wait(), Ok(None)) && Instant::now() < late {
            thread::sleep(Duration::from_millis(1));
        }
    }
    let _ = worker.kill();
}
