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
const TENTHS_OF_CELL: i32 = 72;

/// Where the lifeline of a lane stands.
pub(super) fn life(lane: usize) -> i32 {
    let first = MARGIN + TIME + LANE + GAP;
    match i32::try_from(lane).unwrap_or(0) {
        0 => first,
        lane => first + lane * WIRE + (lane - 1) * (LANE + GAP),
    }
}

/// Where the text of a lane stands: outside, so that the wire is free.
pub(super) fn beside(lane: usize) -> (i32, Anchor) {
    match lane {
        0 => (life(0) - GAP, Anchor::End),
        _ => (life(lane) + GAP, Anchor::Start),
    }
}

/// The width of a picture with so many lanes.
pub(super) fn width(lanes: usize) -> i32 {
    match lanes {
        0 | 1 => life(0) + WIRE + MARGIN,
        more => life(more - 1) + GAP + LANE + MARGIN,
    }
}

/// From where to where an arrow goes. An end that nobody knows stands free.
pub(super) fn stretch(from: Option<usize>, to: Option<usize>) -> (i32, i32) {
    let beyond = |lane| match lane {
        0 => life(0) + WIRE * 3 / 4,
        _ => life(lane) - WIRE * 3 / 4,
    };
    match (from, to) {
        (Some(from), Some(to)) => (life(from), life(to)),
        (Some(from), None) => (life(from), beyond(from)),
        (None, Some(to)) => (beyond(to), life(to)),
        (None, None) => (life(0) + WIRE / 4, beyond(0)),
    }
}

/// The middle of the wire that an arrow begins or ends at, on its left side.
pub(super) fn middle(from: Option<usize>, to: Option<usize>) -> i32 {
    let lanes = [from, to].into_iter().flatten();
    let wire = match (from, to) {
        (Some(from), Some(to)) if from != to => from.min(to) + 1,
        _ => lanes.max().unwrap_or(0).max(1),
    };
    life(wire) - WIRE / 2
}

pub(super) fn cells(pixels: i32) -> usize {
    usize::try_from(pixels * 10 / TENTHS_OF_CELL).unwrap_or(1)
}

pub(super) fn pixels(cells: usize) -> i32 {
    i32::try_from(cells).unwrap_or(0) * TENTHS_OF_CELL / 10
}
