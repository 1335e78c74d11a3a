//! Why a line is no rule, said so that it helps.

use std::fmt;
use std::ops::Range;

/// Why a line is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The number of the line, from 1; 1 for a single rule.
    pub line: usize,
    pub(super) text: String,
    pub(super) place: Range<usize>,
    pub(super) what: String,
}

impl fmt::Display for RuleError {
    /// The line, a mark below what is wrong, and what is wrong.
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let width = |text: &str| text.chars().count();
        let before = " ".repeat(width(&self.text[..self.place.start]));
        let mark = "^".repeat(width(&self.text[self.place.clone()]).max(1));
        let number = format!("{}", self.line);
        let gap = " ".repeat(number.len());
        writeln!(out, "rule {number}: {}", self.text)?;
        writeln!(out, "     {gap}  {before}{mark}")?;
        write!(out, "{}", self.what)
    }
}

impl std::error::Error for RuleError {}

/// The words that are nearest to this one, if it looks like one of them.
pub(super) fn nearest<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let far = |known: &&str| distance(&word, known);
    let least = known.clone().map(|known| far(&known)).min();
    // A word of which half is wrong is another word.
    let limit = word.chars().count().div_ceil(2).min(3);
    match least.filter(|least| *least <= limit) {
        Some(least) => known.filter(|known| far(known) == least).collect(),
        None => Vec::new(),
    }
}

/// How many letters are to be added, left out, changed, or to change places with
/// the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // far[i][j]: from the first i letters of one to the first j of the other.
    let mut far = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            far[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = far[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                change.min(far[i - 1][j] + 1).min(far[i][j - 1] + 1)
            };
            let exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if exchanged {
                far[i][j] = far[i][j].min(far[i - 2][j - 2] + 1);
            }
        }
    }
    far[a.len()][b.len()]
}
