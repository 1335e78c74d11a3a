//! Sequence numbers as a reader counts them: from the start of the connection.
//!
//! TCP begins to count at a number that nobody can foresee. Relative to it, the
//! SYN has number 0 and the first byte of data number 1. Each direction counts
//! for itself.

use std::collections::HashMap;
use std::net::SocketAddr;

use timeline::packet::{Content, Packet, TcpFlags};

/// The numbers of one segment, relative to the start of its connection. They
/// are modulo 2^32, as those in the packet are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relative {
    /// The number of its first byte, or of its SYN.
    pub seq: u32,
    /// The number that its sender expects next; None without the flag ACK.
    pub ack: Option<u32>,
    /// The number after its last: SYN and FIN take one each.
    pub end: u32,
}

/// So many directions are remembered. When there are more, all begin anew.
const MOST: usize = 20_000;

/// Where each direction of each connection began to count.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    starts: HashMap<(SocketAddr, SocketAddr), u32>,
}

impl Flows {
    /// None for what is no TCP. Packets are to be given in their order.
    ///
    /// A direction whose SYN was not seen counts as if the SYN had come directly
    /// before the first number that was seen of it.
    pub fn relative(&mut self, packet: &Packet) -> Option<Relative> {
        let Content::Tcp(segment) = &packet.content else {
            return None;
        };
        let (source, destination) = packet.ends()?;
        let there = (source, destination);
        let back = (destination, source);
        let flags = segment.flags;
        let (syn, fin) = (flags.has(TcpFlags::SYN), flags.has(TcpFlags::FIN));
        if self.starts.len() >= MOST {
            self.starts.clear();
        }
        if syn {
            let before = self.starts.insert(there, segment.seq);
            // The same two ends speak again: the answers start anew, too.
            if before.is_some_and(|before| before != segment.seq) && !flags.has(TcpFlags::ACK) {
                self.starts.remove(&back);
            }
        }
        let before_first = segment.seq.wrapping_sub(1);
        let start = *self.starts.entry(there).or_insert(before_first);
        let ack = flags.has(TcpFlags::ACK).then(|| {
            let before_first = segment.ack.wrapping_sub(1);
            let start = *self.starts.entry(back).or_insert(before_first);
            segment.ack.wrapping_sub(start)
        });
        let seq = segment.seq.wrapping_sub(start);
        let taken = segment.length.wrapping_add(u32::from(syn) + u32::from(fin));
        Some(Relative {
            seq,
            ack,
            end: seq.wrapping_add(taken),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use timeline::packet::{Datagram, Segment};

    use super::*;

    const CLIENT: u16 = 40_000;
    const SERVER: u16 = 8_081;

    fn segment(from: u16, flags: u8, seq: u32, ack: u32, length: u32) -> Packet {
        let to = if from == CLIENT { SERVER } else { CLIENT };
        Packet {
            source: Ipv4Addr::LOCALHOST.into(),
            destination: Ipv4Addr::LOCALHOST.into(),
            content: Content::Tcp(Segment {
                source_port: from,
                destination_port: to,
                seq,
                ack,
                flags: TcpFlags(flags),
                length,
                ..Segment::default()
            }),
            bytes: Vec::new(),
            length: 40 + length,
            passage: None,
        }
    }

    /// Shows segments one after the other, and says how each is counted.
    fn shown() -> impl FnMut(u16, u8, u32, u32, u32) -> (u32, Option<u32>, u32) {
        let mut flows = Flows::default();
        move |from, flags, seq, ack, length| {
            let segment = segment(from, flags, seq, ack, length);
            let relative = flows.relative(&segment).expect("a segment");
            (relative.seq, relative.ack, relative.end)
        }
    }

    const SYN: u8 = TcpFlags::SYN;
    const ACK: u8 = TcpFlags::ACK;
    const FIN: u8 = TcpFlags::FIN;
    const RST: u8 = TcpFlags::RST;

    #[test]
    fn each_direction_counts_from_its_syn_and_syn_and_fin_take_one_number_each() {
        let mut shown = shown();
        assert_eq!(shown(CLIENT, SYN, 1_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, SYN | ACK, 7_000, 1_001, 0), (0, Some(1), 1));
        assert_eq!(shown(CLIENT, ACK, 1_001, 7_001, 0), (1, Some(1), 1));
        assert_eq!(shown(CLIENT, ACK, 1_001, 7_001, 5), (1, Some(1), 6));
        assert_eq!(shown(SERVER, ACK, 7_001, 1_006, 0), (1, Some(6), 1));
        assert_eq!(shown(CLIENT, FIN | ACK, 1_006, 7_001, 0), (6, Some(1), 7));
        assert_eq!(shown(SERVER, FIN | ACK, 7_001, 1_007, 0), (1, Some(7), 2));
    }

    #[test]
    fn numbers_go_on_where_those_in_the_packet_begin_again_at_zero() {
        let mut shown = shown();
        assert_eq!(shown(CLIENT, SYN, u32::MAX - 2, 0, 0), (0, None, 1));
        assert_eq!(
            shown(SERVER, SYN | ACK, u32::MAX, u32::MAX - 1, 0),
            (0, Some(1), 1)
        );
        assert_eq!(shown(CLIENT, ACK, u32::MAX - 1, 0, 5), (1, Some(1), 6));
        assert_eq!(shown(SERVER, ACK, 0, 3, 0), (1, Some(6), 1));
        assert_eq!(shown(CLIENT, ACK, 3, 0, 10), (6, Some(1), 16));
    }

    #[test]
    fn a_connection_whose_syn_was_not_seen_counts_from_its_first_packet() {
        let mut shown = shown();
        assert_eq!(shown(CLIENT, ACK, 5_000, 9_000, 10), (1, Some(1), 11));
        assert_eq!(shown(SERVER, ACK, 9_000, 5_010, 3), (1, Some(11), 4));
    }

    #[test]
    fn a_syn_that_is_sent_again_changes_nothing() {
        let mut shown = shown();
        assert_eq!(shown(CLIENT, SYN, 1_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, SYN | ACK, 7_000, 1_001, 0), (0, Some(1), 1));
        assert_eq!(shown(CLIENT, SYN, 1_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, ACK, 7_011, 1_001, 5), (11, Some(1), 16));
    }

    #[test]
    fn the_reset_of_a_refused_connection_acknowledges_its_syn() {
        let mut shown = shown();
        assert_eq!(shown(CLIENT, SYN, 1_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, RST | ACK, 0, 1_001, 0), (1, Some(1), 1));
    }

    #[test]
    fn the_same_two_ends_can_speak_again() {
        let mut shown = shown();
        shown(CLIENT, SYN, 1_000, 0, 0);
        shown(SERVER, SYN | ACK, 7_000, 1_001, 0);
        assert_eq!(shown(CLIENT, SYN, 500_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, RST | ACK, 0, 500_001, 0), (1, Some(1), 1));
        assert_eq!(shown(CLIENT, SYN, 900_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, SYN | ACK, 3, 900_001, 0), (0, Some(1), 1));
    }

    #[test]
    fn two_syns_that_cross_each_other_open_one_connection() {
        let mut shown = shown();
        assert_eq!(shown(CLIENT, SYN, 1_000, 0, 0), (0, None, 1));
        assert_eq!(shown(SERVER, SYN, 7_000, 0, 0), (0, None, 1));
        assert_eq!(shown(CLIENT, ACK, 1_006, 7_001, 5), (6, Some(1), 11));
    }

    #[test]
    fn what_is_no_tcp_has_no_numbers() {
        let datagram = Packet {
            content: Content::Udp(Datagram::default()),
            ..segment(CLIENT, 0, 0, 0, 0)
        };
        assert_eq!(Flows::default().relative(&datagram), None);
    }
}
