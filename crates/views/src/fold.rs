//! Where a row may end.

use textwrap::core::Word;
use unicode_width::UnicodeWidthStr;

/// The pieces between which a row may end: words, but for marks that mean
/// something only together with their neighbour; and the members of a list that
/// has no gaps, such as `SOCK_STREAM|SOCK_NONBLOCK`.
pub(crate) fn pieces(line: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, behind) = rest.split_at(end_of_piece(rest));
        rest = behind;
        Some(Word::from(piece))
    })
}

fn end_of_piece(line: &str) -> usize {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        let (piece, behind) = line.split_at(at);
        let gap = before == ' ' && character != ' ' && !piece.trim_end().is_empty();
        let member = match before {
            '|' => character != ' ',
            // Not within 1,024.
            ',' => character != ' ' && !character.is_ascii_digit(),
            _ => false,
        };
        if member || (gap && !holds(piece, behind)) {
            return at;
        }
        before = character;
    }
    line.len()
}

/// Whether what stands before a gap and what stands behind it belong together:
/// an arrow and the result that it points to, data and its dots, a number and
/// its unit.
fn holds(before: &str, behind: &str) -> bool {
    let last = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let next = behind.split(' ').next().unwrap_or_default();
    let dots = next.starts_with('…') || next.starts_with("...");
    let unit = matches!(next, "ms" | "s" | "bytes") && last.ends_with(|c: char| c.is_ascii_digit());
    matches!(last, "→" | "->") || dots || unit
}

/// The mark of what a program prints does not stand alone in a row: where there is
/// no room for the gap that the line begins with, there is less of a gap.
pub(crate) fn no_lonely_mark(words: &mut [Word], width: usize) {
    let Some(at) = words.iter().take(2).position(|word| word.word == ">") else {
        return;
    };
    let Some(first) = words.get(at + 1) else {
        return;
    };
    let before: usize = words[..at].iter().map(|word| word.word.width() + 1).sum();
    let taken = before + 1 + first.word.width();
    let room = width.saturating_sub(taken).max(1);
    let gap = words[at].whitespace;
    words[at].whitespace = &gap[..gap.len().min(room)];
}

#[cfg(test)]
mod tests {
    use super::pieces;

    fn of(line: &str) -> Vec<String> {
        pieces(line).map(|word| word.to_string()).collect()
    }

    #[test]
    fn a_row_may_end_between_words_and_between_flags() {
        assert_eq!(
            of("socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK)"),
            ["socket(AF_UNIX,", "SOCK_STREAM|", "SOCK_NONBLOCK)"]
        );
        assert_eq!(of("at most 1,024"), ["at", "most", "1,024"]);
    }

    #[test]
    fn a_mark_keeps_its_neighbour() {
        assert_eq!(of("bind(3) → EADDRINUSE"), ["bind(3)", "→ EADDRINUSE"]);
        assert_eq!(of("recv(3, ≤8) …"), ["recv(3,", "≤8) …"]);
        assert_eq!(of("accept(3) → 4, 5.1 ms"), ["accept(3)", "→ 4,", "5.1 ms"]);
        assert_eq!(of("send(3, \"x\" …) …"), ["send(3,", "\"x\" …) …"]);
    }

    #[test]
    fn nothing_is_lost() {
        for line in ["", " ", "  a  b ", "|", ",,", "→ …", "1,a|b"] {
            let whole: String = pieces(line)
                .map(|word| format!("{}{}", word.word, word.whitespace))
                .collect();
            assert_eq!(whole, line);
        }
    }
}
