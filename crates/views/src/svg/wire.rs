//! Packets between the lifelines, and what becomes of them.

use super::Picture;
use super::paper::{Anchor, LINE, count, lines};
use super::plan::{self, GAP, WIRE, cells};
use crate::reading::{Meaning, Row, Tip, Way};

impl Picture {
    /// Above the arrow stands what the packet is, below it its data and its fate.
    pub(super) fn on_wire(&mut self, row: &Row, way: Way) {
        let room = cells(WIRE - 2 * GAP);
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for piece in &row.words {
            match piece.meaning {
                Meaning::Data | Meaning::Fate if !way.late => {
                    below.extend(lines(&piece.text, room));
                }
                _ => above.push(piece.text.as_str()),
            }
        }
        let above = lines(&above.join("  "), room);
        let class = match (way.late, row.meaning()) {
            (true, _) => "arrow late",
            (false, Meaning::Bad) => "reset",
            (false, _) => "arrow",
        };
        let y = self.y + count(&above) * LINE + 4;
        self.time(row.time, y + 4);
        let (from, to) = (self.lane_of(way.from), self.lane_of(way.to));
        let middle = plan::middle(from, to);
        self.paper
            .text(middle, self.y + LINE - 2, Anchor::Middle, "", &above);
        self.arrow(way, y, class);
        self.paper
            .text(middle, y + LINE - 2, Anchor::Middle, "faint", &below);
        self.y = y + count(&below) * LINE + 6;
    }

    fn arrow(&mut self, way: Way, y: i32, class: &str) {
        let (from, to) = (self.lane_of(way.from), self.lane_of(way.to));
        let (left, right) = plan::stretch(from, to);
        let loop_to_right = from == Some(0);
        // The arrow of a packet that does not arrive ends on the way.
        let part = |part: i32| left + (right - left) * part / 4;
        match way.tip {
            Tip::Arrives => self.paper.arrow(left, right, y, loop_to_right, class),
            Tip::Twice => {
                self.paper.arrow(left, right, y, loop_to_right, class);
                let nearly = right - (right - left).signum() * 8;
                self.paper.arrow(left, nearly, y, loop_to_right, class);
            }
            Tip::Waits => self.paper.stroke(left, part(2), y, class),
            Tip::Lost => {
                self.paper.stroke(left, part(3), y, class);
                self.paper.cross(part(3), y);
            }
        }
        for (x, lane) in [(left, from), (right, to)] {
            if lane.is_none() {
                self.paper.ring(x, y, class);
            }
        }
    }
}
