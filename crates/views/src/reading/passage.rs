//! What became of packets on a cable in somebody's hand, in words.
//!
//! A packet carries what was decided when it came; what became of it later is an
//! event of its own. This remembers the frames that may still be spoken of.

use std::collections::BTreeMap;
use std::time::Duration;

use timeline::cable::{Fate, Later, Passage};
use timeline::packet::{Content, Packet};

use super::MOST;
use super::row::{Meaning, Piece, Tip};
use crate::said::milliseconds;

/// The frames that have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Passages {
    frames: BTreeMap<u64, Seen>,
}

/// A frame that has come.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The number of its packet in the timeline.
    pub(super) number: u64,
    /// Whether it goes from the left lane to the right one.
    pub(super) to_right: bool,
    pub(super) is_tcp: bool,
    /// What it is, such as `SYN`.
    head: String,
    /// When it came; of one that was dropped, when that happened.
    time: Duration,
    dropped: bool,
}

impl Seen {
    pub(super) fn new(
        time: Duration,
        number: u64,
        packet: &Packet,
        head: &str,
        to_right: bool,
    ) -> Self {
        Self {
            number,
            to_right,
            is_tcp: matches!(packet.content, Content::Tcp(_)),
            head: head.to_string(),
            time,
            dropped: false,
        }
    }
}

impl Passages {
    /// A packet has come: how far it comes, what it repeats and what is done to it.
    pub(super) fn came(&mut self, passage: &Passage, mut seen: Seen) -> (Tip, Vec<Piece>) {
        let again = passage.again.map(|frame| (frame, self.frames.get(&frame)));
        let again = again.and_then(|(frame, before)| {
            let before = before?;
            let time = milliseconds(before.time);
            let text = match before.dropped {
                true => format!("again, answers the drop at {time}"),
                false => format!("again, as at {time}"),
            };
            Some(piece(text, &format!("again {frame}")))
        });
        seen.dropped = passage.fate == Fate::Dropped;
        self.frames.insert(passage.frame, seen);
        if self.frames.len() > MOST {
            self.frames.pop_first();
        }
        let done = done(passage).map(|done| piece(done, in_short(passage.fate)));
        (tip(passage), again.into_iter().chain(done).collect())
    }

    /// What became of a frame that had come.
    pub(super) fn later(&mut self, time: Duration, later: &Later) -> (Tip, Piece) {
        let (tip, what) = became(later);
        let Some(seen) = self.frames.get_mut(&later.frame) else {
            let text = format!("frame {} {what}", later.frame);
            return (tip, piece(text, in_short(later.fate)));
        };
        if later.fate == Fate::Dropped {
            (seen.dropped, seen.time) = (true, time);
        }
        let text = format!("{} {what}", seen.head);
        (tip, piece(text, in_short(later.fate)))
    }

    /// The frame of this number; None when it is forgotten.
    pub(super) fn frame(&self, frame: u64) -> Option<&Seen> {
        self.frames.get(&frame)
    }
}

fn piece(text: String, short: &str) -> Piece {
    Piece {
        text,
        short: Some(short.to_string()).filter(|short| !short.is_empty()),
        meaning: Meaning::Fate,
    }
}

fn became(later: &Later) -> (Tip, String) {
    let after = format!("after {} ms", milliseconds(later.after));
    let by = by(later.by.as_deref());
    match later.fate {
        Fate::Passed => (Tip::Arrives, format!("goes on {after}{by}")),
        Fate::Doubled => (Tip::Twice, format!("goes on twice {after}{by}")),
        Fate::Corrupted { bit } => (Tip::Arrives, format!("{} {after}{by}", flipped(bit))),
        Fate::Dropped => (Tip::Lost, format!("dropped {after}{by}")),
        Fate::Delayed => (Tip::Waits, format!("is delayed{by}")),
        Fate::Swapped => (Tip::Waits, format!("waits for the next{by}")),
        Fate::Held => (Tip::Waits, format!("is held{by}")),
    }
}

fn tip(passage: &Passage) -> Tip {
    match passage.fate {
        Fate::Dropped => Tip::Lost,
        Fate::Held | Fate::Swapped | Fate::Delayed => Tip::Waits,
        _ if passage.late > Duration::ZERO => Tip::Waits,
        Fate::Doubled => Tip::Twice,
        Fate::Passed | Fate::Corrupted { .. } => Tip::Arrives,
    }
}

/// None for what goes on as it is.
fn done(passage: &Passage) -> Option<String> {
    let by = by(passage.by.as_deref());
    let late = milliseconds(passage.late);
    Some(match passage.fate {
        Fate::Passed if passage.late.is_zero() => return None,
        Fate::Passed => format!("on its way {late} ms"),
        Fate::Dropped => format!("dropped{by}"),
        Fate::Delayed => format!("delayed {late} ms{by}"),
        Fate::Held => format!("held{by}"),
        Fate::Doubled => format!("doubled{by}"),
        Fate::Swapped => format!("waits for the next{by}"),
        Fate::Corrupted { bit } => format!("{}{by}", flipped(bit)),
    })
}

/// Empty for what the drawing of an arrow shows.
fn in_short(fate: Fate) -> &'static str {
    match fate {
        Fate::Doubled => "twice",
        Fate::Swapped => "swapped",
        Fate::Delayed => "late",
        Fate::Corrupted { .. } => "bit flipped",
        Fate::Dropped | Fate::Held | Fate::Passed => "",
    }
}

fn flipped(bit: u32) -> String {
    format!("bit {} of byte {} flipped", bit % 8, bit / 8)
}

fn by(by: Option<&str>) -> String {
    by.map(|by| format!(": {by}")).unwrap_or_default()
}

/// What is done to a frame, in one line, for where there is no arrow.
#[cfg(feature = "files")]
pub(crate) fn done_to_frame(passage: &Passage) -> Option<String> {
    done(passage).map(|done| format!("frame {}: {done}", passage.frame))
}

/// What became of a frame, in one line.
#[cfg(feature = "files")]
pub(crate) fn became_of_frame(later: &Later) -> String {
    let (_, what) = became(later);
    format!("frame {} {what}", later.frame)
}
