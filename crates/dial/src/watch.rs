//! `cargo dial watch N`: the checks of one's own work, at every save.
//!
//! A round builds the work and runs the checks up to the first that fails. The
//! lesson's program is built once, and then run itself: to ask cargo for it each
//! time would take longer than most checks.

mod events;
mod files;
mod keys;
mod round;
mod run;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use exercise::{Language, My};

use crate::lessons::{self, Lesson};
use events::Events;
use round::{Over, Work};

#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// Which lesson [default: the one begun last]
    #[arg(value_parser = lessons::number)]
    lesson: Option<u32>,

    /// Show hints with each failure
    #[arg(long)]
    hint: bool,

    /// Run the checks one time and end: status 0 if all are passed, 1 if not
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(args: &WatchArgs) -> Result<ExitCode> {
    let (lesson, my) = lesson(args)?;
    let folder = my.lesson(lesson.lesson);
    let language = language(&folder, lesson.lesson)?;
    let keys = io::stdin().is_terminal() && io::stdout().is_terminal() && !args.once;
    let events = Events::start(&folder, keys)?;
    let mut work = Work::new(&lesson, &my, folder, language, events, args.hint, keys)?;
    if let Over::Quit = work.prepare(&lesson.package)? {
        return Ok(ExitCode::SUCCESS);
    }
    loop {
        let over = work.round()?;
        if let (true, Over::Verdict(passed)) = (args.once, &over) {
            return Ok(ExitCode::from(u8::from(!passed)));
        }
        if matches!(over, Over::Quit) {
            return Ok(ExitCode::SUCCESS);
        }
        if matches!(over, Over::Verdict(_)) && !work.wait_for_change()? {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn lesson(args: &WatchArgs) -> Result<(Lesson, My)> {
    let number = match args.lesson {
        Some(number) => number,
        None => {
            let last = lessons::my()?.progress().last()?;
            let last = last.context("nothing is begun yet; begin: cargo dial start 1")?;
            last.lesson
        }
    };
    let lesson = lessons::one(number)?;
    let my = My::of(&lesson.root)?;
    // What cannot be written down later is to be known before.
    my.progress().rows()?;
    Ok((lesson, my))
}

fn language(folder: &Path, number: u32) -> Result<Language> {
    let shown = crate::paper::short(folder);
    if !folder.is_dir() {
        bail!("{shown} is not there; begin: cargo dial start {number}");
    }
    let language = Language::of_folder(folder);
    language.with_context(|| {
        format!(
            "{shown} has no Cargo.toml and no server.py; begin anew: cargo dial start {number} \
             --again, or check another language with \"cargo dial check {number}\""
        )
    })
}
