//! The one reading of a timeline: what is said of it, row by row.
//!
//! Ladder, picture and board place what stands here, each in its own way; none of
//! them decides what is said. Read [`Row`] first.

mod calls;
mod lanes;
mod passage;
mod row;
mod services;

use std::time::Duration;

use timeline::cable::Later;
use timeline::call::{CallId, End, Start};
use timeline::packet::{Content, Packet, TcpFlags};
use timeline::{Event, Kind, Place, Stream, Timeline};

use self::calls::{Calls, Open};
use self::lanes::Lanes;
use self::passage::{Passages, Seen};
#[cfg(feature = "files")]
pub(crate) use self::passage::{became_of_frame, done_to_frame};
pub use self::row::{Interval, Lane, Layer, Meaning, Piece, Row, Stand, Subject, Tip, Way};
use self::services::Services;
use crate::flow::Flows;
use crate::only::Only;
use crate::said::{self, milliseconds};
use crate::words::Words;

/// A call that did what it was asked to do, and took no longer, is not told
/// again at its end: the X-ray itself makes calls slower by about this much.
const SHORT: Duration = Duration::from_millis(5);

/// So many calls, processes, threads of one, and frames are remembered: a run
/// that goes on for days needs no more memory than one of minutes.
const MOST: usize = 10_000;

/// Reads a timeline event by event, also one that still grows.
#[derive(Clone, Debug)]
pub struct Reading {
    only: Only,
    words: Words,
    inquiries: bool,
    lanes: Lanes,
    calls: Calls,
    services: Services,
    flows: Flows,
    passages: Passages,
    packets: u64,
}

/// What is said of a whole timeline.
pub fn rows(timeline: &Timeline, mut reading: Reading) -> Vec<Row> {
    let pairs = with_next(timeline);
    pairs
        .flat_map(|(event, next)| reading.read(event, next))
        .collect()
}

/// Each event, and the one after it.
pub(crate) fn with_next(timeline: &Timeline) -> impl Iterator<Item = (&Event, Option<&Event>)> {
    let events = timeline.events();
    let nexts = events.iter().skip(1).map(Some).chain([None]);
    events.iter().zip(nexts)
}

impl Reading {
    /// Says these kinds of events, in these words. Without `inquiries`, nothing is
    /// said of calls that only ask and were answered.
    pub fn new(only: Only, words: Words, inquiries: bool) -> Self {
        Self {
            only,
            words,
            inquiries,
            lanes: Lanes::default(),
            calls: Calls::default(),
            services: Services::default(),
            flows: Flows::default(),
            passages: Passages::default(),
            packets: 0,
        }
    }

    /// From here on these kinds of events are said.
    pub fn show(&mut self, only: Only) {
        self.only = only;
    }

    /// Whether nothing is said of this call, which has begun and not ended, because
    /// one row will tell of it and of others.
    pub fn folds(&self, call: CallId) -> bool {
        self.services.has(call)
    }

    /// What is said of this event. `next` is the event after it, if it is known
    /// already: a call whose end comes next is one row.
    pub fn read(&mut self, event: &Event, next: Option<&Event>) -> Vec<Row> {
        if let Some(told) = self.services.instead(event, self.only) {
            return self.services_told(event, told);
        }
        let is_drawn = self.only.draws(&event.kind);
        match &event.kind {
            Kind::Started { lane, command } => {
                self.lanes.start(lane);
                let about = Subject::Started(lane.clone(), command.clone());
                vec![self.in_lane(event, about, None)]
            }
            Kind::Line { stream, text } if is_drawn => {
                let meaning = match stream {
                    Stream::Stdout => Meaning::Output,
                    Stream::Stderr => Meaning::Bad,
                };
                let line = Piece::new(format!("> {text}"), meaning);
                vec![self.in_lane(event, Subject::Line, Some(line))]
            }
            Kind::Ended(ending) => {
                let told = self.services.ended(event.place, self.only);
                let mut rows = self.services_told(event, told);
                let is_drawn = self.only.output || self.only.calls;
                let text = is_drawn.then(|| Piece::new(said::ending(*ending), Meaning::Faint));
                rows.push(self.in_lane(event, Subject::Ended, text));
                rows
            }
            Kind::Call(call) => self.call(event, call, next),
            Kind::Return(end) => self.back(event, end),
            Kind::Packet(packet) => self.packet(event, packet),
            Kind::Fate(later) => self.fate(event, later),
            Kind::State(change) if is_drawn => {
                let text = said::state(change).map(|text| Piece::new(text, Meaning::Faint));
                vec![self.in_lane(event, Subject::State(change.clone()), text)]
            }
            Kind::Unseen(what) => {
                let words = vec![Piece::new(format!("not seen: {what}"), Meaning::Bad)];
                vec![row(event, Stand::Across, Subject::Unseen, words)]
            }
            Kind::Lanes(names) => {
                self.lanes.name(names);
                let about = Subject::Lanes(names.clone());
                vec![row(event, Stand::Across, about, Vec::new())]
            }
            _ => narrated(event).into_iter().collect(),
        }
    }

