//! Where packets stand, and what becomes of them.

use timeline::cable::Later;
use timeline::{Event, Place, Timeline};

use super::Ladder;
use super::row::{Arrow, Row};
use crate::said::milliseconds;

impl Ladder {
    /// What became of a packet that did not go on at once.
    pub(super) fn fate(&mut self, timeline: &Timeline, event: &Event, later: &Later) -> String {
        let told = self.passages.later(event.time, later);
        if !self.style.only.has(&event.kind) {
            return String::new();
        }
        let arrow = Arrow {
            to_right: self.goes_right(timeline, event.place),
            tip: told.tip,
            late: true,
            head: told.text,
            details: Vec::new(),
        };
        self.on_wire(event, arrow)
    }

    pub(super) fn goes_right(&self, timeline: &Timeline, place: Place) -> bool {
        match place {
            Place::Wire {
                from: Some(from), ..
            } => self.is_left(timeline, from),
            Place::Wire { to: Some(to), .. } => !self.is_left(timeline, to),
            _ => true,
        }
    }

    pub(super) fn on_wire(&self, event: &Event, arrow: Arrow) -> String {
        self.columns.draw(&Row {
            time: milliseconds(event.time),
            wire: Some(arrow),
            ..Row::default()
        })
    }
}
