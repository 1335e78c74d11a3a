//! The lessons as a table.

use std::fmt::Write;

use anyhow::Result;
use colored::Colorize;
use exercise::{Course, Manifest, Number, Standing};

use crate::paper::{self, wrap};

/// As wide as "passed", and two spaces.
const COLUMN: usize = 8;

/// A progress file that is broken hides no lesson; its error comes after them.
pub(crate) fn run() -> Result<()> {
    let course = Course::here()?;
    let rows = course.my()?.progress().rows();
    let shown = rows.as_deref().unwrap_or_default();
    paper::print(&table(course.lessons(), shown)?)?;
    rows.map(drop)
}

fn table(lessons: &[Manifest], rows: &[Standing]) -> Result<String> {
    let mut text = String::new();
    let column = if rows.is_empty() { 0 } else { COLUMN };
    for Manifest {
        number,
        title,
        idea,
        minutes,
        new,
        ..
    } in lessons
    {
        let reached = word(rows, *number);
        let title = format!("{title}, {minutes} minutes");
        writeln!(
            text,
            "{}  {}{}",
            number.to_string().bold(),
            format!("{reached:<column$}").green(),
            title.bold()
        )?;
        let indent = 3 + column;
        writeln!(text, "{}", wrap(idea, indent))?;
        let new = wrap(&format!("new: {}", new.join(", ")), indent);
        writeln!(text, "{}\n", new.dimmed())?;
    }
    let minutes: u32 = lessons.iter().map(|lesson| lesson.minutes).sum();
    writeln!(
        text,
        "{} lessons, {minutes} minutes. Play one: cargo run -p lesson-1",
        lessons.len()
    )?;
    writeln!(text, "Do its exercise: cargo dial start 1")?;
    Ok(text)
}

/// One word on a lesson: the best that was reached in any language.
fn word(rows: &[Standing], lesson: Number) -> &'static str {
    let of_lesson = rows.iter().filter(|row| row.lesson == lesson);
    match of_lesson.map(|row| row.passed.is_some()).max() {
        Some(true) => "passed",
        Some(false) => "begun",
        None => "",
    }
}
