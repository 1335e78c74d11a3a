//! What came of checks: plain values.

use std::time::Duration;

use crate::fault::Contrast;
use crate::log::Said;
use crate::plan::Check;

/// What a check has found out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The program did what it should.
    Passed,
    /// It did something else.
    Failed(Contrast),
    /// It could not be found out, and why: no fault of the program.
    Untested(String),
}

impl Finding {
    /// Whether both failed in the same way.
    pub(crate) fn is_like(&self, other: &Finding) -> bool {
        match (self, other) {
            (Finding::Failed(one), Finding::Failed(other)) => one.is_like(other),
            _ => false,
        }
    }
}

/// What a check has found out, and how it came to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) finding: Finding,
    pub(crate) steps: Vec<String>,
    pub(crate) said: Vec<Said>,
    /// The last rows of the X-ray, if there is one.
    pub(crate) xray: Vec<String>,
}

/// A check that was run, and all that is known of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) check: &'static Check,
    pub(crate) account: Account,
    pub(crate) time: Duration,
}

impl Outcome {
    pub(crate) fn has_passed(&self) -> bool {
        self.account.finding == Finding::Passed
    }

    /// The usual cause of a failure: that of the check, if it has come to its matter.
    pub(crate) fn cause(&self) -> &str {
        match &self.account.finding {
            Finding::Failed(Contrast::Words {
                cause: Some(cause), ..
            }) => cause,
            _ => self.check.cause,
        }
    }
}

/// 0 all passed, 1 some failed, 2 some could not be tested, or none was.
pub(crate) fn status(outcomes: &[Outcome]) -> u8 {
    let any = |fits: fn(&Finding) -> bool| outcomes.iter().any(|one| fits(&one.account.finding));
    if any(|finding| matches!(finding, Finding::Failed(_))) {
        1
    } else if any(|finding| matches!(finding, Finding::Untested(_))) || outcomes.is_empty() {
        2
    } else {
        0
    }
}
