//! Where things stand on the picture.

use super::paper::Anchor;

pub(super) const MARGIN: i32 = 16;
/// For the time of each row.
pub(super) const TIME: i32 = 72;
/// For the text of a lane.
pub(super) const LANE: i32 = 300;
/// Between two lifelines, for packets.
pub(super) const WIRE: i32 = 280;
/// Between a lifeline and its text.
pub(super) const GAP: i32 = 14;
/// The width of a cell of text, in tenths; a Chinese character takes two cells.
pub(super) const TENTHS_OF_CELL: i32 = 72;

/// The plan of so many lanes.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) lanes: usize,
}

impl Plan {
    /// Where the lifeline of a lane stands.
    pub(super) fn life(&self, lane: usize) -> i32 {
        let first = MARGIN + TIME + LANE + GAP;
        match i32::try_from(lane).unwrap_or(0) {
            0 => first,
            lane => first + lane * WIRE + (lane - 1) * (LANE + GAP),
        }
    }

    /// Where the text of a lane stands: outside, so that the wire is free.
    pub(super) fn beside(&self, lane: usize) -> (i32, Anchor) {
        match lane {
            0 => (self.life(0) - GAP, Anchor::End),
            _ => (self.life(lane) + GAP, Anchor::Start),
        }
    }

    pub(super) fn width(&self) -> i32 {
        match self.lanes {
            0 | 1 => self.life(0) + WIRE + MARGIN,
            more => self.life(more - 1) + GAP + LANE + MARGIN,
        }
    }

    /// From where to where an arrow goes. An end that nobody knows stands free.
    pub(super) fn stretch(&self, from: Option<usize>, to: Option<usize>) -> (i32, i32) {
        let beyond = |lane: usize| {
            self.life(lane)
                + if lane == 0 {
                    WIRE * 3 / 4
                } else {
                    -WIRE * 3 / 4
                }
        };
        match (from, to) {
            (Some(from), Some(to)) => (self.life(from), self.life(to)),
            (Some(from), None) => (self.life(from), beyond(from)),
            (None, Some(to)) => (beyond(to), self.life(to)),
            (None, None) => (self.life(0) + WIRE / 4, beyond(0)),
        }
    }

    /// The middle of the wire that an arrow begins or ends at, on its left side.
    pub(super) fn middle(&self, from: Option<usize>, to: Option<usize>) -> i32 {
        let lanes = [from, to].into_iter().flatten();
        let wire = match (from, to) {
            (Some(from), Some(to)) if from != to => from.min(to) + 1,
            _ => lanes.max().unwrap_or(0).max(1),
        };
        self.life(wire) - WIRE / 2
    }
}

pub(super) fn cells(pixels: i32) -> usize {
    usize::try_from(pixels * 10 / TENTHS_OF_CELL).unwrap_or(1)
}

pub(super) fn pixels(cells: usize) -> i32 {
    i32::try_from(cells).unwrap_or(0) * TENTHS_OF_CELL / 10
}
