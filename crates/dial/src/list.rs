//! The lessons as a table.

use std::fmt::Write;

use anyhow::Result;
use colored::Colorize;

use crate::lessons::{self, Lesson};
use crate::paper::wrap;

pub(crate) fn run() -> Result<String> {
    let mut text = String::new();
    let lessons = lessons::all()?;
    for Lesson {
        lesson,
        title,
        idea,
        minutes,
        new,
        ..
    } in &lessons
    {
        writeln!(
            text,
            "{}",
            format!("{lesson}  {title}, {minutes} minutes").bold()
        )?;
        writeln!(text, "{}", wrap(idea, 3))?;
        writeln!(
            text,
            "{}",
            wrap(&format!("new: {}", new.join(", ")), 3).dimmed()
        )?;
        writeln!(text)?;
    }
    let minutes: u32 = lessons.iter().map(|lesson| lesson.minutes).sum();
    writeln!(
        text,
        "{} lessons, {minutes} minutes. Play one: cargo run -p lesson-1",
        lessons.len()
    )?;
    Ok(text)
}
