//! `cargo dial watch N`: the checks of one's own work, at every save.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use colored::Colorize;
use exercise::watch::{Manner, Remark, watch};
use exercise::{Course, Language, Number};

use crate::paper::{print, short, wrap};
use kernel::terminal::is_interactive;

#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// Which lesson [default: the one begun last]
    lesson: Option<Number>,

    /// Show hints with each failure
    #[arg(long)]
    hint: bool,

    /// Run the checks one time and end: status 0 if all are passed, 1 if not
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(args: &WatchArgs) -> Result<ExitCode> {
    let course = Course::here()?;
    let my = course.my()?;
    // What cannot be written down later is to be known before.
    let last = my.progress().last()?;
    let number = args.lesson.or(last.map(|row| row.lesson));
    let number = number.context("nothing is begun yet; begin: cargo dial start 1")?;
    let lesson = course.lesson(number)?;
    let language = language(&my.lesson(number), number)?;
    let manner = Manner {
        once: args.once,
        hint: args.hint,
        keys: is_interactive() && !args.once,
        colour: colored::control::SHOULD_COLORIZE.should_colorize(),
    };
    let say = &mut |remark: Remark| say(&remark, manner.keys);
    let passed = watch(&course, lesson, language, manner, say)?;
    Ok(ExitCode::from(u8::from(passed == Some(false))))
}

fn language(folder: &Path, number: Number) -> Result<Language> {
    let shown = short(folder);
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

fn say(remark: &Remark, on_a_page: bool) -> Result<()> {
    let text = match remark {
        Remark::Building(lesson) => {
            let text = format!("building the checks of lesson {lesson} …");
            text.dimmed().to_string()
        }
        Remark::Round { folder, language } => {
            // To the upper left, and clear what is below.
            let page = if on_a_page { "\x1b[H\x1b[2J" } else { "" };
            let title = format!("{} in {language}", short(folder));
            format!("{page}{}", title.bold())
        }
        Remark::Built(time) => {
            let text = format!("built in {:.1} s", time.as_secs_f64());
            text.dimmed().to_string()
        }
        Remark::NotBuilt(why) => why.clone(),
        Remark::Passed {
            lesson,
            written,
            next,
        } => {
            let mut text = format!("{}\n", "All checks are passed.".green().bold());
            if let Some(file) = written {
                text += &format!("Written down in {}.\n", short(file));
            }
            text += &format!("Compare yours with ours: cargo dial solution {lesson}\n");
            text + &match next {
                Some(next) => format!("Go on: cargo dial start {next}"),
                None => "This was the last lesson.".to_string(),
            }
        }
        Remark::Keys { hint } => {
            let hint = if *hint { "h next hint · " } else { "" };
            let keys = format!("\nEnter run again · {hint}q end · it runs by itself at each save");
            keys.dimmed().to_string()
        }
        Remark::Hint(text) => wrap(text, 2),
    };
    print(&format!("{text}\n"))
}