    fn in_lane(&self, event: &Event, about: Subject, piece: Option<Piece>) -> Row {
        let stand = match event.place {
            Place::Actor(actor) => Stand::Lane(self.lanes.of(actor)),
            Place::Wire { .. } | Place::Narrator => Stand::Across,
        };
        row(event, stand, about, piece.into_iter().collect())
    }

    fn services_told(&self, event: &Event, told: Vec<String>) -> Vec<Row> {
        let told = told.into_iter();
        let told = told.map(|text| Piece::new(text, Meaning::Faint));
        told.map(|text| self.in_lane(event, Subject::Service, Some(text)))
            .collect()
    }

    fn call(&mut self, event: &Event, call: &Start, next: Option<&Event>) -> Vec<Row> {
        let end = match next.map(|next| (next.time, &next.kind)) {
            Some((time, Kind::Return(end))) if end.id == call.id => Some((time, end)),
            _ => None,
        };
        let open = self.calls.begin(event.time, call);
        let mut interval = open.interval;
        if !self.only.draws(&event.kind) || (interval.inquiry && !self.inquiries) {
            return Vec::new();
        }
        let (about, text) = match end {
            Some((time, end)) => {
                open.is_told = true;
                let whole = whole(self.words, open, end);
                interval.until = Some(time);
                (Subject::Whole(interval), whole)
            }
            None => {
                let dots = if self.words.ascii { "..." } else { "…" };
                let text = format!("{}{} {dots}", mark(interval), self.words.start(call));
                (Subject::Begins(interval), Piece::new(text, Meaning::Plain))
            }
        };
        vec![self.in_lane(event, about, Some(text))]
    }

    fn back(&mut self, event: &Event, end: &End) -> Vec<Row> {
        let Some(open) = self.calls.end(event.time, end.id) else {
            return Vec::new();
        };
        let Open {
            start,
            interval,
            is_told,
        } = &open;
        let is_bad = said::is_bad(&end.outcome);
        let unwanted = interval.inquiry && !self.inquiries && !is_bad;
        if *is_told || unwanted || !self.only.draws(&event.kind) {
            return vec![self.in_lane(event, Subject::Returns(*interval, None), None)];
        }
        let waited = event.time.saturating_sub(interval.since);
        let result = self.words.end(start, end);
        let text = (!result.is_empty() || waited >= SHORT).then(|| {
            let text = format!("{}{} {result}", mark(*interval), self.words.again(start));
            let text = format!("{}, {} ms", text.trim_end(), milliseconds(waited));
            Piece::new(text, meaning_of(end))
        });
        let about = Subject::Returns(*interval, Some(whole(self.words, &open, end)));
        vec![self.in_lane(event, about, text)]
    }

