//! Describes a packet, sentence by sentence.

use std::net::IpAddr;
use std::time::Duration;

use timeline::packet::{Content, Segment};
use views::flow::Relative;
use views::said::{self, milliseconds};
use views::words::Words;

use crate::board::{Board, Place, Row};
use crate::look::Look;

/// How much of the data is shown as text.
const DATA: usize = 48;

/// Each a sentence or a line, and whether it tells of something bad.
pub(super) fn all(board: &Board, row: &Row, look: Look, now: Duration) -> Vec<(String, bool)> {
    let mut facts = vec![(ends(row, look), false), (headers(row, look), false)];
    let lost = row.place == Place::Lost;
    facts.extend(row.fates().map(|fate| (fate.text.clone(), lost)));
    if row.waits() {
        facts.push((waits(board, row, now), false));
    }
    let ties = ties(row);
    if !ties.is_empty() {
        facts.push((ties, false));
    }
    facts
}

fn ends(row: &Row, look: Look) -> String {
    let packet = &row.packet;
    let to = look.glyphs().to;
    let ends = match packet.ends() {
        Some((source, destination)) => format!("{source} {to} {destination}"),
        None => format!("{} {to} {}", packet.source, packet.destination),
    };
    let version = match packet.source {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    };
    format!(
        "{version} {ends}, {} bytes, came at {} ms",
        packet.length,
        milliseconds(row.came)
    )
}

fn headers(row: &Row, look: Look) -> String {
    let words = Words {
        bytes: DATA,
        hex: false,
        ascii: look.ascii,
    };
    let label = said::packet(words, &row.packet, row.relative);
    let mut parts = vec![label.head];
    parts.extend(label.numbers);
    if let Content::Tcp(segment) = &row.packet.content {
        parts.extend(options(segment, row.relative));
    }
    let life = match row.packet.source {
        IpAddr::V4(_) => row.packet.bytes.get(8).map(|ttl| format!("TTL {ttl}")),
        IpAddr::V6(_) => row
            .packet
            .bytes
            .get(7)
            .map(|hops| format!("hop limit {hops}")),
    };
    parts.extend(life);
    parts.extend(label.data);
    parts.join("  ")
}

fn options(segment: &Segment, relative: Option<Relative>) -> Vec<String> {
    let options = &segment.options;
    let mut parts = vec![format!("window {}", segment.window)];
    let size = options.maximum_segment_size;
    parts.extend(size.map(|size| format!("MSS {size}")));
    let scale = options.window_scale;
    parts.extend(scale.map(|scale| format!("window scale {scale}")));
    if options.sack_permitted {
        parts.push("SACK permitted".to_string());
    }
    // What arrived out of order is counted as the acknowledgement is.
    if let Some(ack) = relative.and_then(|relative| relative.ack) {
        let own = |number: u32| number.wrapping_sub(segment.ack).wrapping_add(ack);
        let blocks = options.sack.iter();
        let blocks = blocks.map(|(from, to)| format!("SACK {}:{}", own(*from), own(*to)));
        parts.extend(blocks);
    }
    parts
}

/// What can become of it.
fn waits(board: &Board, row: &Row, now: Duration) -> String {
    if row.swaps {
        return "It waits for the next one of its direction, to go behind it.".to_string();
    }
    if board.next_due().is_some() && row.by.is_none() {
        return "It is on its way: Space lets it arrive at once, d drops it.".to_string();
    }
    let since = now.saturating_sub(row.came).as_secs_f64();
    let waits = format!("It waits for you, since {since:.1} s.");
    match row.copies.len() {
        0 => waits,
        1 => format!("{waits} A copy of it waits behind it."),
        copies => format!("{waits} {copies} copies of it wait behind it."),
    }
}

/// What it answers, and what answers and repeats it.
fn ties(row: &Row) -> String {
    let mut ties = Vec::new();
    let question = row.answers;
    ties.extend(question.map(|frame| format!("It answers packet {frame}.")));
    if let Some((frame, at)) = row.repeated_by {
        let after = milliseconds(at.saturating_sub(row.came));
        ties.push(format!("Packet {frame} repeats it, {after} ms later."));
    }
    let answer = row.answered_by;
    ties.extend(answer.map(|frame| format!("Packet {frame} answers it.")));
    ties.join(" ")
}
