//! What a person reads: a line for a check that passed, a story for one that
//! failed.

use std::cell::Cell;
use std::fmt::Write;
use std::iter;
use std::time::Duration;

use colored::Colorize;

use timeline::Stream;
use views::text::wrap;

use crate::bytes::{around, first_difference, how_many};
use crate::fault::Contrast;
use crate::outcome::{Finding, Outcome};
use crate::plan::Check;
use crate::setup::Setup;

/// How many rows of a program's output are shown, the last ones.
const ROWS: usize = 14;
/// How many rows one line may take of them.
const ROWS_OF_A_LINE: usize = 4;
/// Where the text of a failure begins.
const INDENT: usize = 6;

/// Where the report is written to.
pub(crate) struct Report {
    width: usize,
    hint: bool,
    /// How one gets hints, if it is another way than `--hint`.
    way: Option<String>,
    /// Whether what was written last ends in an empty line.
    apart: Cell<bool>,
}

impl Report {
    pub(crate) fn of_stdout(hint: bool, way: Option<String>) -> Self {
        // The report has decided; the library is not to decide again.
        colored::control::set_override(kernel::terminal::colour());
        let width = kernel::terminal::width();
        Self {
            width: width.clamp(40, 100),
            hint,
            way,
            apart: Cell::new(true),
        }
    }

    /// An empty line, if there is none yet.
    fn gap(&self) -> &'static str {
        if self.apart.replace(true) { "" } else { "\n" }
    }

    pub(crate) fn list(&self, checks: &[&Check]) -> String {
        let width = checks.iter().map(|check| check.address.len()).max();
        let width = width.unwrap_or(0);
        let rows = checks
            .iter()
            .map(|check| self.row(check.address, width, check.behaviour));
        rows.collect()
    }

    fn row(&self, address: &str, width: usize, text: &str) -> String {
        let first = format!("{address:<width$}  ");
        let next = " ".repeat(width + 2);
        let options = options(self.width)
            .initial_indent(&first)
            .subsequent_indent(&next);
        textwrap::fill(text, options) + "\n"
    }

    pub(crate) fn header(&self, lesson: u32, setup: &Setup, evidence: Option<&str>) -> String {
        let mut text = format!("{}\n", format!("Checks of lesson {lesson}").bold());
        for (side, command) in [("server", &setup.server), ("client", &setup.client)] {
            if let Some(command) = command {
                text += &self.wrapped(2, &format!("{side}  "), command);
            }
        }
        if let Some(evidence) = evidence {
            text += &self.wrapped(2, "note    ", evidence);
        }
        text + "\n"
    }

    pub(crate) fn outcome(&self, outcome: &Outcome) -> String {
        let check = outcome.check;
        match &outcome.account.finding {
            // One quiet line; what has no room in it stands in --list.
            Finding::Passed => {
                self.apart.set(false);
                let first = format!("  {}  {}", "ok".green(), check.address);
                let cells = 8 + check.address.len() + check.behaviour.len();
                if cells <= self.width {
                    format!("{first}  {}\n", check.behaviour)
                } else {
                    format!("{first}\n")
                }
            }
            Finding::Failed(contrast) => self.failed(outcome, contrast),
            Finding::Untested(why) => {
                let mut text = self.title("NOT TESTED".yellow().bold(), check);
                text += &self.wrapped(INDENT, "", why);
                text.push('\n');
                text += &self.story(outcome);
                text += &self.said(outcome);
                text + "\n"
            }
        }
    }

    fn title(&self, word: impl std::fmt::Display, check: &Check) -> String {
        let first = format!("{}  {word}  {}\n", self.gap(), check.address.bold());
        first + &self.wrapped(INDENT, "", check.behaviour) + "\n"
    }

    fn failed(&self, outcome: &Outcome, contrast: &Contrast) -> String {
        let check = outcome.check;
        let mut text = self.title("FAILED".red().bold(), check);
        text += &self.story(outcome);
        text.push('\n');
        text += &self.contrast(contrast);
        text += &self.said(outcome);
        text += &xray(outcome);
        text.push('\n');
        let lines = [
            ("usual cause  ", outcome.cause()),
            ("taught in    ", check.taught),
        ];
        for (word, what) in lines {
            if !what.is_empty() {
                text += &self.wrapped(INDENT, word, what);
            }
        }
        if self.hint {
            for (number, hint) in check.hints.iter().enumerate() {
                text += &self.wrapped(INDENT, &format!("hint {}       ", number + 1), hint);
            }
        } else if !check.hints.is_empty() {
            let command = format!("--only {} --hint", check.address);
            let way = self.way.as_ref().unwrap_or(&command);
            text += &self.wrapped(INDENT, "hints        ", way);
        }
        text + "\n"
    }

    fn story(&self, outcome: &Outcome) -> String {
        let steps = outcome.account.steps.iter().enumerate();
        let rows =
            steps.map(|(index, step)| self.wrapped(INDENT, &format!("{:>2}. ", index + 1), step));
        rows.collect()
    }

    fn contrast(&self, contrast: &Contrast) -> String {
        match contrast {
            Contrast::Words { expected, seen, .. } => {
                self.wrapped(INDENT, "expected  ", expected)
                    + &self.wrapped(INDENT, "seen      ", seen)
            }
            Contrast::Bytes {
                expected,
                seen,
                then,
            } => bytes(expected, seen, then),
        }
    }

    /// What the programs wrote, each under its name.
    fn said(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        for said in &outcome.account.said {
            if said.lines.is_empty() {
                continue;
            }
            let _ = writeln!(text, "\n{:INDENT$}{} wrote", "", said.name);
            // Two pipes: which of them was written first, nobody knows. An error
            // that ended the program stands last.
            let both = said.on(Stream::Stdout).chain(said.on(Stream::Stderr));
            let lines: Vec<&str> = both.collect();
            let mut shown: Vec<Vec<String>> = Vec::new();
            for line in lines.iter().rev() {
                let rows = self.rows_of(line);
                let count: usize = shown.iter().map(Vec::len).sum();
                if count + rows.len() > ROWS {
                    break;
                }
                shown.push(rows);
            }
            match lines.len() - shown.len() {
                0 => {}
                1 => text += &format!("{:INDENT$}| (1 line before)\n", ""),
                left => text += &format!("{:INDENT$}| ({left} lines before)\n", ""),
            }
            for row in shown.iter().rev().flatten() {
                let _ = writeln!(text, "{:INDENT$}| {row}", "");
            }
        }
        text
    }

    /// A line that a program wrote; of a long one the beginning.
    fn rows_of(&self, line: &str) -> Vec<String> {
        let room = self.width - INDENT - 4;
        // What has no room is not even wrapped: it can be 64 KiB.
        let most = (ROWS_OF_A_LINE + 1) * room;
        let end = line.char_indices().nth(most).map_or(line.len(), |at| at.0);
        let mut rows = wrap(&line[..end], room);
        let cut = rows.len() > ROWS_OF_A_LINE;
        rows.truncate(ROWS_OF_A_LINE);
        if let (true, Some(last)) = (cut, rows.last_mut()) {
            last.push_str(" …");
        }
        rows
    }

    pub(crate) fn footer(&self, outcomes: &[Outcome], left_out: usize, time: Duration) -> String {
        let count = |fits: fn(&Finding) -> bool| {
            let findings = outcomes.iter().map(|one| &one.account.finding);
            findings.filter(|finding| fits(finding)).count()
        };
        let passed = count(|finding| matches!(finding, Finding::Passed));
        let mut parts = vec![format!("{passed} passed")];
        let others = [
            (
                count(|finding| matches!(finding, Finding::Failed(_))),
                "failed",
            ),
            (
                count(|finding| matches!(finding, Finding::Untested(_))),
                "could not be tested",
            ),
            (left_out, "left out"),
        ];
        let some = others.iter().filter(|(count, _)| *count > 0);
        parts.extend(some.map(|(count, what)| format!("{count} {what}")));
        let (gap, parts) = (self.gap(), parts.join(", "));
        format!("{gap}{parts}, in {:.1} s\n", time.as_secs_f64())
    }

    /// Text behind a word, wrapped so that it stays behind it.
    fn wrapped(&self, indent: usize, word: &str, text: &str) -> String {
        let first = format!("{:indent$}{word}", "");
        let next = " ".repeat(first.len());
        let room = self.width.saturating_sub(first.len());
        let rows = text.split('\n').flat_map(|line| wrap(line, room));
        let before = iter::once(&first).chain(iter::repeat(&next));
        let rows = before.zip(rows);
        rows.map(|(before, row)| format!("{before}{row}\n"))
            .collect()
    }
}

