//! `cargo dial start N`: a server and a client with gaps, for the learner.

use anyhow::Result;
use clap::Args;
use exercise::{Course, Language, Number, Part};

use crate::commands::solution;
use crate::paper::{self, short};

#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    /// Which lesson
    lesson: Number,

    /// In which language [default: that of the lesson begun last, or else rust]
    #[arg(long, value_enum)]
    lang: Option<Language>,

    /// Put your work on this lesson aside, under a name with a number, and begin anew
    #[arg(long)]
    again: bool,

    /// Show the model solution, and begin nothing
    #[arg(long, conflicts_with = "again")]
    solution: bool,
}

pub(crate) fn run(args: &StartArgs) -> Result<()> {
    let number = args.lesson;
    let course = Course::here()?;
    let lesson = course.lesson(number)?;
    let my = course.my()?;
    let progress = my.progress();
    // A progress file that cannot be read stops us before anything is moved.
    let last = progress.last()?.map(|row| row.language);
    let language = args.lang.or(last).unwrap_or(Language::Rust);
    if args.solution {
        return solution::show(&course, lesson, language);
    }
    let sources = course.sources(lesson, language);
    sources.files(Part::Starter)?;
    let mut text = String::new();
    if args.again
        && let Some(aside) = my.put_aside(number)?
    {
        text += &format!("Your work is now in {}.\n", short(&aside));
    }
    let folder = my.begin(number, &sources)?;
    progress.begin(number, language)?;
    let readme = lesson.folder.join("README.md");
    text += &format!("Lesson {number} in {language} is begun. Its gaps say what to do.\n\n");
    text += &format!("  fill   the gaps in {}\n", short(&folder));
    text += &format!("  watch  cargo dial watch {number}\n");
    text += &format!("  read   {}\n", short(&readme));
    paper::print(&text)
}
