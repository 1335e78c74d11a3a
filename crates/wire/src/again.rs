//! Which segment repeats which: the same numbers of the same connection.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use timeline::packet::{Content, Packet, TcpFlags};

/// How many segments of one direction are remembered, and how many directions.
const SEGMENTS: usize = 1024;
const FLOWS: usize = 1024;

/// Remembers what has crossed the cable, as far as it may come again.
#[derive(Debug, Default)]
pub(crate) struct Again {
    flows: HashMap<(SocketAddr, SocketAddr), Flow>,
    /// In the order in which they began.
    ages: VecDeque<(SocketAddr, SocketAddr)>,
}

#[derive(Debug, Default)]
struct Flow {
    sent: VecDeque<Sent>,
    /// The number after the highest that was sent.
    end: u32,
}

#[derive(Debug)]
struct Sent {
    frame: u64,
    seq: u32,
    end: u32,
}

impl Again {
    /// The latest frame that has carried data, a SYN or a FIN of this segment
    /// before; None for what is new, and for what carries none of them.
    pub(crate) fn seen(&mut self, frame: u64, packet: &Packet) -> Option<u64> {
        let Content::Tcp(segment) = &packet.content else {
            return None;
        };
        let ends = packet.ends()?;
        let flags = segment.flags;
        let opens = flags.has(TcpFlags::SYN);
        let controls = u32::from(opens) + u32::from(flags.has(TcpFlags::FIN));
        let length = segment.length.wrapping_add(controls);
        if length == 0 {
            return None;
        }
        let sent = Sent {
            frame,
            seq: segment.seq,
            end: segment.seq.wrapping_add(length),
        };
        if !self.flows.contains_key(&ends) {
            self.make_room();
            self.ages.push_back(ends);
        }
        let flow = self.flows.entry(ends).or_insert_with(|| Flow {
            end: sent.seq,
            ..Flow::default()
        });
        // The same two ends begin again, with other numbers.
        let first = flow.sent.front().map(|first| first.seq);
        if opens && first.is_some_and(|first| first != sent.seq) {
            flow.sent.clear();
            flow.end = sent.seq;
        }
        flow.seen(sent)
    }

    fn make_room(&mut self) {
        while self.ages.len() >= FLOWS {
            let oldest = self.ages.pop_front();
            oldest.map(|oldest| self.flows.remove(&oldest));
        }
    }
}

impl Flow {
    fn seen(&mut self, sent: Sent) -> Option<u64> {
        // Nearly always it is new, and then nothing needs to be searched.
        let is_new = !is_before(sent.seq, self.end);
        let overlaps =
            |other: &&Sent| is_before(sent.seq, other.end) && is_before(other.seq, sent.end);
        let again = match is_new {
            true => None,
            false => self
                .sent
                .iter()
                .rev()
                .find(overlaps)
                .map(|other| other.frame),
        };
        if is_before(self.end, sent.end) {
            self.end = sent.end;
        }
        if self.sent.len() == SEGMENTS {
            self.sent.pop_front();
        }
        self.sent.push_back(sent);
        again
    }
}

/// Numbers of TCP go round: RFC 9293, section 3.4.
fn is_before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use timeline::packet::Segment;

    use super::*;

    fn segment(flags: u8, seq: u32, length: u32) -> Packet {
        Packet {
            source: [10, 0, 0, 2].into(),
            destination: [10, 0, 0, 1].into(),
            content: Content::Tcp(Segment {
                source_port: 5000,
                destination_port: 8081,
                seq,
                flags: TcpFlags(flags),
                length,
                ..Segment::default()
            }),
            bytes: Vec::new(),
            length: 40 + length,
            passage: None,
        }
    }

    const SYN: u8 = TcpFlags::SYN;
    const ACK: u8 = TcpFlags::ACK;
    const FIN: u8 = TcpFlags::FIN | TcpFlags::ACK;

    /// Flags, number and length of each segment; and which of them it repeats, from 1.
    #[rstest]
    #[case::the_numbers_of_an_older_one(&[
        (SYN, 100, 0, None), (SYN, 100, 0, Some(1)), (ACK, 101, 0, None), (ACK, 101, 10, None),
        (ACK, 111, 10, None), (ACK, 101, 10, Some(4)), (FIN, 121, 0, None), (FIN, 121, 0, Some(7)),
    ])]
    #[case::the_latest_that_it_overlaps(&[
        (ACK, 100, 10, None), (ACK, 110, 10, None), (ACK, 100, 20, Some(2)),
    ])]
    #[case::numbers_that_go_round_are_not_older(&[
        (ACK, u32::MAX - 4, 10, None), (ACK, 5, 10, None), (ACK, u32::MAX - 4, 10, Some(1)),
    ])]
    #[case::a_port_that_is_used_again_begins_anew(&[
        (SYN, 100, 0, None), (ACK, 101, 1000, None), (SYN, 500, 0, None), (ACK, 501, 10, None),
    ])]
    fn a_segment_repeats_another_one(#[case] segments: &[(u8, u32, u32, Option<u64>)]) {
        let mut again = Again::default();
        for (&(flags, seq, length, repeats), frame) in segments.iter().zip(1..) {
            let segment = segment(flags, seq, length);
            assert_eq!(again.seen(frame, &segment), repeats, "segment {frame}");
        }
    }

    #[test]
    fn memory_stays_bounded_however_many_connections_there_are() {
        let mut again = Again::default();
        for port in 1..=u16::MAX {
            let mut packet = segment(TcpFlags::SYN, 1, 0);
            if let Content::Tcp(segment) = &mut packet.content {
                segment.source_port = port;
            }
            again.seen(port.into(), &packet);
        }
        assert!(again.flows.len() <= FLOWS);
    }
}
