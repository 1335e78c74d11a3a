//! Packets between the lifelines, and what becomes of them.

use timeline::cable::Later;
use timeline::packet::{Content, Packet, TcpFlags};
use timeline::{Event, Place};

use super::Picture;
use super::paper::{Anchor, LINE, count, lines};
use super::plan::{GAP, WIRE, cells};
use crate::passage::Tip;
use crate::said;

impl Picture {
    pub(super) fn packet(&mut self, event: &Event, packet: &Packet) {
        let relative = self.flows.relative(packet);
        let label = said::packet(self.words(), packet, relative);
        let told = self.passages.came(event.time, packet, &label.head);
        if !self.style.only.has(&event.kind) {
            return;
        }
        let room = cells(WIRE - 2 * GAP);
        let head = format!("{}  {}", label.head, label.numbers.join("  "));
        let head = lines(head.trim_end(), room);
        let below = label.data.into_iter().chain(told.notes);
        let below = below
            .flat_map(|text| lines(&text, room))
            .collect::<Vec<_>>();
        let reset =
            matches!(&packet.content, Content::Tcp(segment) if segment.flags.has(TcpFlags::RST));
        let class = if reset { "reset" } else { "arrow" };
        self.arrow(event, &head, &below, told.tip, class);
    }

    /// What became of a packet that did not go on at once.
    pub(super) fn fate(&mut self, event: &Event, later: &Later) {
        let told = self.passages.later(event.time, later);
        if self.style.only.has(&event.kind) {
            let head = lines(&told.text, cells(WIRE - 2 * GAP));
            self.arrow(event, &head, &[], told.tip, "arrow late");
        }
    }

    fn arrow(&mut self, event: &Event, head: &[String], below: &[String], tip: Tip, class: &str) {
        let (from, to) = match event.place {
            Place::Wire { from, to } => (self.lane_of(from), self.lane_of(to)),
            _ => (None, None),
        };
        let (left, right) = self.plan.stretch(from, to);
        let middle = self.plan.middle(from, to);
        let y = self.y + count(head) * LINE + 4;
        self.time(event, y + 4);
        self.paper
            .text(middle, self.y + LINE - 2, Anchor::Middle, "", head);
        let loop_to_right = from == Some(0);
        // What does not arrive ends on the way.
        let way = |part: i32| left + (right - left) * part / 4;
        match tip {
            Tip::Arrives => self.paper.arrow(left, right, y, loop_to_right, class),
            Tip::Twice => {
                self.paper.arrow(left, right, y, loop_to_right, class);
                let nearly = right - (right - left).signum() * 8;
                self.paper.arrow(left, nearly, y, loop_to_right, class);
            }
            Tip::Waits => self.paper.stroke(left, way(2), y, class),
            Tip::Lost => {
                self.paper.stroke(left, way(3), y, class);
                self.paper.cross(way(3), y);
            }
        }
        for (x, lane) in [(left, from), (right, to)] {
            if lane.is_none() {
                self.paper.ring(x, y, class);
            }
        }
        self.paper
            .text(middle, y + LINE - 2, Anchor::Middle, "faint", below);
        self.y = y + count(below) * LINE + 6;
    }
}
