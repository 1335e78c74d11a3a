//! What became of packets on a cable in somebody's hand, in words.
//!
//! A packet carries what was decided when it came; what became of it later is an
//! event of its own. This remembers the frames that may still be spoken of.

use std::collections::HashMap;
use std::time::Duration;

use timeline::cable::{Fate, Later, Passage};
use timeline::packet::Packet;

use crate::said::milliseconds;

/// How an arrow ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tip {
    /// It arrives.
    #[default]
    Arrives,
    /// It arrives, and once more.
    Twice,
    /// It is on the cable, and has not arrived.
    Waits,
    /// It never arrives.
    Lost,
}

/// What is said of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) tip: Tip,
    /// What was done to it, and what it repeats.
    pub(crate) notes: Vec<String>,
}

/// What is said of a frame later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldLater {
    pub(crate) tip: Tip,
    /// What it is, and what becomes of it.
    pub(crate) text: String,
}

/// The frames that have come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Passages {
    frames: HashMap<u64, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    /// When it came; of one that was dropped, when that happened.
    time: Duration,
    /// What it is, such as `SYN`.
    head: String,
    dropped: bool,
}

impl Passages {
    /// A packet has come, which is called so.
    pub(crate) fn came(&mut self, time: Duration, packet: &Packet, head: &str) -> Told {
        let Some(passage) = &packet.passage else {
            return Told::default();
        };
        let again = passage.again.and_then(|again| self.frames.get(&again));
        let again = again.map(|seen| {
            let time = milliseconds(seen.time);
            if seen.dropped {
                format!("again, answers the drop at {time}")
            } else {
                format!("again, as at {time}")
            }
        });
        let seen = Seen {
            time,
            head: head.to_string(),
            dropped: passage.fate == Fate::Dropped,
        };
        self.frames.insert(passage.frame, seen);
        let notes = again.into_iter().chain(done(passage)).collect();
        Told {
            tip: tip(passage),
            notes,
        }
    }

    /// What became of a frame that had come.
    pub(crate) fn later(&mut self, time: Duration, later: &Later) -> ToldLater {
        let seen = self.frames.get_mut(&later.frame);
        let head = seen.as_ref().map_or_else(
            || format!("frame {}", later.frame),
            |seen| seen.head.clone(),
        );
        let after = format!("after {} ms", milliseconds(later.after));
        let by = by(later.by.as_deref());
        let (tip, what) = match later.fate {
            Fate::Passed => (Tip::Arrives, format!("goes on {after}{by}")),
            Fate::Doubled => (Tip::Twice, format!("goes on twice {after}{by}")),
            Fate::Corrupted { bit } => (Tip::Arrives, format!("{} {after}{by}", flipped(bit))),
            Fate::Dropped => (Tip::Lost, format!("dropped {after}{by}")),
            Fate::Delayed => (Tip::Waits, format!("is delayed{by}")),
            Fate::Swapped => (Tip::Waits, format!("waits for the next{by}")),
            Fate::Held => (Tip::Waits, format!("is held{by}")),
        };
        if let Some(seen) = seen
            && later.fate == Fate::Dropped
        {
            seen.dropped = true;
            seen.time = time;
        }
        let text = format!("{head} {what}");
        ToldLater { tip, text }
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

fn flipped(bit: u32) -> String {
    format!("bit {} of byte {} flipped", bit % 8, bit / 8)
}

fn by(by: Option<&str>) -> String {
    by.map(|by| format!(": {by}")).unwrap_or_default()
}

/// All that is said of a frame in one line, for where there is no arrow.
pub(crate) fn in_words(passage: &Passage) -> Option<String> {
    done(passage).map(|done| format!("frame {}: {done}", passage.frame))
}
