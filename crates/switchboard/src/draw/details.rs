//! The chosen packet: what it says, what became of it, and its bytes.

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use views::text::{printable, wrap};

use super::{facts, title};
use crate::board::{Board, Row};
use crate::look::Look;

/// Number of the first byte, 16 bytes, and their text.
const BYTES: u16 = 4 + 2 + 3 * Row::WIDTH as u16 + 1 + Row::WIDTH as u16;

pub(super) fn draw(frame: &mut Frame, area: Rect, board: &Board, look: Look, now: Duration) {
    let width = usize::from(area.width);
    let Some(row) = board.current() else {
        let waits = "no packet has come yet; if the client waits for a line, press i";
        frame.render_widget(title(waits, look.faint(), width, look), area);
        return;
    };
    let to = look.glyphs().to;
    let (from, other) = (row.from.name(), row.from.other().name());
    let name = format!("packet {}: {from} {to} {other}", row.frame);
    let mut lines = vec![title(&name, look.strong(), width, look)];
    // Side by side, where there is room.
    let beside = area.width >= BYTES + 42;
    let facts_width = match beside {
        true => width - usize::from(BYTES) - 2,
        false => width,
    };
    for (text, bad) in facts::all(board, row, look, now) {
        let style = if bad { look.bad() } else { Default::default() };
        let pieces = wrap(&printable(&text), facts_width);
        lines.extend(pieces.into_iter().map(|piece| Line::styled(piece, style)));
    }
    // Below the facts there are at least two rows of bytes.
    let most = if beside { area.height } else { area.height - 2 };
    lines.truncate(most.into());
    let (left, top) = match beside {
        true => (area.width - BYTES, 1),
        false => (0, lines.len() as u16),
    };
    let bytes_area = Rect {
        x: area.x + left,
        y: area.y + top,
        width: area.width - left,
        height: area.height - top,
    };
    let bytes = bytes(board, row, bytes_area.height.into(), look);
    frame.render_widget(Paragraph::new(lines), area);
    frame.render_widget(Paragraph::new(bytes), bytes_area);
}

/// The headers faint, the data not.
fn bytes(board: &Board, row: &Row, room: usize, look: Look) -> Vec<Line<'static>> {
    let bytes = &row.packet.bytes;
    let data_at = row.data_at();
    let all = bytes.len().div_ceil(Row::WIDTH);
    // What fits is shown whole.
    let usual = (data_at / Row::WIDTH).min(all.saturating_sub(room));
    let top = board.top.unwrap_or(usual);
    let rows = bytes.chunks(Row::WIDTH).enumerate().skip(top).take(room);
    rows.map(|(index, row)| {
        let start = index * Row::WIDTH;
        let style = |at: usize| match start + at < data_at {
            true => look.faint(),
            false => Default::default(),
        };
        let mut spans = vec![Span::styled(format!("{start:04x}  "), look.faint())];
        for at in 0..Row::WIDTH {
            let text = row.get(at).map(|byte| format!("{byte:02x} "));
            spans.push(Span::styled(text.unwrap_or("   ".to_string()), style(at)));
        }
        spans.push(Span::raw(" "));
        for (at, byte) in row.iter().enumerate() {
            let shown = byte.is_ascii_graphic() || *byte == b' ';
            let character = if shown { char::from(*byte) } else { '.' };
            spans.push(Span::styled(character.to_string(), style(at)));
        }
        Line::from(spans)
    })
    .collect()
}
