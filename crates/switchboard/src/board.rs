//! What the board knows: two hosts, the cable, and what the person is doing.

mod gate;
mod host;
mod keys;
mod motion;
mod packets;
mod row;

use std::time::Duration;

use timeline::cable::{Action, Fate, Line, Side};
use timeline::packet::Packet;
use timeline::{Event, Kind};
use views::only::Only;
use views::reading::{self, Lane, Reading, Stand, Subject, Way};
use views::words::Words;

use crate::command::Command;
use crate::prompt::Prompt;
pub(crate) use host::Host;
pub(crate) use packets::{Item, Packets};
pub(crate) use row::{Place, Row, SLIDE};

/// How packets cross the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At once.
    Run,
    /// Each takes a chosen time, and can be caught on its way.
    Slow,
    /// Each waits for a key.
    Step,
}

/// The paces of slow motion, in milliseconds a packet.
const PACES: [u64; 7] = [100, 200, 500, 1000, 2000, 5000, 10_000];
const USUAL_PACE: usize = 3;

/// A screen that is behind by more says so.
const BEHIND: Duration = Duration::from_secs(1);

/// How long what was told stays.
const TOLD: Duration = Duration::from_secs(5);

/// What was last said to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) text: String,
    /// Whether something was refused.
    pub(crate) refused: bool,
    /// Since when it is shown.
    since: Option<Duration>,
}

/// The board. Events go in by [`Board::see`], keys by [`Board::key`], the time by
/// [`Board::tick`]; commands come out.
#[derive(Clone, Debug)]
pub struct Board {
    pub(crate) hosts: [Host; 2],
    pub(crate) packets: Packets,
    /// What the server sends over, and what the client does.
    pub(crate) lines: [Line; 2],
    pub(crate) cut: bool,
    pub(crate) mode: Mode,
    pace: usize,
    /// Since when it is in this mode.
    since: Duration,
    /// The packet that the person has chosen; None: the one that is next.
    pub(crate) chosen: Option<u64>,
    /// The row of its bytes that stands on top; None: that in which data begins.
    pub(crate) top: Option<usize>,
    pub(crate) prompt: Option<Prompt>,
    pub(crate) help: bool,
    pub(crate) told: Option<Told>,
    pub(crate) finished: bool,
    /// When the newest event happened, and when it was seen.
    seen: (Duration, Duration),
    /// It decides what is said of what happens.
    reading: Reading,
    commands: Vec<Command>,
    changes: u64,
}

impl Board {
    /// A board on which nothing has happened. `lines` is what the cable does from
    /// the beginning, from the server and from the client. With `ascii`, calls
    /// are written with ASCII alone.
    pub fn new(mode: Mode, lines: [Line; 2], ascii: bool) -> Self {
        let (bytes, hex) = (24, false);
        let words = Words { bytes, hex, ascii };
        let mut board = Self {
            hosts: Default::default(),
            packets: Packets::default(),
            lines,
            cut: false,
            mode: Mode::Run,
            pace: USUAL_PACE,
            since: Duration::ZERO,
            chosen: None,
            top: None,
            prompt: None,
            help: false,
            told: None,
            finished: false,
            seen: (Duration::ZERO, Duration::ZERO),
            reading: Reading::new(Only::default(), words, true),
            commands: Vec::new(),
            changes: 0,
        };
        if mode != Mode::Run {
            board.go_over_to(mode, Duration::ZERO);
        }
        board
    }

    /// Something happened, and it is known now.
    pub fn see_at(&mut self, event: &Event, now: Duration) {
        self.seen = (event.time, now);
        self.see(event);
    }

    /// Something happened.
    pub fn see(&mut self, event: &Event) {
        self.changes += 1;
        for row in self.reading.read(event, None) {
            match (&row.stand, &event.kind) {
                (Stand::Lane(lane), _) => self.in_program(lane, &row),
                (Stand::Wire(way), Kind::Packet(packet)) => self.packet(&row, *way, packet),
                (Stand::Wire(_), Kind::Fate(later)) => {
                    let on_its_way = self.part_of_way(row.time);
                    self.packets.later(&row, later, on_its_way);
                }
                _ => self.remark(&row),
            }
        }
    }

