//! `cargo dial progress`: what was begun and passed.

use std::fmt::Write;

use anyhow::Result;
use clap::Args;
use exercise::{Course, Number, Standing};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::paper::{self, short};

#[derive(Args, Debug)]
pub(crate) struct ProgressArgs {
    /// Forget all of it, or one lesson; the old file is put aside, and your work is not touched
    #[arg(long, value_name = "LESSON", num_args = 0..=1)]
    reset: Option<Option<Number>>,
}

pub(crate) fn run(args: &ProgressArgs) -> Result<()> {
    let progress = Course::here()?.my()?.progress();
    let text = match args.reset {
        None => table(&progress.rows()?)?,
        Some(lesson) => match progress.reset(lesson)? {
            None => "There is nothing to reset.\n".to_string(),
            Some(aside) => format!("Reset. The old file is now {}.\n", short(&aside)),
        },
    };
    paper::print(&text)
}

fn table(rows: &[Standing]) -> Result<String> {
    if rows.is_empty() {
        return Ok("Nothing is begun yet. Begin: cargo dial start 1\n".into());
    }
    let mut text = String::from("lesson  language  begun             passed\n");
    for row in rows {
        let passed = row.passed.map_or("not yet".to_string(), moment);
        writeln!(
            text,
            "{:<6}  {:<8}  {}  {passed}",
            row.lesson,
            row.language.to_string(),
            moment(row.begun)
        )?;
    }
    Ok(text)
}

/// Day and time where the learner is.
fn moment(time: Timestamp) -> String {
    let here = time.to_zoned(TimeZone::system());
    here.strftime("%Y-%m-%d %H:%M").to_string()
}
