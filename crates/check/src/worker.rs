//! A process that runs one check, and says what it has found out. From its parent it
//! knows its [`Order`], and nothing else.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;

use crate::bench::Bench;
use crate::fault::{Contrast, Fault};
use crate::ground;
use crate::interrupt;
use crate::outcome::{Account, Finding};
use crate::plan::{Check, Lesson};
use crate::setup::Setup;
use crate::story::Story;
use crate::told::{self, Order};

/// Runs the check that is ordered. It must be called before the process has a
/// second thread, because it moves into a network of its own.
pub(crate) fn run(lesson: &'static Lesson, order: &str) -> anyhow::Result<()> {
    let Order { check, mut setup } = told::read(order).context("read the order of a worker")?;
    let check = lesson.checks.iter().find(|one| one.address == check);
    let check = check.context("no such check")?;
    setup.private = setup.private && ground::enter_private().is_ok();
    interrupt::end_programs_first()?;
    let account = one(check, &setup)?;
    Ok(io::stdout().write_all(told::write(&account).as_bytes())?)
}

fn one(check: &'static Check, setup: &Setup) -> anyhow::Result<Account> {
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
    let finding = match verdict {
        _ if left.too_much => Finding::Failed(Contrast::words(
            format!("at most {} MiB of memory", setup.memory >> 20),
            "more; the program was ended",
        )),
        Ok(()) => Finding::Passed,
        Err(Fault::Program(contrast)) if taken && !story.has_met() => {
            Finding::Untested(usual.doubt(&contrast.seen()))
        }
        Err(Fault::Program(contrast)) if over => Finding::Failed(late(*contrast, check.limit)),
        Err(Fault::Program(contrast)) => Finding::Failed(*contrast),
        Err(Fault::Checker(error)) => Finding::Untested(format!("{error:#}")),
    };
    Ok(Account {
        finding,
        steps: story.steps(),
        said: left.said,
        xray: left.xray,
    })
}

/// The check as a whole has taken too long.
fn late(mut contrast: Contrast, limit: Duration) -> Contrast {
    if let Contrast::Words { seen, .. } = &mut contrast {
        *seen += &format!("; the check's {} s are over", limit.as_secs());
    }
    contrast
}
