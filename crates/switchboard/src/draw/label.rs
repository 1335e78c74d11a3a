//! What is written on a packet, as much as there is room for.

use timeline::cable::Fate;
use unicode_width::UnicodeWidthStr;
use views::said;
use views::words::Words;

use super::cut;
use crate::board::Row;
use crate::look::Look;

/// What it is, what happened to it, its data, and its numbers: the first that
/// fit.
pub(super) fn label(row: &Row, width: usize, look: Look) -> String {
    let of = |bytes| {
        let (hex, ascii) = (false, look.ascii);
        let words = Words { bytes, hex, ascii };
        said::packet(words, &row.packet, row.relative)
    };
    let marks = marks(row);
    let whole = of(0);
    let short = whole.head.replace(" bytes", " B");
    let mut text = cut(
        &[vec![whole.head.clone()], marks.clone()].concat().join(" "),
        width,
        look,
    );
    // The data says more than the word "bytes".
    let heads = [&whole.head, &short];
    let mut tries = heads
        .into_iter()
        .flat_map(|head| [24, 12, 6].map(|bytes| (head, bytes)));
    let with_data = tries.find_map(|(head, bytes)| {
        let data = of(bytes).data?;
        let parts = [vec![head.clone()], marks.clone(), vec![data]];
        let text = parts.concat().join(" ");
        (text.width() <= width).then_some(text)
    });
    text = with_data.unwrap_or(text);
    for number in whole.numbers {
        if text.width() + 1 + number.width() <= width {
            text = format!("{text} {number}");
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
    marks.extend(row.again.map(|again| format!("again {again}")));
    let fate = match row.fate {
        _ if row.swaps && row.waits() => "to be swapped",
        Fate::Doubled => "twice",
        Fate::Swapped => "swapped",
        Fate::Delayed => "late",
        Fate::Corrupted { .. } => "bit flipped",
        Fate::Dropped | Fate::Held | Fate::Passed => "",
    };
    if !fate.is_empty() {
        marks.push(fate.to_string());
    }
    marks
}
