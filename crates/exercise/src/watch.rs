//! The checks of one's own work, at every save.
//!
//! A round builds the work and runs the checks up to the first that fails. The
//! lesson's program is built once, and then run itself: to ask cargo for it each
//! time would take longer than most checks.

mod events;
mod keys;
mod report;
mod run;
mod saved;
mod work;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use crate::course::{Course, Manifest};
use crate::language::Language;
use crate::number::Number;
use work::{Over, Work};

/// How somebody wants to be told about their work.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// One round only.
    pub once: bool,
    /// Hints with each failure.
    pub hint: bool,
    /// Whether stdin is a terminal, whose keys mean something.
    pub keys: bool,
    /// Whether the compiler may use colours.
    pub colour: bool,
}

/// What is said while somebody watches. The checks write their report themselves,
/// to stdout, between these.
#[derive(Debug)]
pub enum Remark<'a> {
    /// The checks of this lesson are built.
    Building(Number),
    /// A round begins.
    Round {
        /// Where the work is.
        folder: &'a Path,
        /// What it is written in.
        language: Language,
    },
    /// The work is built, and this is how long it took.
    Built(Duration),
    /// The work is not built; what the compiler says, as it says it.
    NotBuilt(String),
    /// All checks are passed.
    Passed {
        /// Which lesson it was.
        lesson: Number,
        /// Where it is written down, if it is the first time.
        written: Option<PathBuf>,
        /// The lesson after it.
        next: Option<Number>,
    },
    /// The round is over, and keys are waited for; there are hints if a check has
    /// failed.
    Keys {
        /// Whether the key for a hint means something.
        hint: bool,
    },
    /// One hint more, from where to look to how.
    Hint(String),
}

/// Checks the work in this folder until it is enough: whether all checks were
/// passed, when one round was wanted; None when the person ended it.
///
/// # Errors
/// When something cannot be built, started or watched, which is not the work
/// itself; and those of `say`.
pub fn watch(
    course: &Course,
    lesson: &Manifest,
    language: Language,
    manner: Manner,
    say: &mut dyn FnMut(Remark) -> Result<()>,
) -> Result<Option<bool>> {
    let mut work = Work::new(course, lesson, language, manner, say)?;
    if let Over::Quit = work.prepare(&lesson.package)? {
        return Ok(None);
    }
    loop {
        match work.round()? {
            Over::Quit => return Ok(None),
            Over::Verdict(passed) if manner.once => return Ok(Some(passed)),
            Over::Verdict(_) if !work.wait_for_change()? => return Ok(None),
            Over::Verdict(_) | Over::Again => {}
        }
    }
}
