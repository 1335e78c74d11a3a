//! What is written on a packet, as much as there is room for.

use unicode_width::UnicodeWidthStr;
use views::reading::Meaning;
use views::said;
use views::words::Words;

use super::cut;
use crate::board::Row;
use crate::look::Look;

/// What it is, what happened to it, its data, and its numbers: the first that
/// fit.
pub(super) fn label(row: &Row, width: usize, look: Look) -> String {
    let data = |bytes| {
        let (hex, ascii) = (false, look.ascii);
        let words = Words { bytes, hex, ascii };
        said::packet(words, &row.packet, row.relative).data
    };
    let head = row.said.first();
    let long = head.map_or("", |head| head.text.as_str());
    let short = head.and_then(|head| head.short.as_deref());
    let marks = marks(row);
    let with = |head: &str, data: Option<String>| {
        let parts = std::iter::once(head.to_string());
        let parts = parts.chain(marks.iter().cloned()).chain(data);
        parts.collect::<Vec<_>>().join(" ")
    };
    // The data says more than the word "bytes".
    let heads = [long, short.unwrap_or(long)].into_iter();
    let mut tries = heads.flat_map(|head| [24, 12, 6].map(|bytes| (head, bytes)));
    let with_data = tries.find_map(|(head, bytes)| {
        let text = with(head, Some(data(bytes)?));
        (text.width() <= width).then_some(text)
    });
    let mut text = with_data.unwrap_or_else(|| cut(&with(long, None), width, look));
    let numbers = row.said.iter();
    for number in numbers.filter(|piece| piece.meaning == Meaning::Number) {
        if text.width() + 1 + number.text.width() <= width {
            text = format!("{text} {}", number.text);
        }
    }
    views::text::printable(&text)
}

/// What is special about it.
fn marks(row: &Row) -> Vec<String> {
    let mut marks = Vec::new();
    match row.copies.len() {
        0 => {}
        1 => marks.push("+1 copy".to_string()),
        copies => marks.push(format!("+{copies} copies")),
    }
    marks.extend(row.fates().filter_map(|fate| fate.short.clone()));
    if row.swaps && row.waits() {
        marks.push("to be swapped".to_string());
    }
    marks
}
