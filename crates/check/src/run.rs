//! Runs checks, each in a process and a network of its own: so ports, and
//! connections in TIME-WAIT, are gone with it, whatever a check leaves behind is
//! ended with it, and a checker that fails harms no other check.

use std::env;
use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::interrupt;
use crate::outcome::{Account, Finding, Outcome};
use crate::plan::Check;
use crate::scratch::Scratch;
use crate::setup::Setup;
use crate::told::{self, Order};

/// How often we look whether the run was interrupted.
const INTERRUPTED_YET: Duration = Duration::from_millis(50);

/// A worker that has not ended this time after its check's limit never will.
const LATE: Duration = Duration::from_secs(5);

/// Runs the checks, some at the same time, and hands out what came of each, in
/// their order. It stops when `go_on` says no. `again` asks for evidence.
pub(crate) fn all(
    checks: &[&'static Check],
    setup: &Setup,
    at_once: usize,
    again: bool,
    mut go_on: impl FnMut(Outcome) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let (done, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..at_once.min(checks.len()) {
            let (next, done) = (&next, done.clone());
            scope.spawn(move || {
                while let Some(check) = checks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if done.send(in_a_worker(check, setup, again)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut early: Vec<Outcome> = Vec::new();
        for check in checks {
            let outcome = loop {
                let here = early
                    .iter()
                    .position(|outcome| std::ptr::eq(outcome.check, *check));
                match here {
                    Some(index) => break early.swap_remove(index),
                    None => early.push(outcomes.recv().context("a thread of the checker died")?),
                }
            };
            // Nothing was found out when Ctrl-C has ended the worker.
            let more = match interrupt::came() {
                true => Ok(false),
                false => go_on(outcome),
            };
            if !matches!(more, Ok(true)) {
                next.store(checks.len(), Ordering::Relaxed);
                return more.map(drop);
            }
        }
        Ok(())
    })
}

/// This executable again, for one check.
fn in_a_worker(check: &'static Check, setup: &Setup, again: bool) -> Outcome {
    let started = Instant::now();
    let account = account(check, setup, again);
    Outcome {
        check,
        account: account.unwrap_or_else(|error| Account {
            finding: Finding::Untested(format!("the checker failed: {error:#}")),
            steps: Vec::new(),
            said: Vec::new(),
            xray: Vec::new(),
        }),
        time: started.elapsed(),
    }
}

/// Runs a check. One that fails is run again under the X-ray, for the evidence:
/// to look on takes time, and most programs pass.
fn account(check: &Check, setup: &Setup, again: bool) -> anyhow::Result<Account> {
    let limit = check.limit + LATE;
    let run = |observed| {
        let scratch = Scratch::new().context("make a folder for a check")?;
        let name = scratch.path().to_str();
        name.context("the folder for temporary files has a name that is no UTF-8; set TMPDIR")?;
        let setup = Setup {
            observed,
            scratch: scratch.path().to_path_buf(),
            ..setup.clone()
        };
        let check = check.address.to_string();
        let worker = start_worker(&Order { check, setup })?;
        finish(worker, limit)
    };
    let plain = run(check.observed)?;
    if check.observed || !again || !matches!(plain.finding, Finding::Failed(_)) {
        return Ok(plain);
    }
    if interrupt::came() {
        bail!("interrupted");
    }
    match run(true) {
        Ok(observed) if observed.finding.is_like(&plain.finding) => Ok(observed),
        // It did something else when it was watched: then that is no evidence.
        _ => Ok(plain),
    }
}

fn start_worker(order: &Order) -> anyhow::Result<Child> {
    let own = env::current_exe().context("find our own executable")?;
    let worker = Command::new(own)
        .arg("check")
        .arg(format!("--worker={}", told::write(order)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    worker.context("start our own executable")
}

/// Waits for what a worker found out.
fn finish(mut worker: Child, limit: Duration) -> anyhow::Result<Account> {
    let mut stdout = worker.stdout.take().context("no pipe")?;
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        let read = io::read_to_string(&mut stdout);
        // Nobody waits any more: the worker was too late.
        let _ = done.send(read);
    });
    let end = Instant::now() + limit;
    let said = loop {
        match finished.recv_timeout(INTERRUPTED_YET) {
            Err(RecvTimeoutError::Timeout) if Instant::now() < end && !interrupt::came() => {}
            other => break other,
        }
    };
    if said.is_err() {
        interrupt::end(&mut worker);
    }
    let status = worker.wait().context("wait for the worker")?;
    let said = said.with_context(|| format!("no result after {} s", limit.as_secs()))??;
    if !status.success() {
        bail!("the worker ended with {status}");
    }
    told::read(&said).context("read the result of the worker")
}
