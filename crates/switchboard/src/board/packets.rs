//! The packets that are and were on the cable, as far as we keep them.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use timeline::cable::{Fate, Later, Side};
use timeline::packet::Packet;
use views::reading;

use super::gate::Gate;
use super::row::{Place, Row, is_special};

/// How many packets and remarks are kept, beside those that wait.
pub(crate) const KEPT: usize = 512;
/// How many may wait for the hand.
const HAND: usize = 1000;
/// How many copies of one packet may wait with it.
const COPIES: usize = 32;
/// An answer is looked for among so many packets.
const NEAR: usize = 64;

/// What stands on the page, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Packet(u64),
    /// Something that is said across the cable.
    Remark(String),
}

/// What becomes of a packet that comes, as far as the board has a word in it.
#[derive(Debug, PartialEq)]
pub(crate) enum Came {
    Kept,
    /// It waits, and there are too many of them already.
    TooMany,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Packets {
    pub(crate) items: VecDeque<Item>,
    rows: BTreeMap<u64, Row>,
    /// Those that wait for the hand and are no copies, oldest first.
    pub(crate) waiting: VecDeque<u64>,
    usual: Gate,
    special: Gate,
    pub(crate) count: u64,
    /// Those that were dropped, but for copies of what was let through.
    pub(crate) lost: u64,
    /// Copies that are about to be dropped, because they are not needed.
    needless: HashSet<u64>,
}

impl Packets {
    pub(crate) fn row(&self, frame: u64) -> Option<&Row> {
        self.rows.get(&frame)
    }

    pub(crate) fn row_mut(&mut self, frame: u64) -> Option<&mut Row> {
        self.rows.get_mut(&frame)
    }

    /// Some(40): of those that came lately, 1 of 40 is shown.
    pub(crate) fn one_of(&self, now: Duration) -> Option<u32> {
        self.usual.one_of(now).max(self.special.one_of(now))
    }

    /// A packet has come. With `fold`, one that repeats a packet that waits,
    /// waits with it.
    pub(crate) fn came(
        &mut self,
        said: &reading::Row,
        from: Side,
        packet: &Packet,
        fold: bool,
    ) -> Came {
        self.count += 1;
        let time = said.time;
        let passage = packet.passage.as_ref();
        let frame = passage.map_or(self.count, |passage| passage.frame);
        let fate = passage.map_or(Fate::Passed, |passage| passage.fate);
        let again = passage.and_then(|passage| passage.again);
        self.lost += u64::from(fate == Fate::Dropped);
        self.note_repeat(again, frame, time);
        let shown = match (fate, is_special(packet)) {
            (Fate::Held, _) => true,
            (_, true) => self.special.lets_through(time),
            (_, false) => self.usual.lets_through(time),
        };
        if !shown {
            return Came::Kept;
        }
        let mut row = Row::new(frame, from, packet.clone(), said);
        if fate == Fate::Held {
            let again = again.filter(|_| fold);
            if let Some(head) = again.and_then(|again| self.waits_with(again)) {
                let copies = self.rows.get_mut(&head).map(|head| &mut head.copies);
                let room = copies.filter(|copies| copies.len() < COPIES);
                return match room.map(|copies| copies.push(row)) {
                    Some(()) => Came::Kept,
                    None => Came::TooMany,
                };
            }
            if self.waiting.len() >= HAND {
                return Came::TooMany;
            }
            self.waiting.push_back(frame);
        }
        self.tie_to_question(&mut row);
        self.rows.insert(frame, row);
        self.items.push_back(Item::Packet(frame));
        self.forget();
        Came::Kept
    }

    /// Something became of a packet that had stayed on the cable; `part` is the
    /// part of its way that it had made, as drawn.
    pub(crate) fn later(&mut self, said: &reading::Row, later: &Later, part: impl Fn(&Row) -> f64) {
        let needless = self.needless.remove(&later.frame);
        self.lost += u64::from(later.fate == Fate::Dropped && !needless);
        if later.fate != Fate::Held {
            self.waiting.retain(|frame| *frame != later.frame);
        }
        if let Some(row) = self.rows.get_mut(&later.frame) {
            let part = part(row);
            row.later(said, later, part);
        }
    }

