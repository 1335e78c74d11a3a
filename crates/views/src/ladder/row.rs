//! A row of the ladder: time, left lane, wire, right lane.

use unicode_width::UnicodeWidthStr;

use crate::reading::{Meaning, Row, Stand, Tip, Way};
use crate::said::milliseconds;
use crate::text::{Paper, printable, wrap};

/// For times up to 9999.999 ms, and a gap.
const TIME: usize = 9;
/// Wider pages are not easier to read.
const WIDEST: usize = 160;
const NARROWEST: usize = 60;

/// Where the columns stand.
pub(super) struct Columns {
    paper: Paper,
    lane: usize,
    wire: usize,
}

impl Columns {
    /// Without a wire, when no packets are drawn, the lanes have its room.
    pub(super) fn new(paper: Paper, wire: bool) -> Self {
        let width = paper.width.clamp(NARROWEST, WIDEST);
        let paper = Paper { width, ..paper };
        if !wire {
            let (lane, wire) = ((width - TIME - 1) / 2, 0);
            return Self { paper, lane, wire };
        }
        let rest = width - TIME - 2;
        // Where there is room, a segment with its data fits in one row.
        let share = if width < 110 { 9 } else { 8 };
        let lane = rest * share / 25;
        let wire = rest - 2 * lane;
        Self { paper, lane, wire }
    }

    pub(super) fn header(&self, left: &str, right: &str) -> String {
        let cell = |text: &str, width| self.pad(text, width, Meaning::Plain);
        let [left, right] = [left, right].map(|name| cell(name, self.lane));
        let names = self.line("      ms", &left, &cell("wire", self.wire), &right);
        let [time, lane, wire] = [TIME - 1, self.lane, self.wire].map(|it| self.paper.rule(it));
        let rules = self.line(&time, &lane, &wire, &lane);
        let names = self.paper.paint(names.trim_end(), Meaning::Output);
        format!("{names}\n{}\n", self.paper.paint(&rules, Meaning::Faint))
    }

    pub(super) fn draw(&self, row: &Row) -> String {
        let (mut left, mut wire, mut right) = (Vec::new(), Vec::new(), Vec::new());
        match &row.stand {
            Stand::Across => return self.across(&row.text()),
            Stand::Wire(way) => wire = self.arrow(row, *way),
            Stand::Lane(lane) => {
                let name = lane.name.as_ref().map(|name| format!("{name}: "));
                let text = format!("{}{}", name.unwrap_or_default(), row.text());
                let cell = if lane.left { &mut left } else { &mut right };
                *cell = wrap(&printable(&text), self.lane);
            }
        }
        let mut drawn = String::new();
        for at in 0..left.len().max(right.len()).max(wire.len()) {
            let cell = |cells: &[String]| cells.get(at).cloned().unwrap_or_default();
            let time = match at {
                0 => format!("{:>8}", milliseconds(row.time)),
                _ => " ".repeat(TIME - 1),
            };
            let time = self.paper.paint(&time, Meaning::Faint);
            let left = self.pad(&cell(&left), self.lane, row.meaning());
            let middle = self.pad(&cell(&wire), self.wire, Meaning::Plain);
            let right = self.paper.paint(&cell(&right), row.meaning());
            drawn += self.line(&time, &left, &middle, &right).trim_end();
            drawn.push('\n');
        }
        drawn
    }

    fn across(&self, text: &str) -> String {
        let bar = self.paper.bar();
        let rows = wrap(&printable(text), self.paper.width - TIME - 2);
        rows.iter()
            .map(|row| format!("{:TIME$}{bar} {row}\n", ""))
            .collect()
    }

    /// One line where all fits, else the head in the arrow and the rest below.
    fn arrow(&self, row: &Row, way: Way) -> Vec<String> {
        let all = printable(&row.text());
        // A line of the arrow and a gap on one side, a gap and the tip on the other.
        let room = self.wire.saturating_sub(5);
        if all.width() <= room {
            return vec![self.shaft(way, &all)];
        }
        let head = row.words.first().map_or("", |head| &head.text);
        let head = printable(head);
        let first = wrap(&head, room).swap_remove(0);
        let rest = all.strip_prefix(&first).unwrap_or(&all).trim_start();
        let mut lines = vec![self.shaft(way, &first)];
        if !rest.is_empty() {
            let rest = wrap(rest, self.wire - 1);
            lines.extend(rest.into_iter().map(|line| format!(" {line}")));
        }
        lines
    }

    fn shaft(&self, way: Way, text: &str) -> String {
        let ascii = self.paper.ascii;
        let dash = if ascii { "." } else { "┄" };
        let line = if way.late {
            dash.to_string()
        } else {
            self.paper.rule(1)
        };
        let head = match (way.to_right, ascii) {
            (true, false) => "▶",
            (false, false) => "◀",
            (true, true) => ">",
            (false, true) => "<",
        };
        let tip = match way.tip {
            Tip::Arrives => head.to_string(),
            Tip::Twice => head.repeat(2),
            Tip::Waits => dash.to_string(),
            Tip::Lost if ascii => "X".to_string(),
            Tip::Lost => "╳".to_string(),
        };
        let shaft = line.repeat(self.wire.saturating_sub(text.width() + 3 + tip.width()));
        if way.to_right {
            format!("{line} {text} {shaft}{tip}")
        } else {
            format!("{tip}{shaft} {text} {line}")
        }
    }

    /// The cells are as wide as their columns already.
    fn line(&self, time: &str, left: &str, wire: &str, right: &str) -> String {
        match self.wire {
            0 => format!("{time} {left} {right}"),
            _ => format!("{time} {left} {wire} {right}"),
        }
    }

    fn pad(&self, text: &str, width: usize, ink: Meaning) -> String {
        let taken = if text.is_ascii() {
            text.len()
        } else {
            text.width()
        };
        let mut padded = self.paper.paint(text, ink);
        padded.extend(std::iter::repeat_n(' ', width.saturating_sub(taken)));
        padded
    }
}
