//! A packet on the wire, as plain values.
//!
//! Names are those of the RFCs: 791 and 8200 (IP), 9293 (TCP), 768 (UDP), 792
//! and 4443 (ICMP). Sequence numbers are as they stand in the packet; to show
//! them relative to the start of a connection is the views' matter.

use std::net::{IpAddr, SocketAddr};

use crate::cable::Passage;

/// One packet, with the bytes that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Who sent it.
    pub source: IpAddr,
    /// For whom it is.
    pub destination: IpAddr,
    /// What is inside.
    pub content: Content,
    /// The packet from the IP header on; perhaps only its first bytes.
    pub bytes: Vec<u8>,
    /// How many bytes it has in all, from the IP header on.
    pub length: u32,
    /// What became of it on a cable in somebody's hand; None on any other.
    pub passage: Option<Passage>,
}

/// What is inside an IP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram.
    Udp(Datagram),
    /// A message about another packet, such as "port unreachable".
    Icmp {
        /// Its type.
        kind: u8,
        /// What it says more exactly.
        code: u8,
        /// The packet that it is about, as far as the message repeats it.
        about: Option<About>,
    },
    /// A fragment that is not the first: only the first has ports.
    Fragment {
        /// The number of the protocol inside.
        protocol: u8,
        /// Where its data belongs, in bytes.
        offset: u32,
    },
    /// Another protocol.
    Other {
        /// Its number.
        protocol: u8,
    },
    /// Too short, or with a header that contradicts itself.
    Broken {
        /// What is wrong.
        reason: String,
    },
}

/// A TCP segment: RFC 9293, section 3.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// SEG.SEQ: the number of its first byte, or of its SYN.
    pub seq: u32,
    /// SEG.ACK: the number that the sender expects next. It means something
    /// only with the flag ACK.
    pub ack: u32,
    /// The flags.
    pub flags: TcpFlags,
    /// SEG.WND, before it is scaled.
    pub window: u16,
    /// The options.
    pub options: TcpOptions,
    /// How many bytes of data it carries.
    pub length: u32,
    /// The first of them.
    pub data: Vec<u8>,
}

/// The flags of a TCP segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// The sender sends no more.
    pub const FIN: u8 = 0x01;
    /// The sender asks for a connection.
    pub const SYN: u8 = 0x02;
    /// The sender breaks the connection off.
    pub const RST: u8 = 0x04;
    /// The receiver is to hand the data to its program.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 0x10;
    /// There is urgent data.
    pub const URG: u8 = 0x20;

    /// Whether this flag is set.
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// The names of those that are set, in the order in which they are said.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (Self::SYN, "SYN"),
            (Self::FIN, "FIN"),
            (Self::RST, "RST"),
            (Self::PSH, "PSH"),
            (Self::URG, "URG"),
            (Self::ACK, "ACK"),
        ];
        all.into_iter()
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, name)| name)
            .collect()
    }
}

/// The options of a TCP segment that a learner meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// The largest segment that the sender wants to receive, in bytes.
    pub maximum_segment_size: Option<u16>,
    /// By how many bits the sender's windows are shifted: RFC 7323.
    pub window_scale: Option<u8>,
    /// Whether the sender understands SACK: RFC 2018.
    pub sack_permitted: bool,
    /// What has arrived out of order: from, and up to but not including.
    pub sack: Vec<(u32, u32)>,
}

/// A UDP datagram: RFC 768.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Datagram {
    /// The sender's port.
    pub source_port: u16,
    /// The receiver's port.
    pub destination_port: u16,
    /// How many bytes of data it carries.
    pub length: u32,
    /// The first of them.
    pub data: Vec<u8>,
}

/// The packet that an ICMP message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Who sent that packet.
    pub source: SocketAddr,
    /// For whom it was.
    pub destination: SocketAddr,
    /// The number of its protocol: 6 is TCP, 17 is UDP.
    pub protocol: u8,
}

impl Packet {
    /// Both ends with their ports; None where there are no ports.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        let (source, destination) = match &self.content {
            Content::Tcp(segment) => (segment.source_port, segment.destination_port),
            Content::Udp(datagram) => (datagram.source_port, datagram.destination_port),
            _ => return None,
        };
        Some((
            SocketAddr::new(self.source, source),
            SocketAddr::new(self.destination, destination),
        ))
    }
}
