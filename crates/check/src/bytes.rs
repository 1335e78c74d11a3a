//! Bytes as a person reads them, and where two rows of them differ.

use unicode_width::UnicodeWidthStr;

/// How many cells are filled on each side of the place that matters.
const AROUND: usize = 20;

/// Text in quotes, escaped where it is none; of long ones the beginning.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let length = fitting(bytes, 2 * AROUND);
    let more = if length < bytes.len() { " …" } else { "" };
    format!("\"{}\"{more}", escaped(&bytes[..length]))
}

/// How many bytes from the beginning have room in so many cells.
fn fitting(bytes: &[u8], cells: usize) -> usize {
    // No byte needs less than half a cell: three of them make two.
    let mut length = bytes.len().min(2 * cells);
    while escaped(&bytes[..length]).width() > cells {
        length = cut(bytes, length - 1);
    }
    length
}

/// How many, and which.
pub(crate) fn counted(bytes: &[u8]) -> String {
    match bytes {
        [] => how_many(bytes),
        _ => format!("{}: {}", how_many(bytes), quoted(bytes)),
    }
}

/// How many.
pub(crate) fn how_many(bytes: &[u8]) -> String {
    match bytes.len() {
        1 => "1 byte".into(),
        count => format!("{count} bytes"),
    }
}

/// The first place at which one has something that the other has not.
pub(crate) fn first_difference(expected: &[u8], seen: &[u8]) -> usize {
    let pairs = expected.iter().zip(seen);
    let same = pairs.take_while(|(a, b)| a == b);
    same.count()
}

/// The bytes around a place, in quotes, and how many cells stand before it.
pub(crate) fn around(bytes: &[u8], place: usize) -> (String, usize) {
    let place = place.min(bytes.len());
    let mut start = place.saturating_sub(2 * AROUND);
    while start < place
        && (is_inside(bytes, start) || escaped(&bytes[start..place]).width() > AROUND)
    {
        start += 1;
    }
    let end = place + fitting(&bytes[place..], AROUND);
    let front = if start > 0 { "… \"" } else { "\"" };
    let back = if end < bytes.len() { "\" …" } else { "\"" };
    let before = escaped(&bytes[start..place]);
    let after = escaped(&bytes[place..end]);
    let cells = front.width() + before.width();
    (format!("{front}{before}{after}{back}"), cells)
}

/// A place near this one, not behind it, at which no character is cut.
fn cut(bytes: &[u8], place: usize) -> usize {
    let near = (place.saturating_sub(3)..=place).rev();
    near.into_iter()
        .find(|place| !is_inside(bytes, *place))
        .unwrap_or(place)
}

/// Whether the byte here goes on with a character: 10xxxxxx in UTF-8.
fn is_inside(bytes: &[u8], place: usize) -> bool {
    bytes.get(place).is_some_and(|byte| byte & 0xC0 == 0x80)
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' => text.push('\''),
                '\n' | '\r' | '\t' | '\0' => text.extend(character.escape_debug()),
                control if control.is_ascii_control() => {
                    text += &format!("\\x{:02x}", u32::from(control));
                }
                other => text.extend(other.escape_debug()),
            }
        }
        text += &chunk.invalid().escape_ascii().to_string();
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_is_no_text_is_escaped_and_what_is_text_is_not() {
        assert_eq!(counted("你\r\n".as_bytes()), "5 bytes: \"你\\r\\n\"");
        assert_eq!(counted(b"\xff"), "1 byte: \"\\xff\"");
        assert_eq!(counted(b"\0\x14'"), "3 bytes: \"\\0\\x14'\"");
        assert_eq!(counted(b""), "0 bytes");
    }

    #[test]
    fn the_cells_before_a_place_are_those_that_are_drawn() {
        let (text, cells) = around("你好x".as_bytes(), 6);
        assert_eq!((text.as_str(), cells), ("\"你好x\"", 5));
        let long = [b'a'; 100];
        let (text, cells) = around(&long, 50);
        assert_eq!(text, format!("… \"{}\" …", "a".repeat(40)));
        assert_eq!(cells, 3 + 20);
    }

    #[rstest]
    #[case::wrong(b"abc", b"axc", 1)]
    #[case::at_once(b"abc", b"xbc", 0)]
    #[case::missing(b"abc", b"ab", 2)]
    #[case::one_too_many(b"ab", b"abc", 2)]
    #[case::nothing_came(b"ab", b"", 0)]
    #[case::the_same(b"ab", b"ab", 2)]
    fn the_first_difference_is_the_first(
        #[case] expected: &[u8],
        #[case] seen: &[u8],
        #[case] place: usize,
    ) {
        assert_eq!(first_difference(expected, seen), place);
    }

    #[test]
    fn long_bytes_are_shown_with_no_character_cut() {
        let long = "你".repeat(100);
        assert_eq!(
            quoted(long.as_bytes()),
            format!("\"{}\" …", "你".repeat(20))
        );
    }

    #[test]
    fn a_place_behind_the_end_is_the_end() {
        let (text, cells) = around(b"ab", 2);
        assert_eq!((text.as_str(), cells), ("\"ab\"", 3));
    }
}
