//! `cargo dial solution N`: the model solution, when one's own is there.

use anyhow::{Result, bail};
use clap::Args;
use colored::Colorize;
use exercise::{Language, My, Part, Sources};

use crate::lessons::{self, Lesson};
use crate::paper;

#[derive(Args, Debug)]
pub(crate) struct SolutionArgs {
    /// Which lesson
    #[arg(value_parser = lessons::number)]
    lesson: u32,

    /// In which language [default: that in which you began the lesson]
    #[arg(long, value_enum)]
    lang: Option<Language>,
}

pub(crate) fn run(args: &SolutionArgs) -> Result<()> {
    let lesson = lessons::one(args.lesson)?;
    let my = My::of(&lesson.root)?;
    let rows = my.progress().rows()?;
    let mut of_lesson = rows.iter().filter(|row| row.lesson == args.lesson);
    let passed = of_lesson.clone().find(|row| row.passed.is_some());
    let begun = passed.or(of_lesson.next()).map(|row| row.language);
    if passed.is_none() {
        bail!(
            "lesson {} is not passed yet, and what you find out yourself you keep; \
             to see its solution all the same: cargo dial start {} --solution",
            args.lesson,
            args.lesson
        );
    }
    let language = args.lang.or(begun).unwrap_or(Language::Rust);
    let sources = Sources::new(&lesson.root, &lesson.folder, language);
    show(&lesson, &my, language, &sources)
}

/// The programs, one after the other; before them a sentence for those who have
/// not passed.
pub(crate) fn show(lesson: &Lesson, my: &My, language: Language, sources: &Sources) -> Result<()> {
    let rows = my.progress().rows()?;
    let passed = rows
        .iter()
        .any(|row| row.lesson == lesson.lesson && row.passed.is_some());
    let mut text = String::new();
    if !passed {
        let sentence = "You have not passed this lesson yet. Read the solution, close it, and \
                        write your own: what you find out yourself you keep.";
        text += &format!("{}\n\n", paper::wrap(sentence, 0));
    }
    let files = sources.files(Part::Solution)?;
    for side in ["server.", "client."] {
        for (name, file) in files.iter().filter(|(name, _)| name.starts_with(side)) {
            let title = format!("{name}: lesson {} in {language}", lesson.lesson);
            text += &format!("{}\n\n{file}\n", title.bold());
        }
    }
    paper::print(&text)
}
