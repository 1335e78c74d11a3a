//! Packets for Wireshark, with what the programs did as comments of packets.
//!
//! The format is that of the IETF draft "PCAP Now Generic (pcapng) Capture File
//! Format". Three sorts of blocks are needed, so they are written here. The crate
//! pcap-file would write them too, but it cuts the length of a long comment to 16
//! bits and leaves the file broken; the tests read with it what is written here.

use std::collections::HashMap;
use std::time::Duration;

use timeline::call::{CallId, Start};
use timeline::packet::Packet;
use timeline::{Event, Kind, Place, Stream, Timeline};

use crate::reading::{became_of_frame, done_to_frame};
use crate::said;
use crate::text::printable;
use crate::words::Words;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// A reader finds out from it in which order the bytes of a number stand.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// LINKTYPE_RAW: a packet begins with its IPv4 or IPv6 header.
const RAW: u16 = 101;

const COMMENT: u16 = 1;
const INTERFACE_NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const APPLICATION: u16 = 4;
/// Times are in units of 10^-9 seconds.
const NANOSECONDS: u8 = 9;

/// An option holds at most 65,535 bytes; no single comment needs to.
const LONGEST_COMMENT: usize = 4_096;
/// A reader refuses blocks of more than some megabytes.
const MOST_COMMENTS: usize = 500;
/// How many bytes of data a comment shows: the packet has them all.
const BYTES: usize = 32;

/// The packets of a timeline as a pcapng file. `start` is the time of the start
/// of the timeline, since 1970.
pub fn pcapng(timeline: &Timeline, interface: &str, start: Duration) -> Vec<u8> {
    let mut writer = Writer::new(start);
    let mut file = header(interface);
    for event in timeline.events() {
        file.extend(writer.event(timeline, event));
    }
    file.extend(writer.finish());
    file
}

/// The blocks before all packets.
pub fn header(interface: &str) -> Vec<u8> {
    let mut file = Vec::new();
    section(&mut file);
    description(&mut file, interface);
    file
}

/// Writes packets as they come.
///
/// What happened in programs since the packet before stands as comments of a
/// packet, each with the time and the name of the program. What happened after
/// the last packet stands at the last packet. A file without any packet has no
/// comments.
pub struct Writer {
    start: Duration,
    teller: Teller,
    comments: Comments,
    /// It may be the last one.
    last: Option<(Duration, Packet, Comments)>,
}

/// As many as a reader can take; the others are counted.
#[derive(Default)]
struct Comments {
    texts: Vec<String>,
    more: usize,
}

impl Comments {
    fn push(&mut self, text: String) {
        if self.texts.len() < MOST_COMMENTS {
            self.texts.push(text);
        } else {
            self.more += 1;
        }
    }
}

impl Writer {
    /// `start` is the time of the start of the timeline, since 1970.
    pub fn new(start: Duration) -> Self {
        Self {
            start,
            teller: Teller::default(),
            comments: Comments::default(),
            last: None,
        }
    }

    /// The bytes that are to be written after those before.
    pub fn event(&mut self, timeline: &Timeline, event: &Event) -> Vec<u8> {
        let Kind::Packet(packet) = &event.kind else {
            if let Some(comment) = self.teller.tell(timeline, event) {
                self.comments.push(comment);
            }
            return Vec::new();
        };
        if let Some(told) = packet.passage.as_ref().and_then(done_to_frame) {
            self.comments.push(told);
        }
        let comments = std::mem::take(&mut self.comments);
        let last = self.last.replace((event.time, packet.clone(), comments));
        last.map_or(Vec::new(), |(time, packet, comments)| {
            self.packet(time, &packet, comments)
        })
    }

    /// The bytes at the end.
    pub fn finish(&mut self) -> Vec<u8> {
        let Some((time, packet, mut comments)) = self.last.take() else {
            return Vec::new();
        };
        let after = std::mem::take(&mut self.comments);
        for comment in after.texts {
            comments.push(format!("after this packet: {comment}"));
        }
        comments.more += after.more;
        self.packet(time, &packet, comments)
    }

