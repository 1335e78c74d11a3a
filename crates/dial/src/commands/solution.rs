//! `cargo dial solution N`: the model solution, when one's own is there.

use anyhow::{Context, Result};
use clap::Args;
use colored::Colorize;
use exercise::{Course, Language, Manifest, Number, Part};

use crate::paper;

#[derive(Args, Debug)]
pub(crate) struct SolutionArgs {
    /// Which lesson
    lesson: Number,

    /// In which language [default: that in which you began the lesson]
    #[arg(long, value_enum)]
    lang: Option<Language>,
}

pub(crate) fn run(args: &SolutionArgs) -> Result<()> {
    let course = Course::here()?;
    let lesson = course.lesson(args.lesson)?;
    let passed = course.my()?.progress().passed(args.lesson)?;
    let passed = passed.with_context(|| {
        format!(
            "lesson {} is not passed yet, and what you find out yourself you keep; \
             to see its solution all the same: cargo dial start {} --solution",
            args.lesson, args.lesson
        )
    })?;
    show(&course, lesson, args.lang.unwrap_or(passed))
}

/// The programs, one after the other; before them a sentence for those who have
/// not passed.
pub(crate) fn show(course: &Course, lesson: &Manifest, language: Language) -> Result<()> {
    let passed = course.my()?.progress().passed(lesson.number)?;
    let mut text = String::new();
    if passed.is_none() {
        let sentence = "You have not passed this lesson yet. Read the solution, close it, and \
                        write your own: what you find out yourself you keep.";
        text += &format!("{}\n\n", paper::wrap(sentence, 0));
    }
    let files = course.sources(lesson, language).files(Part::Solution)?;
    for side in ["server.", "client."] {
        for (name, file) in files.iter().filter(|(name, _)| name.starts_with(side)) {
            let title = format!("{name}: lesson {} in {language}", lesson.number);
            text += &format!("{}\n\n{file}\n", title.bold());
        }
    }
    paper::print(&text)
}
