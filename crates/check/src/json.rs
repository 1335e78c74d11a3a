//! The report for programs: one JSON object. `docs/checks.md` says what is in it.

use std::fmt;
use std::time::Duration;

use nojson::{DisplayJson, JsonFormatter, JsonObjectFormatter, json, object};
use timeline::Stream;

use crate::bytes::first_difference;
use crate::fault::Contrast;
use crate::log::Said;
use crate::outcome::{Finding, Outcome, status};
use crate::plan::{Check, Lesson};
use crate::setup::{Of, Setup};

/// Grows by one when a reader of the old form could misread the new one.
const VERSION: u32 = 1;

pub(crate) fn report(
    lesson: &Lesson,
    setup: &Setup,
    without: Option<&str>,
    outcomes: &[Outcome],
    left_out: &[&Check],
    time: Duration,
) -> String {
    let report = json(|f| {
        f.set_indent_size(2);
        f.set_spacing(true);
        f.object(|f| {
            f.member("version", VERSION)?;
            f.member("lesson", lesson.number)?;
            f.member("server", &setup.server)?;
            f.member("client", &setup.client)?;
            f.member("seed", setup.seed)?;
            f.member("own_network", setup.private)?;
            f.member("note", without)?;
            f.member("seconds", seconds(time))?;
            f.member("status", status(outcomes))?;
            let left_out: Vec<&str> = left_out.iter().map(|check| check.address).collect();
            f.member("left_out", left_out)?;
            f.member("checks", outcomes)
        })
    });
    format!("{report}\n")
}

type Object<'a, 'b, 'c> = JsonObjectFormatter<'a, 'b, 'c>;

impl DisplayJson for Outcome {
    fn fmt(&self, f: &mut JsonFormatter<'_, '_>) -> fmt::Result {
        f.object(|f| {
            f.member("address", self.check.address)?;
            f.member("behaviour", self.check.behaviour)?;
            f.member("of", of(self.check.of))?;
            f.member("seconds", seconds(self.time))?;
            match &self.account.finding {
                Finding::Passed => f.member("verdict", "passed"),
                Finding::Untested(why) => {
                    f.member("verdict", "untested")?;
                    f.member("why", why)
                }
                Finding::Failed(contrast) => failed(f, self, contrast),
            }
        })
    }
}

fn of(of: Of) -> &'static str {
    match of {
        Of::Server => "server",
        Of::Client => "client",
        Of::Both => "both",
    }
}

fn failed(f: &mut Object<'_, '_, '_>, outcome: &Outcome, contrast: &Contrast) -> fmt::Result {
    let Outcome { check, account, .. } = outcome;
    f.member("verdict", "failed")?;
    f.member("steps", &account.steps)?;
    match contrast {
        Contrast::Words { expected, seen, .. } => {
            f.member("expected", expected)?;
            f.member("seen", seen)?;
        }
        Contrast::Bytes {
            expected,
            seen,
            then,
        } => {
            f.member("expected", text(expected))?;
            f.member("seen", text(seen))?;
            f.member("then", then)?;
            f.member("first_difference", first_difference(expected, seen))?;
        }
    }
    f.member("output", account.said.iter().map(said).collect::<Vec<_>>())?;
    f.member("xray", &account.xray)?;
    f.member("cause", outcome.cause())?;
    f.member("taught", check.taught)?;
    f.member("hints", check.hints)
}

/// Bytes with what is no printable ASCII escaped as in Rust: `\n`, `\xff`.
fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn said(said: &Said) -> impl DisplayJson {
    object(|f| {
        f.member("name", &said.name)?;
        f.member("stdout", said.on(Stream::Stdout).collect::<Vec<_>>())?;
        f.member("stderr", said.on(Stream::Stderr).collect::<Vec<_>>())
    })
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
