//! One host: its sockets above, what its programs say and ask for below.

use std::iter;
use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use timeline::cable::Side;
use timeline::state::{TcpState, Transition};
use views::reading::Meaning;
use views::said;
use views::text::wrap;

use super::{cut, title};
use crate::board::{Board, Host};
use crate::look::Look;

pub(super) fn draw(
    frame: &mut Frame,
    area: Rect,
    board: &Board,
    side: Side,
    look: Look,
    now: Duration,
) {
    let host = &board.hosts[side as usize];
    let width = usize::from(area.width);
    let (v4, v6) = (side.v4(), side.v6());
    let name = match width {
        0..30 => format!("{}  {v4}", side.name()),
        _ => format!("{}  {v4}  {v6}", side.name()),
    };
    let bold = look.side(side).patch(look.strong());
    let mut lines = vec![title(&name, bold, width, look)];
    let room = usize::from(area.height).saturating_sub(1);
    lines.extend(sockets(host, width, room / 2, look));
    let room = usize::from(area.height).saturating_sub(lines.len());
    lines.extend(said(host, width, room, look, board.by_events(now)));
    frame.render_widget(Paragraph::new(lines), area);
}

/// Those that changed last, and how many there are besides.
fn sockets(host: &Host, width: usize, room: usize, look: Look) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut hidden = 0;
    for socket in host.sockets.iter().rev() {
        let rows = one(socket, width, look);
        if lines.len() + rows.len() + 2 > room {
            hidden += 1;
        } else {
            lines.splice(0..0, rows);
        }
    }
    if hidden > 0 {
        let text = format!("and {hidden} more sockets");
        lines.insert(0, Line::styled(cut(&text, width, look), look.faint()));
    }
    if !lines.is_empty() {
        let rule = look.glyphs().line.repeat(width);
        lines.push(Line::styled(rule, look.faint()));
    }
    lines
}

fn one(socket: &Transition, width: usize, look: Look) -> Vec<Line<'static>> {
    let mut text = said::socket(socket);
    if width >= 30 && socket.to != TcpState::Listen && socket.peer.port() != 0 {
        // On the wire there are two hosts, so the port tells enough.
        text += &format!(" {} :{}", look.glyphs().to, socket.peer.port());
    }
    let style = match socket.to {
        TcpState::Established | TcpState::Listen => look.strong(),
        _ => look.waiting(),
    };
    let mut lines = vec![Line::styled(cut(&text, width, look), style)];
    let queues = said::queues(socket).into_iter();
    lines.extend(queues.map(|text| Line::raw(cut(&format!("  {text}"), width, look))));
    lines
}

/// The newest lines, each whole.
fn said(host: &Host, width: usize, room: usize, look: Look, now: Duration) -> Vec<Line<'static>> {
    let mut rows: Vec<Line> = Vec::new();
    let few = host.one_of(now).map(|of| format!("showing 1 of {of}"));
    let room = room - usize::from(few.is_some());
    for said in host.said.iter().rev() {
        let style = match said.meaning {
            Meaning::Output => look.strong(),
            Meaning::Bad => look.bad(),
            Meaning::Faint => look.faint(),
            _ => ratatui::style::Style::new(),
        };
        let more = look.glyphs().more;
        let text = match said.is_cut {
            true => format!("{} {more}", said.text),
            false => said.text.clone(),
        };
        // Below the mark of what a program says, nothing else stands.
        let mark = if text.starts_with("> ") { "> " } else { "" };
        let rest = &text[mark.len()..];
        let below = " ".repeat(mark.len());
        let marks = iter::once(mark).chain(iter::repeat(below.as_str()));
        let pieces = marks.zip(wrap(rest, width - mark.len()));
        let pieces = pieces.map(|(mark, piece)| Line::styled(format!("{mark}{piece}"), style));
        rows.splice(0..0, pieces.collect::<Vec<_>>());
        if rows.len() >= room {
            break;
        }
    }
    let hidden = rows.len().saturating_sub(room);
    let mut rows = rows.split_off(hidden);
    rows.extend(few.map(|text| Line::styled(text, look.waiting())));
    rows
}
