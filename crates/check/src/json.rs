//! The report for programs: one JSON object. `docs/checks.md` says what is in it.

use std::time::Duration;

use serde_json::{Value, json};
use timeline::Stream;

use crate::args::status;
use crate::bench::Setup;
use crate::fault::Contrast;
use crate::plan::{Lesson, Of};
use crate::program::Said;
use crate::run::{Outcome, Result};

/// Grows by one when a reader of the old form could misread the new one.
const VERSION: u32 = 1;

pub(crate) fn report(
    lesson: &Lesson,
    setup: &Setup,
    without: Option<&str>,
    outcomes: &[Outcome],
    time: Duration,
) -> String {
    let checks: Vec<Value> = outcomes.iter().map(check).collect();
    let report = json!({
        "version": VERSION,
        "lesson": lesson.number,
        "server": setup.server,
        "client": setup.client,
        "seed": setup.seed,
        "own_network": setup.private,
        "note": without,
        "seconds": seconds(time),
        "status": status(outcomes),
        "checks": checks,
    });
    format!("{report:#}\n")
}

fn check(outcome: &Outcome) -> Value {
    let check = outcome.check;
    let mut value = json!({
        "address": check.address,
        "behaviour": check.behaviour,
        "of": match check.of {
            Of::Server => "server",
            Of::Client => "client",
            Of::Both => "both",
        },
        "seconds": seconds(outcome.time),
    });
    let more = match &outcome.seen.result {
        Result::Passed => json!({ "verdict": "passed" }),
        Result::Untested(why) => json!({ "verdict": "untested", "why": why }),
        Result::Failed(contrast) => {
            let mut more = json!({
                "verdict": "failed",
                "steps": outcome.seen.steps,
                "output": outcome.seen.said.iter().map(said).collect::<Vec<_>>(),
                "xray": outcome.seen.xray,
                "cause": check.cause,
                "taught": check.taught,
                "hints": check.hints,
            });
            join(&mut more, contrast_value(contrast));
            more
        }
    };
    join(&mut value, more);
    value
}

fn contrast_value(contrast: &Contrast) -> Value {
    match contrast {
        Contrast::Words {
            expected,
            seen,
            cause,
        } => {
            let mut value = json!({ "expected": expected, "seen": seen });
            if let Some(cause) = cause {
                join(&mut value, json!({ "cause": cause }));
            }
            value
        }
        Contrast::Bytes {
            expected,
            seen,
            then,
        } => json!({
            "expected": text(expected),
            "seen": text(seen),
            "then": then,
            "first_difference": crate::bytes::first_difference(expected, seen),
        }),
    }
}

/// Bytes with what is no printable ASCII escaped as in Rust: `\n`, `\xff`.
fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn said(said: &Said) -> Value {
    json!({
        "name": said.name,
        "stdout": said.on(Stream::Stdout).collect::<Vec<_>>(),
        "stderr": said.on(Stream::Stderr).collect::<Vec<_>>(),
    })
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

fn join(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
