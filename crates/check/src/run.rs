//! Runs checks, each in a process and a network of its own: so ports, and
//! connections in TIME-WAIT, are gone with it, whatever a check leaves behind is
//! ended with it, and a checker that fails harms no other check.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::bench::Bench;
use crate::fault::{Contrast, Fault};
use crate::ground;
use crate::interrupt;
use crate::plan::Check;
use crate::program::Said;
use crate::scratch::Scratch;
use crate::setup::Setup;
use crate::story::Story;
use crate::told;

/// What came of a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Result {
    /// The program did what it should.
    Passed,
    /// It did something else.
    Failed(Contrast),
    /// It could not be found out, and why: no fault of the program.
    Untested(String),
}

impl Result {
    /// Whether both failed in the same way.
    fn is_like(&self, other: &Result) -> bool {
        match (self, other) {
            (Result::Failed(one), Result::Failed(other)) => one.is_like(other),
            _ => false,
        }
    }
}

/// What was seen in a check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) result: Result,
    pub(crate) steps: Vec<String>,
    pub(crate) said: Vec<Said>,
    /// The last rows of the X-ray, if there is one.
    pub(crate) xray: Vec<String>,
}

/// A check that was run, and all that is known of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) check: &'static Check,
    pub(crate) seen: Seen,
    pub(crate) time: Duration,
}

/// How often it is looked whether the run was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// A worker that has not ended so long after its check's limit never will.
const LATE: Duration = Duration::from_secs(5);

/// Runs the checks, some at the same time, and hands out what came of each, in
/// their order. It stops when `go_on` says no. `again` asks for evidence.
pub(crate) fn all(
    checks: &[&'static Check],
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
                    if done.send(in_a_worker(check, again)).is_err() {
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

/// This executable again, with the same arguments, for one check.
fn in_a_worker(check: &'static Check, again: bool) -> Outcome {
    let started = Instant::now();
    let seen = seen(check, again);
    Outcome {
        check,
        seen: seen.unwrap_or_else(|error| Seen {
            result: Result::Untested(format!("the checker failed: {error:#}")),
            steps: Vec::new(),
            said: Vec::new(),
            xray: Vec::new(),
        }),
        time: started.elapsed(),
    }
}

/// Runs a check. One that fails is run again under the X-ray, for the evidence:
/// to look on takes time, and most programs pass.
fn seen(check: &'static Check, again: bool) -> anyhow::Result<Seen> {
    let run = |observed| {
        let scratch = Scratch::new().context("make a folder for a check")?;
        let worker = start_worker(check, observed, scratch.path())?;
        finish(worker, check.limit + LATE)
    };
    let plain = run(check.observed)?;
    if check.observed || !again || !matches!(plain.result, Result::Failed(_)) {
        return Ok(plain);
    }
    if interrupt::came() {
        bail!("interrupted");
    }
    match run(true) {
        Ok(observed) if observed.result.is_like(&plain.result) => Ok(observed),
        // It did something else when it was watched: then that is no evidence.
        _ => Ok(plain),
    }
}

fn start_worker(check: &Check, observed: bool, scratch: &Path) -> anyhow::Result<Child> {
    let own = env::current_exe().context("find our own executable")?;
    let worker = Command::new(own)
        .args(env::args_os().skip(1))
        .arg(format!("--worker={}", check.address))
        .args(observed.then_some("--observed"))
        .arg("--scratch")
        .arg(scratch)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    worker.context("start our own executable")
}

/// Waits for what a worker found out.
fn finish(mut worker: Child, limit: Duration) -> anyhow::Result<Seen> {
    let mut stdout = worker.stdout.take().context("no pipe")?;
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        let read = io::read_to_string(&mut stdout);
        // Nobody waits any more: the worker was too late.
        let _ = done.send(read);
    });
    let end = Instant::now() + limit;
    let said = loop {
        match finished.recv_timeout(LOOK) {
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

/// What the worker does: one check, and its result on stdout.
pub(crate) fn worker(check: &'static Check, setup: &Setup) -> anyhow::Result<()> {
    let mut setup = setup.clone();
    setup.private = setup.private && ground::enter_private().is_ok();
    interrupt::end_programs_first()?;
    let seen = one(check, &setup)?;
    Ok(io::stdout().write_all(told::write(&seen).as_bytes())?)
}

fn one(check: &'static Check, setup: &Setup) -> anyhow::Result<Seen> {
    let usual = setup.usual();
    let taken = usual.is_taken();
    let story = Story::new(check.limit);
    let mut bench = Bench::new(setup, story.clone(), check.address)?;
    let verdict = (check.run)(&mut bench);
    let over = story.is_over();
    story.dropped().keep();
    if matches!(verdict, Err(Fault::Program(_))) {
        bench.settle();
    }
    let left = bench.end();
    let result = match verdict {
        _ if left.too_much => Result::Failed(Contrast::Words {
            expected: format!("at most {} MiB of memory", setup.memory >> 20),
            seen: "more; the program was ended".into(),
            cause: None,
        }),
        Ok(()) => Result::Passed,
        Err(Fault::Program(contrast)) if taken && !story.has_met() => {
            Result::Untested(usual.doubt(&contrast.seen()))
        }
        Err(Fault::Program(contrast)) if over => Result::Failed(late(*contrast, check.limit)),
        Err(Fault::Program(contrast)) => Result::Failed(*contrast),
        Err(Fault::Checker(error)) => Result::Untested(format!("{error:#}")),
    };
    Ok(Seen {
        result,
        steps: story.steps(),
        said: left.said,
        xray: left.xray,
    })
}

/// The check as a whole has taken too long.
fn late(contrast: Contrast, limit: Duration) -> Contrast {
    match contrast {
        Contrast::Words {
            expected,
            seen,
            cause,
        } => Contrast::Words {
            expected,
            seen: format!("{seen}; the check's {} s are over", limit.as_secs()),
            cause,
        },
        other => other,
    }
}
