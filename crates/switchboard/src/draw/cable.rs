//! The cable: a row for each packet, in which it travels.

use std::iter;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use timeline::cable::{self, Side};
use unicode_width::UnicodeWidthStr;
use views::said::milliseconds;
use views::text::{printable, wrap};

use super::label::label;
use super::{span, title};
use crate::board::{Board, Item, Place, Row};
use crate::look::Look;

/// From this width on there is room for the time.
const WIDE: usize = 46;
/// For times up to 9999.999 ms.
const TIME: usize = 9;

pub(super) fn draw(frame: &mut Frame, area: Rect, board: &Board, look: Look, now: Duration) {
    let width = usize::from(area.width);
    let room = usize::from(area.height) - 1;
    let mut lines = vec![title(&settings(board, look), look.strong(), width, look)];
    lines.extend(page(board, width, room, look, now));
    frame.render_widget(Paragraph::new(lines), area);
}

/// What the cable itself does: to the client and to the server, where that
/// differs.
fn settings(board: &Board, look: Look) -> String {
    let both = |text: fn(&cable::Line) -> String| {
        let [there, back] = [text(&board.lines[0]), text(&board.lines[1])];
        if there == back {
            return there;
        }
        let none = |text: String| {
            if text.is_empty() {
                "0".to_string()
            } else {
                text
            }
        };
        let arrows = if look.ascii { "->/<-" } else { "⇄" };
        format!("{} {arrows} {}", none(there), none(back))
    };
    let latency = both(|line| match line.latency {
        Duration::ZERO => String::new(),
        time => span(time),
    });
    let loss = both(|line| match line.loss {
        0.0 => String::new(),
        loss => format!("{loss} % lost"),
    });
    let rate = both(|line| line.rate.map(bits).unwrap_or_default());
    if board.cut {
        return "cable, CUT".to_string();
    }
    let mut parts = vec!["cable".to_string(), latency, loss, rate];
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

fn bits(rate: u64) -> String {
    match rate {
        0..10_000 => format!("{rate} bit/s"),
        10_000..1_000_000 => format!("{} kbit/s", rate as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{} Mbit/s", rate as f64 / 1e6),
        _ => format!("{} Gbit/s", rate as f64 / 1e9),
    }
}

/// The newest items that fit; but the chosen packet is always among them.
fn page(board: &Board, width: usize, room: usize, look: Look, now: Duration) -> Vec<Line<'static>> {
    let items = &board.packets.items;
    let current = board.current().map(|row| row.frame);
    let is_current = |item: &Item| matches!(item, Item::Packet(frame) if Some(*frame) == current);
    let digits = board.packets.frames().next_back().unwrap_or(0);
    let digits = digits.to_string().len().max(2);
    // One more below the current one is shown, if there is one.
    let at = items.iter().position(is_current).unwrap_or(0);
    let mut rows: Vec<Line> = Vec::new();
    let mut below = 0;
    for (index, item) in items.iter().enumerate().rev() {
        let drawn = match item {
            Item::Packet(frame) => match board.packets.row(*frame) {
                Some(row) => vec![packet(board, row, width, digits, look, now)],
                None => continue,
            },
            Item::Remark(text) => remark(text, width, look),
        };
        if index > at {
            below += drawn.len();
        }
        rows.splice(0..0, drawn);
        if index <= at && rows.len() >= room {
            break;
        }
        // Rows that would stand too far below the current one fall off.
        let most = room.saturating_sub(2).max(1);
        if below > most {
            rows.truncate(rows.len() - (below - most));
            below = most;
        }
    }
    let too_many = rows.len().saturating_sub(room);
    rows.split_off(too_many)
}

fn remark(text: &str, width: usize, look: Look) -> Vec<Line<'static>> {
    let rows = wrap(&printable(text), width.saturating_sub(2));
    let line = look.glyphs().line;
    let heads = iter::once(line).chain(iter::repeat(" "));
    let rows = heads.zip(rows);
    rows.map(|(head, row)| Line::styled(format!("{head} {row}"), look.faint()))
        .collect()
}

fn packet(
    board: &Board,
    row: &Row,
    width: usize,
    digits: usize,
    look: Look,
    now: Duration,
) -> Line<'static> {
    let current = board.current().map(|row| row.frame);
    let (mark, head_style, weight) = match current == Some(row.frame) {
        true => (look.glyphs().chosen, look.strong(), Modifier::BOLD),
        false => (" ", look.faint(), Modifier::empty()),
    };
    let time = match width >= WIDE {
        true => format!("{:>TIME$} ", milliseconds(row.came)),
        false => String::new(),
    };
    let head = format!("{mark}{:>digits$} {time}", row.frame);
    let room = width - head.width();
    let part = board.part(row, now);
    let style = match row.place {
        Place::Waits => look.waiting(),
        Place::Lost => look.bad(),
        _ => look.side(row.from),
    };
    let style = style.add_modifier(weight);
    Line::from(vec![
        Span::styled(head, head_style),
        Span::styled(arrow(row, room, part, look), style),
    ])
}

/// The packet as far on its way as it is: behind it the line that it has made.
fn arrow(row: &Row, width: usize, part: f64, look: Look) -> String {
    let glyphs = look.glyphs();
    // A packet that has not arrived needs room to be seen on its way.
    let ahead = match row.place {
        Place::Arrived { .. } if part == 1.0 => 0,
        _ => width / 6,
    };
    let text = label(row, width - 4 - ahead, look);
    let free = width - 4 - text.width();
    let made = (part * free as f64).round() as usize;
    let line = glyphs.line.repeat(1 + made);
    let ahead = " ".repeat(free - made);
    let tip = match (row.place, row.from) {
        (Place::Lost, _) => glyphs.lost,
        (Place::Waits, _) if part == 0.5 => glyphs.waits,
        (_, Side::Server) => glyphs.right,
        (_, Side::Client) => glyphs.left,
    };
    match row.from {
        Side::Server => format!("{line} {text} {tip}{ahead}"),
        Side::Client => format!("{ahead}{tip} {text} {line}"),
    }
}
