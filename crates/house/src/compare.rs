//! Output as written against output as it came: the same but for what differs
//! from run to run.

use std::sync::LazyLock;

use regex::Regex;
use similar::TextDiff;

/// Ports, durations and rates differ from run to run.
static MASKS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    let mask = |pattern: &str| Regex::new(pattern).expect("the masks are patterns");
    [
        (
            mask(r"(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]|localhost):\d+"),
            "$1:PORT",
        ),
        (mask(r"\b\d[\d.,]*( ?)(ns|µs|us|ms|s|seconds?)\b"), "TIME"),
        (mask(r"\b\d[\d.,]* (\w+)(/s| per second)"), "RATE"),
    ]
});

/// A line that stands for any number of lines.
const ANYTHING: &str = "[…]";

fn mask(line: &str) -> String {
    let mut line = line.trim_end().to_string();
    for (pattern, name) in MASKS.iter() {
        line = pattern.replace_all(&line, *name).into_owned();
    }
    line
}

/// The difference as a text, or None when there is none.
pub(crate) fn difference(written: &[String], came: &[String]) -> Option<String> {
    let written: Vec<String> = written.iter().map(|line| mask(line)).collect();
    let came: Vec<String> = came.iter().map(|line| mask(line)).collect();
    let pattern: String = written
        .iter()
        .map(|line| match line.as_str() {
            ANYTHING => "(?:.*\n)*".to_string(),
            line => format!("{}\n", regex::escape(line)),
        })
        .collect();
    let whole = Regex::new(&format!("^{pattern}$")).expect("escaped lines are a pattern");
    let (written, came) = (lines(&written), lines(&came));
    if whole.is_match(&came) {
        return None;
    }
    let diff = TextDiff::from_lines(&written, &came);
    Some(diff.unified_diff().header("written", "came").to_string())
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}
