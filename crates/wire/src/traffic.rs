//! What is on the cable: which frame goes on when. Plain values and their order;
//! nothing here asks the system or a clock.
//!
//! All times are since 1970, as the kernel stamps frames.

mod cutting;
mod line;
mod release;

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::packets;
use timeline::cable::{Fate, Later, Passage};
use timeline::packet::{Content, Packet};

use crate::again::Again;
use crate::hand::{Action, Decision, Frame, Hand, Settings, Side};
use line::{Direction, Entry};

/// Destination, source and type: the header of an Ethernet frame.
const ETHERNET: usize = 14;

/// Whose decision it is when a person has decided.
const BY_HAND: &str = "the hand";

/// What the cable tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A frame has come onto the cable. Its packet carries what was decided.
    Packet(Frame),
    /// What became of a frame that did not go on at once.
    Later {
        /// When, since 1970.
        at: Duration,
        /// Who sent the frame.
        from: Side,
        /// What became of it.
        later: Later,
    },
    /// Something happened to the cable itself.
    Cable {
        /// When, since 1970.
        at: Duration,
        /// In words, such as "the cable is cut".
        what: String,
    },
}

/// How a frame goes on that has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// At once, as it is, so many times.
    Now(usize),
    /// At once, with these bytes.
    Changed(Vec<u8>),
    /// Not now, or never.
    NotNow,
}

/// What has crossed the cable so far, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that came from the host.
    pub came: u64,
    /// Frames that were handed to the other host; one that is doubled counts
    /// twice.
    pub delivered: u64,
    /// Frames that a rule, the hand or the cable has taken away.
    pub dropped: u64,
    /// Frames that wait: held, delayed, or on their way.
    pub waiting: u64,
    /// Frames of the hosts' own housekeeping, such as neighbour discovery: they
    /// are let through and not shown, and are in no other number.
    pub chatter: u64,
    /// Frames that got lost because we were too slow, or because the other host
    /// did not take them. Nothing else here counts them.
    pub lost: u64,
}

pub(crate) struct Traffic {
    pub(crate) hand: Box<dyn Hand>,
    pub(crate) settings: Settings,
    /// Whether each frame that the hand lets pass is held.
    pub(crate) hold: bool,
    directions: [Direction; 2],
    held: BTreeMap<u64, Entry>,
    again: Again,
    /// The number of the last frame.
    frames: u64,
    /// When the first one came.
    began: Option<Duration>,
    /// By hand or rule: who has cut it, and until when.
    cut: Option<(String, Option<Duration>)>,
    was_cut: bool,
    /// Up to when it was told whether it is cut.
    told: Duration,
    pub(crate) counts: [Counts; 2],
}

impl Traffic {
    pub(crate) fn new(hand: Box<dyn Hand>, settings: Settings) -> Self {
        Self {
            hand,
            settings,
            hold: false,
            directions: Default::default(),
            held: BTreeMap::new(),
            again: Again::default(),
            frames: 0,
            began: None,
            cut: None,
            was_cut: false,
            told: Duration::ZERO,
            counts: Default::default(),
        }
    }

    /// A frame has come. It is reported before it goes on.
    pub(crate) fn enter(
        &mut self,
        from: Side,
        at: Duration,
        bytes: &[u8],
        report: &mut dyn FnMut(Report),
    ) -> Way {
        let counts = &mut self.counts[from.index()];
        let Some(packet) = worth_showing(bytes) else {
            counts.chatter += 1;
            return Way::Now(1);
        };
        counts.came += 1;
        self.began.get_or_insert(at);
        self.tell_cuts(at, report);
        self.frames += 1;
        let id = self.frames;
        let again = self.again.seen(id, &packet);
        let mut frame = Frame {
            id,
            at,
            from,
            packet,
            again,
        };
        let decision = self.decide(&frame);
        let (way, passage) = self.carry_out(&frame, decision, bytes);
        frame.packet.passage = Some(passage);
        report(Report::Packet(frame));
        self.tell_cuts(at, report);
        match &way {
            Way::Now(copies) => self.counts[from.index()].delivered += *copies as u64,
            Way::Changed(_) => self.counts[from.index()].delivered += 1,
            Way::NotNow => {}
        }
        way
    }

    fn decide(&mut self, frame: &Frame) -> Decision {
        // A rule counts also what is lost for another reason.
        let decision = self.hand.decide(frame);
        if let Some(by) = self.cut_by(frame.at) {
            let what = Action::Drop;
            return Decision { what, by: Some(by) };
        }
        if decision.what != Action::Pass {
            return decision;
        }
        let line = *self.settings.line(frame.from);
        if self.directions[frame.from.index()].loses(&line, self.settings.seed, frame.from) {
            return Decision {
                what: Action::Drop,
                by: Some(format!("loss {} %", line.loss)),
            };
        }
        match self.hold {
            true => Decision {
                what: Action::Hold,
                ..decision
            },
            false => decision,
        }
    }

