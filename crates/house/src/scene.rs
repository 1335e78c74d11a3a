//! A lesson's scene, played for a test, and what stands on its page.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr;

/// A scene that has been played to its end.
#[derive(Debug)]
pub struct Scene {
    shown: String,
    took: Duration,
}

impl Scene {
    /// Plays the scene of the program `lesson-N` with these arguments, into a pipe
    /// and without a keyboard.
    ///
    /// # Panics
    /// When it does not end well, or complains.
    pub fn play(executable: &str, args: &[&str]) -> Self {
        let started = Instant::now();
        let mut scene = Command::new(executable);
        let output = scene.args(args).stdin(Stdio::null()).output();
        let output = output.expect("start the scene");
        let shown = String::from_utf8(output.stdout).expect("a page is text");
        let complaint = String::from_utf8_lossy(&output.stderr);
        let well = output.status.success() && complaint.is_empty();
        assert!(well, "{:?}\n{shown}\n{complaint}", output.status);
        let took = started.elapsed();
        Self { shown, took }
    }

    /// The whole page.
    pub fn text(&self) -> &str {
        &self.shown
    }

    /// # Panics
    /// When it took longer than a scene may: 15 seconds.
    pub fn is_short(&self) {
        assert!(self.took < Duration::from_secs(15), "{:?}", self.took);
    }

    /// # Panics
    /// When a row is wider than 80 columns, of which a Chinese character takes two,
    /// or there is an escape code.
    pub fn fits_a_page(&self) {
        assert!(!self.shown.contains('\x1b'), "{}", self.shown);
        for row in self.shown.lines() {
            assert!(row.width() <= 80, "{row}");
        }
    }

    /// # Panics
    /// When something is drawn with other characters than those of ASCII. What
    /// the programs say is theirs: letters, and dots where they leave words out.
    pub fn is_drawn_in_ascii(&self) {
        let ours = |c: &char| !c.is_ascii() && !c.is_alphanumeric() && *c != '…';
        let drawn: Vec<char> = self.shown.chars().filter(ours).collect();
        assert!(drawn.is_empty(), "{drawn:?} in:\n{}", self.shown);
    }

    /// # Panics
    /// When these words do not stand on the page in this order.
    pub fn tells(&self, words: &[&str]) {
        let mut rest = self.shown.as_str();
        for expected in words {
            let at = rest.find(expected);
            let at = at.unwrap_or_else(|| {
                panic!("no {expected:?}, or too early, in:\n{}", self.shown);
            });
            rest = &rest[at + expected.len()..];
        }
    }

    /// # Panics
    /// When one of these signs stands nowhere, or the X-ray could not see
    /// something, or there are more rows than that.
    pub fn shows(&self, signs: &[&str], most_rows: usize) {
        for sign in signs {
            assert!(self.shown.contains(sign), "no {sign} in:\n{}", self.shown);
        }
        assert!(!self.shown.contains("not seen"), "{}", self.shown);
        let rows = self.shown.lines().count();
        assert!(rows <= most_rows, "{rows} rows");
    }

    /// Explanations, each with what the event right above it shows.
    ///
    /// # Panics
    /// When an explanation stands nowhere, or below another event.
    pub fn explains(&self, pairs: &[(&str, &str)]) {
        for (explanation, event) in pairs {
            let above = self.above(explanation);
            assert!(
                above.contains(event),
                "{explanation:?} stands below {above}"
            );
        }
    }

    /// The rows of the one event that stands right above the explanation, as one.
    fn above(&self, explanation: &str) -> String {
        let rows: Vec<&str> = self.shown.lines().collect();
        let told = rows.iter().position(|row| row.contains(explanation));
        let told = told.unwrap_or_else(|| panic!("no {explanation:?} in:\n{}", self.shown));
        let has_time = |row: &&str| {
            let time = row.get(..8).map(str::trim);
            time.is_some_and(|time| time.parse::<f64>().is_ok())
        };
        let event = rows[..told].iter().rposition(has_time);
        let event = event.unwrap_or_else(|| panic!("no event above {explanation:?}"));
        let words = rows[event..told].iter();
        let words = words.flat_map(|row| row.split_whitespace());
        words.collect::<Vec<_>>().join(" ")
    }
}

/// # Panics
/// When the scene complains because nobody reads it any more, as in `| head`.
pub fn a_reader_may_go_away(executable: &str) {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let mut scene = Command::new(executable);
    let output = scene.stdin(Stdio::null()).stdout(writer).output();
    let output = output.expect("start the scene");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
