//! How the board looks: a function of the board, the size and the time.

mod bottom;
mod cable;
mod details;
mod facts;
mod help;
mod host;
mod label;

use std::time::Duration;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};
use timeline::cable::Side;
use unicode_width::UnicodeWidthStr;
use views::units::fitting;

use crate::board::{Board, Mode};
use crate::look::Look;

/// The least columns and rows in which the board can be drawn.
const LEAST: (u16, u16) = (80, 24);

/// Draws all of it.
pub fn draw(frame: &mut Frame, board: &Board, look: Look, now: Duration) {
    let area = frame.area();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return too_small(frame, area);
    }
    let below = if area.height < 36 { 8 } else { 15 };
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(below),
        Constraint::Length(2),
    ]);
    let [top, middle, below, bottom] = rows.areas(area);
    let cable = area.width / 20 * 9;
    let columns = Layout::horizontal([
        Constraint::Fill(1),
        Constraint::Length(cable),
        Constraint::Fill(1),
    ]);
    let [left, between, right] = columns.spacing(1).areas(middle);
    frame.render_widget(header(board, look, now, area.width.into()), top);
    for (side, area) in [(Side::Server, left), (Side::Client, right)] {
        host::draw(frame, area, board, side, look, now);
    }
    for column in [between.left() - 1, right.left() - 1] {
        let bar = look.glyphs().bar;
        for row in middle.rows() {
            frame
                .buffer_mut()
                .set_string(column, row.y, bar, look.faint());
        }
    }
    cable::draw(frame, between, board, look, now);
    details::draw(frame, below, board, look, now);
    bottom::draw(frame, bottom, board, look);
    if board.help {
        help::draw(frame, area, look);
    }
}

fn too_small(frame: &mut Frame, area: Rect) {
    let text = format!(
        "The wire needs {} x {} cells, and this terminal has {} x {}. Make it larger, or leave \
         with q and start again with --no-screen.",
        LEAST.0, LEAST.1, area.width, area.height
    );
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
}

/// How packets cross, and how many there were.
fn header(board: &Board, look: Look, now: Duration, width: usize) -> Line<'static> {
    let mode = match board.mode {
        Mode::Run => "RUN".to_string(),
        Mode::Slow => format!("SLOW MOTION, {} a packet", span(board.pace())),
        Mode::Step => "STEP".to_string(),
    };
    let mut left = format!(" the wire   {mode}");
    match board.packets.waiting.len() {
        0 => {}
        1 if board.mode != Mode::Slow => left += "   1 waits",
        several if board.mode != Mode::Slow => left += &format!("   {several} wait"),
        several => left += &format!("   {several} on the way"),
    }
    if board.cut {
        left += "   CUT";
    }
    if board.is_over() {
        left += "   ended";
    }
    if let Some(of) = board.packets.one_of(board.by_events(now)) {
        left += &format!("   showing 1 of {of}");
    }
    if let Some(behind) = board.behind(now) {
        left += &format!("   {:.0} s behind", behind.as_secs_f64());
    }
    let (count, lost) = (board.packets.count, board.packets.lost);
    let packets = if count == 1 { "packet" } else { "packets" };
    let right = format!(
        "{count} {packets}, {lost} lost   {:.1} s ",
        now.as_secs_f64()
    );
    let gap = width.saturating_sub(left.width() + right.width());
    Line::styled(format!("{left}{}{right}", " ".repeat(gap)), look.bar())
}

/// As much of a text as fits into so many cells, with a mark where it was cut.
fn cut(text: &str, width: usize, look: Look) -> String {
    if text.width() <= width {
        return text.to_string();
    }
    let more = look.glyphs().more;
    let room = width.saturating_sub(more.width());
    format!("{}{more}", fitting(text, room))
}

/// A length of time, such as `50 ms`.
fn span(time: Duration) -> String {
    let text = format!("{time:?}");
    let unit = text.find(char::is_alphabetic).unwrap_or(text.len());
    format!("{} {}", &text[..unit], &text[unit..])
}

/// A name, and a line to the end of the area.
fn title(text: &str, style: Style, width: usize, look: Look) -> Line<'static> {
    let text = cut(text, width, look);
    let rest = width.saturating_sub(text.width() + 1);
    let line = look.glyphs().line.repeat(rest);
    Line::from(vec![
        Span::styled(text, style),
        Span::raw(" "),
        Span::styled(line, look.faint()),
    ])
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::whole("abc", 3, "abc")]
    #[case::letters("abcd", 3, "ab…")]
    #[case::escape(r"ab\xfb", 5, "ab…")]
    #[case::wide("你好吗", 4, "你…")]
    #[case::marks("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…")]
    fn a_text_is_cut_between_escapes_and_characters(
        #[case] text: &str,
        #[case] width: usize,
        #[case] expected: &str,
    ) {
        let look = Look {
            colour: false,
            ascii: false,
        };
        assert_eq!(cut(text, width, look), expected);
    }
}