    /// What becomes of a frame, and when it goes on, as far as that is known.
    fn fate(&mut self, frame: &Frame, what: Action, length: usize) -> (Fate, Duration) {
        let line = *self.settings.line(frame.from);
        let direction = &mut self.directions[frame.from.index()];
        let fate = match what {
            Action::Hold => return (Fate::Held, frame.at),
            Action::Drop | Action::Cut(_) => return (Fate::Dropped, frame.at),
            Action::Swap if !direction.has_parked() => return (Fate::Swapped, frame.at),
            Action::Pass | Action::Swap => Fate::Passed,
            Action::Double => Fate::Doubled,
            Action::Delay(_) | Action::Stop(_) => Fate::Delayed,
            Action::Corrupt(bit) => {
                let bit = bit % ((length - ETHERNET) as u32 * 8);
                Fate::Corrupted { bit }
            }
        };
        let mut due = direction.due(&line, frame.at, length);
        if let Action::Delay(time) | Action::Stop(time) = what {
            due += time;
        }
        if let Action::Stop(_) = what {
            direction.stop_until(due);
        }
        (fate, due)
    }

    fn carry_out(&mut self, frame: &Frame, decision: Decision, bytes: &[u8]) -> (Way, Passage) {
        let (fate, due) = self.fate(frame, decision.what, bytes.len());
        let mut passage = Passage {
            frame: frame.id,
            fate,
            by: decision.by,
            late: due.saturating_sub(frame.at),
            again: frame.again,
        };
        if let Action::Cut(lasts) = decision.what {
            let by = passage.by.clone().unwrap_or_default();
            self.cut = Some((by, lasts.map(|lasts| frame.at + lasts)));
        }
        let direction = &mut self.directions[frame.from.index()];
        let counts = &mut self.counts[frame.from.index()];
        if fate == Fate::Dropped {
            counts.dropped += 1;
            return (Way::NotNow, passage);
        }
        let mut entry = Entry::new(frame.id, frame.from, frame.at);
        match fate {
            Fate::Doubled => entry.copies = 2,
            Fate::Corrupted { bit } => entry.bytes = flipped(bytes, bit),
            _ => {}
        }
        let waits = matches!(fate, Fate::Held | Fate::Swapped) || due > frame.at;
        if !waits {
            direction.went_out(due);
            let way = match entry.bytes.is_empty() {
                true => Way::Now(entry.copies),
                false => Way::Changed(entry.bytes),
            };
            return (way, passage);
        }
        if entry.bytes.is_empty() {
            entry.bytes = bytes.to_vec();
        }
        if !direction.takes(bytes.len()) {
            passage.fate = Fate::Dropped;
            passage.by = Some(line::FULL.to_string());
            passage.late = Duration::ZERO;
            counts.dropped += 1;
            return (Way::NotNow, passage);
        }
        counts.waiting += 1;
        match fate {
            Fate::Held => drop(self.held.insert(frame.id, entry)),
            Fate::Swapped => direction.park(entry),
            // What is delayed by itself may be overtaken.
            Fate::Delayed => direction.add(entry, due),
            _ => {
                direction.stop_until(due);
                direction.add(entry, due);
            }
        }
        (Way::NotNow, passage)
    }

    /// The frames of this direction that are to go on by now, in their order,
    /// each as often as it arrives.
    pub(crate) fn leave(
        &mut self,
        from: Side,
        now: Duration,
        report: &mut dyn FnMut(Report),
    ) -> Vec<Vec<u8>> {
        let mut leaving = Vec::new();
        while let Some(entry) = self.directions[from.index()].next_before(now) {
            let counts = &mut self.counts[from.index()];
            counts.waiting -= 1;
            counts.delivered += entry.copies as u64;
            report(Report::Later {
                at: now,
                from,
                later: Later {
                    frame: entry.frame,
                    fate: entry.fate,
                    by: entry.by,
                    after: now.saturating_sub(entry.came),
                },
            });
            for _ in 1..entry.copies {
                leaving.push(entry.bytes.clone());
            }
            leaving.push(entry.bytes);
        }
        leaving
    }

    /// When something is to be done next, if no frame comes.
    pub(crate) fn next(&self) -> Option<Duration> {
        let leaving = self.directions.iter().filter_map(Direction::next);
        let until = self.cut.iter().filter_map(|(_, until)| *until);
        let began = self.began;
        let cuts = self.settings.cuts.iter().filter_map(move |cut| {
            let starts = began? + cut.after;
            Some([Some(starts), cut.lasts.map(|lasts| starts + lasts)])
        });
        // Those that are past have been told.
        let cuts = until.chain(cuts.flatten().flatten());
        let cuts = cuts.filter(|at| *at > self.told);
        leaving.chain(cuts).min()
    }
}

/// None for what the hosts do for themselves, and for what is no IP.
fn worth_showing(bytes: &[u8]) -> Option<Packet> {
    let kind = u16::from_be_bytes([*bytes.get(12)?, *bytes.get(13)?]);
    let packet = bytes.get(ETHERNET..)?;
    if !matches!(kind, 0x0800 | 0x86dd) || packet.is_empty() {
        return None;
    }
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let packet = packets::packet(packet, length);
    match packet.content {
        // RFC 2710, RFC 3810: who listens to which group. RFC 4861: neighbours
        // and routers.
        Content::Icmp { kind, .. } if packet.source.is_ipv6() && (130..=143).contains(&kind) => {
            None
        }
        _ => Some(packet),
    }
}

fn flipped(bytes: &[u8], bit: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[ETHERNET + bit as usize / 8] ^= 0x80 >> (bit % 8);
    bytes
}

#[cfg(test)]
mod tests;
