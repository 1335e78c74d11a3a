//! What is never cut in two: an escape such as `\xfb`, and a character with the
//! marks on it.

use textwrap::core::Word;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// So many cells of a row go with what closes it.
const COMPANY: usize = 8;

/// Joins two characters to one picture.
const JOINER: char = '\u{200d}';

/// A text, one unit after the other. It must not begin inside an escape.
pub(crate) fn units(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (unit, behind) = rest.split_at(escape(rest).unwrap_or_else(|| character(rest)));
        rest = behind;
        Some(unit)
    })
}

/// As much of a text as has room in so many cells.
pub fn fitting(text: &str, cells: usize) -> &str {
    let (mut end, mut used) = (0, 0);
    for unit in units(text) {
        used += unit.width();
        if used > cells {
            break;
        }
        end += unit.len();
    }
    &text[..end]
}

/// The parts of a word that is wider than a row, because nothing may be lost.
/// Only an escape that is wider than a row itself is cut.
pub(crate) fn parts(word: Word<'_>, width: usize) -> Vec<Word<'_>> {
    if word.word.width() <= width {
        return vec![word];
    }
    let mut parts = Vec::new();
    let mut rest = word.word;
    while !rest.is_empty() {
        let end = match fitting(rest, width).len() {
            0 => character(rest),
            end if only_closes(&rest[end..]) => end - company(&rest[..end]),
            end => end,
        };
        let (part, behind) = rest.split_at(end);
        parts.push(Word::from(part));
        rest = behind;
    }
    if let Some(last) = parts.last_mut() {
        last.whitespace = word.whitespace;
    }
    parts
}

/// Whether this is not to stand alone in a row: the end of a list, or the dots
/// that say that data goes on.
fn only_closes(text: &str) -> bool {
    let text = text.trim_start();
    !text.is_empty() && text.width() < COMPANY && text.starts_with([')', ',', '"', '…', '.'])
}

/// How much of a row's end goes with what closes it: the last units that have so
/// few cells, or the last one. Something stays.
fn company(row: &str) -> usize {
    let data = row.trim_end();
    let mut start = 0;
    for unit in units(data) {
        let is_last = start + unit.len() == data.len();
        if start > 0 && (is_last || data[start..].width() <= COMPANY) {
            return row.len() - start;
        }
        start += unit.len();
    }
    0
}

/// How long the escape is that a text begins with.
fn escape(text: &str) -> Option<usize> {
    let behind = text.strip_prefix('\\')?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_hexdigit).count();
    match behind.chars().next()? {
        'x' => Some(2 + digits(&behind[1..]).min(2)),
        'u' => {
            let number = behind[1..].strip_prefix('{').unwrap_or_default();
            let count = digits(number);
            let whole = number[count..].starts_with('}') && count <= 6;
            Some(if whole { 4 + count } else { 2 })
        }
        one => one.is_ascii_graphic().then_some(2),
    }
}

/// How long the first character of a text is, with all that stands on it.
fn character(text: &str) -> usize {
    let mut before = None;
    for (at, character) in text.char_indices() {
        let alone = character.width().unwrap_or(0) > 0 && before != Some(JOINER);
        if alone && before.is_some() {
            return at;
        }
        before = Some(character);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::newline(r"a\nb", &["a", r"\n", "b"])]
    #[case::byte(r"\xfb\xff", &[r"\xfb", r"\xff"])]
    #[case::byte_and_digits(r"\x0a12", &[r"\x0a", "1", "2"])]
    #[case::number(r"\u{4f60}!", &[r"\u{4f60}", "!"])]
    #[case::backslash_and_letters(r"\\xfb", &[r"\\", "x", "f", "b"])]
    #[case::quote("\\\"\"", &["\\\"", "\""])]
    #[case::backslash_at_the_end(r"a\", &["a", r"\"])]
    #[case::backslash_and_a_gap(r"\ n", &[r"\", " ", "n"])]
    #[case::no_digits(r"\xyz", &[r"\x", "y", "z"])]
    #[case::one_digit(r"\x1g", &[r"\x1", "g"])]
    #[case::not_closed(r"\u{4f60", &[r"\u", "{", "4", "f", "6", "0"])]
    #[case::too_long(r"\u{1234567}", &[r"\u", "{", "1", "2", "3", "4", "5", "6", "7", "}"])]
    #[case::wide("你好", &["你", "好"])]
    #[case::behind_a_backslash("\\你", &["\\", "你"])]
    #[case::marks("e\u{301}e", &["e\u{301}", "e"])]
    #[case::joined("👩\u{200d}💻!", &["👩\u{200d}💻", "!"])]
    fn an_escape_and_a_character_with_its_marks_are_one(
        #[case] text: &str,
        #[case] expected: &[&str],
    ) {
        assert_eq!(units(text).collect::<Vec<_>>(), expected);
    }

    #[rstest]
    #[case::all("abc", 3, "abc")]
    #[case::escape(r"ab\xfb", 5, "ab")]
    #[case::wide("你好", 3, "你")]
    #[case::mark("ae\u{301}", 2, "ae\u{301}")]
    #[case::nothing("你", 1, "")]
    fn what_fits_ends_between_units(
        #[case] text: &str,
        #[case] cells: usize,
        #[case] expected: &str,
    ) {
        assert_eq!(fitting(text, cells), expected);
    }

    #[rstest]
    #[case::fits("abc  ", 3, &["abc  "])]
    #[case::escapes(r"\xfb\xff\n ", 5, &[r"\xfb", r"\xff", r"\n "])]
    #[case::wide("你好吗", 5, &["你好", "吗"])]
    #[case::wider_than_a_row(r"\xfbab", 2, &[r"\", "xf", "ba", "b"])]
    #[case::dots_with_company("\"abcdefghijklmn\" …", 16, &["\"abcdefg", "hijklmn\" …"])]
    #[case::brackets_with_company("\"abcdefghijk\" …) …", 15, &["\"abcdef", "ghijk\" …) …"])]
    #[case::a_comma_with_company("\"abcdefghijklm\",", 15, &["\"abcdef", "ghijklm\","])]
    #[case::company_is_whole(r"abcd\xfbabcdef …", 14, &[r"abcd\xfb", "abcdef …"])]
    #[case::company_is_wide(r"\u{4f60}\u{4f60} …", 17, &[r"\u{4f60}", r"\u{4f60} …"])]
    #[case::a_quote_with_company(r#""\u{4f60}\u{4f60}" ..."#, 17, &[r#""\u{4f60}"#, r#"\u{4f60}" ..."#])]
    #[case::wide_company("你好你好你好 …", 12, &["你好", "你好你好 …"])]
    #[case::a_character_wider_than_a_row("你好", 1, &["你", "好"])]
    fn a_wide_word_has_parts_that_fit(
        #[case] word: &str,
        #[case] width: usize,
        #[case] expected: &[&str],
    ) {
        let parts = parts(Word::from(word), width);
        let written = parts
            .iter()
            .map(|part| format!("{}{}", part.word, part.whitespace));
        assert_eq!(written.collect::<Vec<_>>(), expected);
    }
}