    fn packet(&self, time: Duration, packet: &Packet, mut comments: Comments) -> Vec<u8> {
        let mut bytes = Vec::new();
        if comments.more > 0 {
            let more = format!("{} more events are not shown here", comments.more);
            comments.texts.push(more);
        }
        block(&mut bytes, ENHANCED_PACKET, |body| {
            const ONLY_INTERFACE: u32 = 0;
            let time = self.start.saturating_add(time).as_nanos();
            // 64 bits reach to the year 2554.
            let time = u64::try_from(time).unwrap_or(u64::MAX);
            let captured = u32::try_from(packet.bytes.len()).unwrap_or(u32::MAX);
            body.extend(ONLY_INTERFACE.to_le_bytes());
            // The upper half comes first, whatever the order of bytes.
            body.extend(&time.to_le_bytes()[4..]);
            body.extend(&time.to_le_bytes()[..4]);
            body.extend(captured.to_le_bytes());
            body.extend(packet.length.max(captured).to_le_bytes());
            body.extend(&packet.bytes);
            pad(body);
            for comment in &comments.texts {
                option(body, COMMENT, shortened(comment).as_bytes());
            }
            end_of_options(body);
        });
        bytes
    }
}

fn section(file: &mut Vec<u8>) {
    block(file, SECTION_HEADER, |body| {
        const VERSION: [u16; 2] = [1, 0];
        const LENGTH_NOT_SAID: i64 = -1;
        body.extend(BYTE_ORDER.to_le_bytes());
        body.extend(VERSION.map(u16::to_le_bytes).concat());
        body.extend(LENGTH_NOT_SAID.to_le_bytes());
        option(body, APPLICATION, b"dialtone");
        end_of_options(body);
    });
}

fn description(file: &mut Vec<u8>, interface: &str) {
    block(file, INTERFACE_DESCRIPTION, |body| {
        const NOT_USED: u16 = 0;
        const NO_LIMIT: u32 = 0;
        body.extend(RAW.to_le_bytes());
        body.extend(NOT_USED.to_le_bytes());
        body.extend(NO_LIMIT.to_le_bytes());
        option(body, INTERFACE_NAME, shortened(interface).as_bytes());
        option(body, TIME_RESOLUTION, &[NANOSECONDS]);
        end_of_options(body);
    });
}

/// A block: its kind, its length, its body, and its length once more.
fn block(file: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    const AROUND: usize = 12;
    let mut body = Vec::new();
    write(&mut body);
    let length = u32::try_from(body.len() + AROUND).unwrap_or(u32::MAX);
    file.extend(kind.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(body);
    file.extend(length.to_le_bytes());
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    body.extend(code.to_le_bytes());
    body.extend(length.to_le_bytes());
    body.extend(&value[..length.into()]);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// Everything begins at a multiple of four.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn shortened(text: &str) -> String {
    let fits = |end: &usize| *end <= LONGEST_COMMENT;
    let ends = text.char_indices().map(|(end, _)| end).chain([text.len()]);
    let end = ends.take_while(fits).last().unwrap_or(0);
    let more = if end < text.len() { " …" } else { "" };
    format!("{}{more}", &text[..end])
}

/// Says what happened beside the wire.
#[derive(Default)]
struct Teller {
    /// Calls that have begun, and when.
    open: HashMap<CallId, (Start, Duration)>,
}

impl Teller {
    /// None for what belongs to a page, and not to what happened.
    fn tell(&mut self, timeline: &Timeline, event: &Event) -> Option<String> {
        let (bytes, hex, ascii) = (BYTES, false, false);
        let words = Words { bytes, hex, ascii };
        let what = match &event.kind {
            Kind::Started { command, .. } => format!("starts as {}", command.join(" ")),
            Kind::Line { stream, text } => match stream {
                Stream::Stdout => format!("prints: {text}"),
                Stream::Stderr => format!("prints on stderr: {text}"),
            },
            Kind::Ended(ending) => said::ending(*ending),
            Kind::Call(call) => {
                self.open.insert(call.id, (call.clone(), event.time));
                format!("calls {}", words.start(call))
            }
            Kind::Return(end) => {
                let (call, since) = self.open.remove(&end.id)?;
                let waited = said::milliseconds(event.time.saturating_sub(since));
                let (call, result) = (words.again(&call), words.end(&call, end));
                let told = format!("returns from {call} {result}");
                format!("{}, {waited} ms", told.trim_end())
            }
            Kind::State(change) => said::state(change)?,
            Kind::Fate(later) => became_of_frame(later),
            Kind::Unseen(what) => format!("not seen: {what}"),
            Kind::Note(text) => text.clone(),
            _ => return None,
        };
        let who = match event.place {
            Place::Actor(actor) => match timeline.lane(actor) {
                "" => format!("program {}", actor.0),
                name => name.to_string(),
            },
            Place::Wire { .. } => "wire".to_string(),
            Place::Narrator => "note".to_string(),
        };
        let time = said::milliseconds(event.time);
        Some(printable(&format!("{time} ms, {who}: {what}")))
    }
}