/// Words are not cut, not even at a hyphen: it may be one of a name.
fn options(width: usize) -> textwrap::Options<'static> {
    textwrap::Options::new(width).word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// The last that the X-ray saw.
fn xray(outcome: &Outcome) -> String {
    if outcome.account.xray.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{:INDENT$}the X-ray, at its end\n", "");
    for row in &outcome.account.xray {
        text += &format!("{:INDENT$}{row}\n", "");
    }
    text
}

/// Both rows of bytes, one below the other, and a mark below the first that is
/// wrong or missing.
fn bytes(expected: &[u8], seen: &[u8], then: &str) -> String {
    let place = first_difference(expected, seen);
    let (wanted, _) = around(expected, place);
    let (got, cells) = around(seen, place);
    let counts = [expected, seen].map(how_many);
    let width = counts.iter().map(String::len).max().unwrap_or(0);
    let then = if then.is_empty() {
        String::new()
    } else {
        format!(", then {then}")
    };
    let mark = match (place < expected.len(), place < seen.len()) {
        (true, true) => format!("byte {} is the first that is wrong", place + 1),
        (true, false) => format!("byte {} is missing", place + 1),
        _ => format!("byte {} is one too many", place + 1),
    };
    let before = " ".repeat(INDENT + "expected  ".len() + width + 2 + cells);
    let [expected, seen] = counts;
    format!(
        "{0:INDENT$}expected  {expected:width$}  {wanted}\n\
         {0:INDENT$}seen      {seen:width$}  {got}{then}\n{before}^ {mark}\n",
        ""
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn report() -> Report {
        Report {
            width: 40,
            hint: false,
            way: None,
            apart: Cell::new(true),
        }
    }

    #[rstest]
    #[case::short("a line", 1)]
    #[case::empty("", 1)]
    #[case::long(&"word ".repeat(1000), 4)]
    #[case::without_an_end(&"x".repeat(65_536), 4)]
    #[case::wide(&"你".repeat(65_536), 4)]
    fn a_long_line_of_a_program_takes_four_rows_and_says_that_it_goes_on(
        #[case] line: &str,
        #[case] rows: usize,
    ) {
        let shown = report().rows_of(line);
        assert_eq!(shown.len(), rows);
        assert_eq!(shown[rows - 1].ends_with('…'), rows == 4);
        assert!(shown.iter().all(|row| row.width() <= 40 - INDENT - 2));
    }

    #[test]
    fn no_word_is_cut_at_a_hyphen() {
        let report = report();
        let text = report.wrapped(6, "hints  ", "--only 2/callers/hundred-in-a-row --hint");
        assert!(text.contains("2/callers/hundred-in-a-row"), "{text}");
    }
}