    fn packet(&mut self, event: &Event, packet: &Packet) -> Vec<Row> {
        self.packets += 1;
        let relative = self.flows.relative(packet);
        let is_drawn = self.only.draws(&event.kind);
        if !is_drawn && packet.passage.is_none() {
            return Vec::new();
        }
        let label = said::packet(self.words, packet, relative);
        let to_right = self.lanes.goes_right(event.place, packet.source);
        let (mut tip, mut fates) = (Tip::Arrives, Vec::new());
        if let Some(passage) = &packet.passage {
            let seen = Seen::new(event.time, self.packets, packet, &label.head, to_right);
            (tip, fates) = self.passages.came(passage, seen);
        }
        if !is_drawn {
            return Vec::new();
        }
        let numbers = label.numbers.into_iter();
        let numbers = numbers.map(|number| Piece::new(number, Meaning::Number));
        // As numbers, no data is no words.
        let data = label.data.filter(|data| !data.is_empty());
        let data = data.map(|data| Piece::new(data, Meaning::Data));
        let words = [head(label.head, packet)].into_iter();
        let words = words.chain(numbers).chain(data).chain(fates).collect();
        let about = Subject::Packet {
            number: self.packets,
            frame: packet.passage.as_ref().map(|passage| passage.frame),
            relative,
        };
        vec![row(event, way(event, to_right, tip, false), about, words)]
    }

    fn fate(&mut self, event: &Event, later: &Later) -> Vec<Row> {
        let (tip, text) = self.passages.later(event.time, later);
        let seen = self.passages.frame(later.frame);
        let is_tcp = seen.is_none_or(|seen| seen.is_tcp);
        if !self.only.draws_packet(is_tcp) {
            return Vec::new();
        }
        let by_sockets = self.lanes.by_sockets(event.place);
        let to_right = by_sockets.or(seen.map(|seen| seen.to_right));
        let way = way(event, to_right.unwrap_or(true), tip, true);
        let about = Subject::Fate {
            number: seen.map(|seen| seen.number),
            frame: later.frame,
        };
        vec![row(event, way, about, vec![text])]
    }
}

fn row(event: &Event, stand: Stand, about: Subject, words: Vec<Piece>) -> Row {
    Row {
        time: event.time,
        stand,
        about,
        words,
    }
}

/// What the one who explains says; None for what is no explanation.
pub(crate) fn narrated(event: &Event) -> Option<Row> {
    let (about, texts): (_, Vec<&str>) = match &event.kind {
        Kind::Headline(text) => (Subject::Headline, vec![text]),
        Kind::Note(text) => (Subject::Note, vec![text]),
        Kind::Rows(rows) => (Subject::Table, rows.lines().collect()),
        Kind::Next(things) => (Subject::Next, things.iter().map(String::as_str).collect()),
        Kind::Beat => (Subject::Beat, Vec::new()),
        _ => return None,
    };
    let texts = texts.into_iter();
    let words = texts.map(|text| Piece::new(text, Meaning::Plain));
    Some(row(event, Stand::Across, about, words.collect()))
}

fn way(event: &Event, to_right: bool, tip: Tip, late: bool) -> Stand {
    let (from, to) = match event.place {
        Place::Wire { from, to } => (from, to),
        Place::Actor(_) | Place::Narrator => (None, None),
    };
    Stand::Wire(Way {
        from,
        to,
        to_right,
        tip,
        late,
    })
}

/// A call with its end, in one row.
fn whole(words: Words, open: &Open, end: &End) -> Piece {
    let (start, result) = (words.start(&open.start), words.end(&open.start, end));
    let text = format!("{}{start} {result}", mark(open.interval));
    Piece::new(text.trim_end(), meaning_of(end))
}

/// Of a process with several threads: which of them calls. The first to call has
/// no mark.
fn mark(interval: Interval) -> String {
    match interval.thread {
        1 => String::new(),
        thread => format!("t{thread} "),
    }
}

fn meaning_of(end: &End) -> Meaning {
    match said::is_bad(&end.outcome) {
        true => Meaning::Bad,
        false => Meaning::Plain,
    }
}

/// What a packet is called. A RST breaks something off.
fn head(text: String, packet: &Packet) -> Piece {
    let resets =
        matches!(&packet.content, Content::Tcp(segment) if segment.flags.has(TcpFlags::RST));
    let meaning = if resets { Meaning::Bad } else { Meaning::Plain };
    Piece {
        short: Some(text.replace(" bytes", " B")),
        ..Piece::new(text, meaning)
    }
}
