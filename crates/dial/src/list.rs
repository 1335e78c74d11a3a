//! The lessons as a table.

use std::fmt::Write;

use anyhow::Result;
use colored::Colorize;
use exercise::Row;

use crate::lessons::{self, Lesson};
use crate::paper::{self, wrap};
use crate::progress::word;

/// As wide as "passed", and two spaces.
const COLUMN: usize = 8;

/// A progress file that is broken hides no lesson; its error comes after them.
pub(crate) fn run() -> Result<()> {
    let rows = lessons::my()?.progress().rows();
    paper::print(&table(
        &lessons::all()?,
        rows.as_deref().unwrap_or_default(),
    )?)?;
    rows.map(drop)
}

fn table(lessons: &[Lesson], rows: &[Row]) -> Result<String> {
    let mut text = String::new();
    let column = if rows.is_empty() { 0 } else { COLUMN };
    for Lesson {
        lesson,
        title,
        idea,
        minutes,
        new,
        ..
    } in lessons
    {
        let reached = word(rows, *lesson);
        let title = format!("{title}, {minutes} minutes");
        writeln!(
            text,
            "{}  {}{}",
            lesson.to_string().bold(),
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