    pub(crate) fn remark(&mut self, text: String) {
        self.items.push_back(Item::Remark(text));
        self.forget();
    }

    /// It waits no longer; that it is gone, the cable will say.
    pub(crate) fn decided(&mut self, frame: u64) {
        self.waiting.retain(|other| *other != frame);
        if let Some(row) = self.rows.get_mut(&frame)
            && row.waits()
        {
            row.place = Place::Stands;
        }
    }

    /// The next packet of the same direction that waits.
    pub(crate) fn next_after(&self, frame: u64) -> Option<u64> {
        let from = self.rows.get(&frame)?.from;
        let mut later = self.waiting.iter().filter(|other| **other > frame);
        let same = |other: &&u64| self.rows.get(other).is_some_and(|row| row.from == from);
        later.find(same).copied()
    }

    /// The packet of this direction that waits for the next one.
    pub(crate) fn swaps(&self, from: Side) -> Option<u64> {
        let mut rows = self.waiting.iter().filter_map(|frame| self.rows.get(frame));
        let row = rows.find(|row| row.swaps && row.from == from);
        row.map(|row| row.frame)
    }

    /// It was let through: the copies that wait behind it are not needed.
    pub(crate) fn take_copies(&mut self, frame: u64) -> Vec<u64> {
        let row = self.rows.get_mut(&frame);
        let copies = row.into_iter().flat_map(|row| row.copies.drain(..));
        let frames: Vec<u64> = copies.map(|copy| copy.frame).collect();
        self.needless.extend(&frames);
        frames
    }

    /// The first copy takes the place of the packet that it repeats.
    pub(crate) fn unfold(&mut self, head: u64) {
        let Some(row) = self.rows.get_mut(&head) else {
            return;
        };
        let mut copies = std::mem::take(&mut row.copies).into_iter();
        let Some(mut first) = copies.next() else {
            return;
        };
        first.copies = copies.collect();
        self.items.push_back(Item::Packet(first.frame));
        self.waiting.push_front(first.frame);
        self.rows.insert(first.frame, first);
    }

    fn note_repeat(&mut self, again: Option<u64>, frame: u64, time: Duration) {
        if let Some(row) = again.and_then(|again| self.rows.get_mut(&again)) {
            row.repeated_by.get_or_insert((frame, time));
        }
    }

    /// The packet that waits and that this repeats, itself or as a copy of it.
    fn waits_with(&self, again: u64) -> Option<u64> {
        let is_head = |head: &&u64| {
            let copies = self.rows.get(head).map(|row| row.copies.iter());
            let is_copy = copies.is_some_and(|mut all| all.any(|copy| copy.frame == again));
            **head == again || is_copy
        };
        self.waiting.iter().find(is_head).copied()
    }

    fn tie_to_question(&mut self, row: &mut Row) {
        let near = self.rows.values_mut().rev().take(NEAR);
        // What never arrives is not answered; what repeats it may be.
        let mut near =
            near.filter(|other| other.answered_by.is_none() && other.place != Place::Lost);
        if let Some(question) = near.find(|other| row.is_answer_to(other)) {
            question.answered_by = Some(row.frame);
            row.answers = Some(question.frame);
        }
    }

    /// Leaves only the newest, and what waits.
    fn forget(&mut self) {
        if self.items.len() < 2 * KEPT + self.waiting.len() {
            return;
        }
        let mut too_many = self.items.len().saturating_sub(KEPT + self.waiting.len());
        let rows = &mut self.rows;
        self.items.retain(|item| {
            let waits = |frame| rows.get(frame).is_some_and(Row::waits);
            let kept = match item {
                Item::Packet(frame) => too_many == 0 || waits(frame),
                Item::Remark(_) => too_many == 0,
            };
            if !kept {
                too_many -= 1;
                if let Item::Packet(frame) = item {
                    rows.remove(frame);
                }
            }
            kept
        });
    }

    /// The frames on the page, oldest first.
    pub(crate) fn frames(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.items.iter().filter_map(|item| match item {
            Item::Packet(frame) => Some(*frame),
            Item::Remark(_) => None,
        })
    }
}
