//! Two lines: what is asked, was said, or can be done with a packet; and all
//! other keys.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::cut;
use crate::board::Board;
use crate::look::Look;
use crate::prompt::Prompt;

const PACKET: [(&str, &str); 7] = [
    ("Space", "let through"),
    ("d", "drop"),
    ("e", "delay"),
    ("2", "double"),
    ("x", "swap"),
    ("b", "flip bit"),
    ("Up/Down", "pick"),
];
const WIRE: [(&str, &str); 10] = [
    ("r", "run"),
    ("m", "slow"),
    ("s", "step"),
    ("c", "cut"),
    ("l", "latency"),
    ("o", "loss"),
    ("a", "rate"),
    ("i", "type"),
    ("?", "help"),
    ("q", "quit"),
];

pub(super) fn draw(frame: &mut Frame, area: Rect, board: &Board, look: Look) {
    let width = usize::from(area.width);
    let above = match (&board.prompt, &board.told) {
        (Some(prompt), told) => {
            let refused = told.as_ref().filter(|told| told.refused);
            let refused = refused.map(|told| told.text.as_str());
            asked(frame, area, prompt, refused, look)
        }
        (None, Some(told)) => {
            let style = if told.refused {
                look.bad()
            } else {
                look.strong()
            };
            Line::styled(cut(&told.text, width, look), style)
        }
        (None, None) if board.is_over() => {
            let text = "All programs have ended. Up and Down choose a packet, q leaves.";
            Line::styled(text, look.strong())
        }
        (None, None) => keys(&PACKET, look),
    };
    frame.render_widget(Paragraph::new(vec![above, keys(&WIRE, look)]), area);
}

fn keys(keys: &[(&'static str, &'static str)], look: Look) -> Line<'static> {
    let mut spans = Vec::new();
    for (key, what) in keys {
        spans.push(Span::styled(*key, look.key()));
        spans.push(Span::raw(format!(" {what}  ")));
    }
    Line::from(spans)
}

/// The question with the end of what was typed, the cursor behind it, and why
/// the answer was refused.
fn asked(
    frame: &mut Frame,
    area: Rect,
    prompt: &Prompt,
    refused: Option<&str>,
    look: Look,
) -> Line<'static> {
    let width = usize::from(area.width);
    let label = prompt.label();
    let room = width.saturating_sub(label.width() + 2);
    let mut typed = prompt.typed.as_str();
    while typed.width() > room {
        let mut characters = typed.chars();
        characters.next();
        typed = characters.as_str();
    }
    let column = label.width() + 1 + typed.width();
    frame.set_cursor_position(Position::new(area.x + column as u16, area.y));
    let left = width.saturating_sub(column + 2);
    let refused = refused.map(|why| cut(why, left, look));
    Line::from(vec![
        Span::styled(label, look.strong()),
        Span::raw(" "),
        Span::raw(typed.to_string()),
        Span::raw("  "),
        Span::styled(refused.unwrap_or_default(), look.bad()),
    ])
}
