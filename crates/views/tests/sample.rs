//! Timelines as the X-ray records them: two that were recorded, and others that
//! are put together event after event.

use std::net::Ipv4Addr;
use std::time::Duration;

use timeline::cable::{Fate, Later, Passage};
use timeline::call::*;
use timeline::packet::*;
use timeline::{Actor, Event, Kind, Place, Stream, Timeline};
use views::json;
use views::only::Only;
use views::reading::Reading;
use views::words::Words;

pub const SERVER: Place = Place::Actor(Actor(0));
pub const CLIENT: Place = Place::Actor(Actor(1));
pub const NOBODY: Place = Place::Wire {
    from: None,
    to: None,
};

pub const SYN: u8 = TcpFlags::SYN;
pub const ACK: u8 = TcpFlags::ACK;

/// A client says hello; the server lets it wait, and answers.
pub fn echo() -> Timeline {
    json::read(include_str!("recordings/echo.jsonl")).unwrap()
}

/// A handshake and a message, as on every first day; a millisecond between any
/// two events.
pub fn talk() -> Timeline {
    json::read(include_str!("recordings/talk.jsonl")).unwrap()
}

/// A reading with 32 bytes of data, in words that are not ASCII alone.
pub fn reading(only: Only) -> Reading {
    let (bytes, hex, ascii) = (32, false, false);
    Reading::new(only, Words { bytes, hex, ascii }, true)
}

/// Puts a timeline together. Times are in microseconds.
#[derive(Default)]
pub struct Story {
    pub timeline: Timeline,
    calls: u64,
}

impl Story {
    pub fn at(&mut self, time: u64, place: Place, kind: Kind) {
        let time = Duration::from_micros(time);
        self.timeline.push(Event { time, place, kind });
    }

    pub fn started(&mut self, place: Place, lane: &str) {
        let (lane, command) = (lane.to_string(), vec![format!("./{lane}")]);
        self.at(0, place, Kind::Started { lane, command });
    }

    pub fn line(&mut self, time: u64, place: Place, text: &str) {
        let (stream, text) = (Stream::Stdout, text.to_string());
        self.at(time, place, Kind::Line { stream, text });
    }

    pub fn note(&mut self, time: u64, text: &str) {
        self.at(time, Place::Narrator, Kind::Note(text.to_string()));
    }

    pub fn call(&mut self, time: u64, place: Place, name: &'static str, args: Vec<Arg>) -> CallId {
        self.asks(time, place, start(name, args))
    }

    /// A call in all its details, but for its id.
    pub fn asks(&mut self, time: u64, place: Place, start: Start) -> CallId {
        self.calls += 1;
        let id = CallId(self.calls);
        self.at(time, place, Kind::Call(Start { id, ..start }));
        id
    }

    pub fn back(&mut self, time: u64, place: Place, id: CallId, outcome: Outcome) {
        self.at(time, place, Kind::Return(end(id, outcome)));
    }

    /// A call and its end, a few microseconds later.
    pub fn done(
        &mut self,
        time: u64,
        place: Place,
        name: &'static str,
        args: Vec<Arg>,
        result: i64,
    ) {
        let id = self.call(time, place, name, args);
        self.back(time + 4, place, id, Outcome::Returned(result));
    }

    pub fn packet(&mut self, time: u64, from: Place, flags: u8, seq: u32, ack: u32, data: &[u8]) {
        let packet = segment(from, flags, seq, ack, data);
        self.at(time, wire(from), Kind::Packet(packet));
    }

    /// Five bytes on a cable in somebody's hand, and what becomes of them.
    pub fn on_cable(&mut self, time: u64, from: Place, passage: Passage) {
        let passage = Some(passage);
        let hello = segment(from, ACK, 1, 1, b"hello");
        let packet = Packet { passage, ..hello };
        self.at(time, wire(from), Kind::Packet(packet));
    }

    /// What becomes of a frame after so many microseconds on the cable.
    pub fn later(&mut self, time: u64, frame: u64, fate: Fate, by: Option<&str>, after: u64) {
        let later = Later {
            frame,
            fate,
            by: by.map(str::to_string),
            after: Duration::from_micros(after),
        };
        self.at(time, NOBODY, Kind::Fate(later));
    }
}

pub fn start(name: &'static str, args: Vec<Arg>) -> Start {
    Start {
        id: CallId(0),
        pid: 1,
        tid: 1,
        name: name.into(),
        args,
        socket: None,
        resumes: None,
        changed: None,
    }
}

pub fn end(id: CallId, outcome: Outcome) -> End {
    End {
        id,
        outcome,
        outputs: Vec::new(),
        sockets: Vec::new(),
    }
}

pub fn returned(value: i64) -> Outcome {
    Outcome::Returned(value)
}

pub fn symbol(number: i64, name: &'static str) -> Symbol {
    let name = Some(name.into());
    Symbol { number, name }
}

pub fn address(text: &str) -> Address {
    Address::Ip(text.parse().unwrap())
}

pub fn bytes(data: &[u8]) -> Bytes {
    let (first, length) = (data.to_vec(), data.len() as u64);
    Bytes { first, length }
}

/// A frame with its fate, and the rule that decides it.
pub fn passage(frame: u64, fate: Fate, by: Option<&str>) -> Passage {
    Passage {
        frame,
        fate,
        by: by.map(str::to_string),
        ..Passage::default()
    }
}

/// From one of the two programs to the other one.
fn wire(from: Place) -> Place {
    let (from, to) = match from {
        SERVER => (Actor(0), Actor(1)),
        _ => (Actor(1), Actor(0)),
    };
    let (from, to) = (Some(from), Some(to));
    Place::Wire { from, to }
}

/// A segment with as many bytes as carry it; those of its headers are 0.
pub fn segment(from: Place, flags: u8, seq: u32, ack: u32, data: &[u8]) -> Packet {
    let (source_port, destination_port) = match from {
        SERVER => (8081, 40_000),
        _ => (40_000, 8081),
    };
    let bytes = [&[0; 40], data].concat();
    Packet {
        source: Ipv4Addr::LOCALHOST.into(),
        destination: Ipv4Addr::LOCALHOST.into(),
        content: Content::Tcp(Segment {
            source_port,
            destination_port,
            seq,
            ack,
            flags: TcpFlags(flags),
            length: data.len() as u32,
            data: data.to_vec(),
            ..Segment::default()
        }),
        length: bytes.len() as u32,
        bytes,
        passage: None,
    }
}
