//! All keys, over everything else.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use super::title;
use crate::look::Look;

const WIDTH: u16 = 80;

const KEYS: [(&str, &str); 20] = [
    ("r", "run: packets cross at once, and those that wait go on"),
    (
        "m   + -",
        "slow motion, and its pace: packets can be caught on their way",
    ),
    ("s", "step: each packet waits for a key"),
    ("", ""),
    (
        "Up Down",
        "choose a packet; Esc goes back to the one that is next",
    ),
    ("PgUp PgDn", "turn its bytes"),
    ("Space Enter", "let the packet through"),
    ("d", "drop it"),
    ("e", "delay it, by a time that is asked for"),
    ("2", "double it: it arrives twice"),
    (
        "x",
        "swap it with the next one of its direction, and let both go",
    ),
    ("b", "flip one of its bits"),
    ("", ""),
    ("c", "cut the cable, or mend it"),
    (
        "l  o  a",
        "latency, loss and rate of the cable, in both directions",
    ),
    (
        "i",
        "type a line that the client program reads; Ctrl-D: end of input",
    ),
    ("q Ctrl-C", "end the programs and leave"),
    ("", ""),
    (
        "",
        "TCP repeats what waits too long. Such copies wait behind it: let it through,",
    ),
    (
        "",
        "and they are dropped; drop it, and the next copy takes its place.",
    ),
];

pub(super) fn draw(frame: &mut Frame, area: Rect, look: Look) {
    let height = KEYS.len() as u16 + 2;
    let across = area.centered(Constraint::Length(WIDTH), Constraint::Length(height));
    let width = usize::from(across.width);
    let mut lines = vec![title("keys", look.strong(), width, look)];
    lines.extend(KEYS.map(|(keys, what)| match keys {
        "" => Line::styled(what, look.faint()),
        keys => Line::from(vec![
            Span::styled(format!("  {keys:<12}"), look.key()),
            Span::raw(what),
        ]),
    }));
    lines.push(title("any key closes this", look.faint(), width, look));
    frame.render_widget(Clear, across);
    frame.render_widget(Paragraph::new(lines), across);
}
