//! A line cut into words, each with its place.

use std::ops::Range;

/// A word of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) what: Kind<'a>,
    /// Where it stands, in bytes.
    pub(super) place: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'a> {
    Word(&'a str),
    /// Digits, with at most one point between them.
    Number(&'a str),
    /// `>`, `<`, `=`, `%`.
    Sign(char),
}

/// Never fails: what has no meaning becomes a word that nobody knows.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = line[at..].chars().next() {
        let rest = &line[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (what, length) = match first {
            '#' => break,
            '>' | '<' | '=' | '%' => (Kind::Sign(first), 1),
            '0'..='9' => {
                let length = number(rest);
                (Kind::Number(&rest[..length]), length)
            }
            _ => {
                let length = word(rest);
                (Kind::Word(&rest[..length]), length)
            }
        };
        let place = at..at + length;
        tokens.push(Token { what, place });
        at += length;
    }
    tokens
}

fn number(text: &str) -> usize {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        Some(0) | None => whole,
        Some(behind) => whole + 1 + behind,
    }
}

/// Up to a space, a digit or a sign; the `>` of an arrow belongs to it.
fn word(text: &str) -> usize {
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let ends = match character {
            '>' => before != '-',
            '<' | '=' | '%' | '#' => true,
            _ => character.is_whitespace() || character.is_ascii_digit(),
        };
        if ends && at > 0 {
            return at;
        }
        before = character;
    }
    text.len()
}