    fn in_program(&mut self, lane: &Lane, row: &reading::Row) {
        let host = &mut self.hosts[side_of(lane.left) as usize];
        match &row.about {
            Subject::Started(..) => host.start(),
            Subject::Ended => host.end(lane, row),
            Subject::Returns(it, whole) => host.returns(lane, row, it.call, whole.as_ref()),
            Subject::State(change) => host.state(change),
            _ => host.say(lane, row),
        }
    }

    fn packet(&mut self, row: &reading::Row, way: Way, packet: &Packet) {
        let from = side_of(way.to_right);
        let fold = self.mode == Mode::Step;
        let swaps = self.packets.swaps(from);
        let came = self.packets.came(row, from, packet, fold);
        if came == packets::Came::TooMany
            && let Some(passage) = &packet.passage
        {
            self.commands
                .push(Command::Decide(passage.frame, Action::Drop));
        }
        if let Some(swaps) = swaps {
            self.swap_if_next_is_here(swaps, packet);
        }
    }

    /// The next packet of the direction of one that is to go behind it has come.
    fn swap_if_next_is_here(&mut self, frame: u64, next: &Packet) {
        let passage = next.passage.as_ref();
        let waits = passage.is_some_and(|passage| passage.fate == Fate::Held);
        match self.packets.next_after(frame) {
            Some(next) => self.swap(frame, next),
            // It goes on already, so this one is behind it.
            None if !waits => self.decide(frame, Action::Pass),
            // It is a copy.
            None => {}
        }
    }

    /// What is said across the cable, also of the cable itself.
    fn remark(&mut self, row: &reading::Row) {
        let text = row.text();
        let is = |what| row.about == Subject::Note && text.starts_with(what);
        self.cut = is("the cable is cut") || (self.cut && !is("the cable is mended"));
        let texts = row.words.iter().map(|piece| piece.text.clone());
        texts.for_each(|text| self.packets.remark(text));
    }

    /// No event follows; the person may go on looking.
    pub fn finish(&mut self) {
        self.finished = true;
        self.changes += 1;
    }

    /// Time passes: what is due in slow motion goes on. What is to be done, and
    /// was not given out yet.
    pub fn tick(&mut self, now: Duration) -> Vec<Command> {
        self.forget_what_was_told(now);
        while let Some((frame, due)) = self.next_due()
            && due <= now
        {
            self.decide(frame, Action::Pass);
        }
        std::mem::take(&mut self.commands)
    }

    /// So that the keys can be seen again.
    fn forget_what_was_told(&mut self, now: Duration) {
        let told = self.told.as_mut().filter(|_| self.prompt.is_none());
        if told.is_some_and(|told| now >= *told.since.get_or_insert(now) + TOLD) {
            self.told = None;
            self.changes += 1;
        }
    }

    /// Whether all programs have ended, and nothing waits.
    pub(crate) fn is_over(&self) -> bool {
        let ended = |host: &Host| host.programs > 0 && host.running == 0;
        let ended = self.hosts.iter().all(ended) && self.packets.waiting.is_empty();
        ended || self.finished
    }

    /// A number that is another one after each change.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The packet that is shown below: the chosen one, else the oldest that
    /// waits, else the newest.
    pub(crate) fn current(&self) -> Option<&Row> {
        let next = || self.packets.waiting.front().copied();
        let newest = || self.packets.frames().next_back();
        let chosen = self.chosen.and_then(|frame| self.packets.row(frame));
        chosen.or_else(|| self.packets.row(next().or_else(newest)?))
    }
}

/// The server stands on the left.
fn side_of(left: bool) -> Side {
    if left { Side::Server } else { Side::Client }
}
