//! `cargo dial start N`: a server and a client with gaps, for the learner.

use anyhow::Result;
use clap::Args;
use exercise::{Language, My, Sources};

use crate::paper::{self, short};
use crate::{lessons, solution};

#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    /// Which lesson
    #[arg(value_parser = lessons::number)]
    lesson: u32,

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
    let lesson = lessons::one(args.lesson)?;
    let my = My::of(&lesson.root)?;
    let progress = my.progress();
    // A progress file that cannot be read stops us before anything is moved.
    let last = progress.last()?.map(|row| row.language);
    let language = args.lang.or(last).unwrap_or(Language::Rust);
    let sources = Sources::new(&lesson.root, &lesson.folder, language);
    if args.solution {
        return solution::show(&lesson, &my, language, &sources);
    }
    sources.files(exercise::Part::Starter)?;
    let mut text = String::new();
    if args.again
        && let Some(aside) = my.put_aside(args.lesson)?
    {
        text += &format!("Your work is now in {}.\n", short(&aside));
    }
    let folder = my.begin(args.lesson, &sources)?;
    progress.begin(args.lesson, language)?;
    let number = args.lesson;
    let lesson_text = short(&lesson.folder.join("README.md"));
    text += &format!("Lesson {number} in {language} is begun. Its gaps say what to do.\n\n");
    text += &format!("  fill   the gaps in {}\n", short(&folder));
    text += &format!("  watch  cargo dial watch {number}\n");
    text += &format!("  read   {lesson_text}\n");
    paper::print(&text)
}
