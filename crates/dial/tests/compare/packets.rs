//! Packets as lines, by connection: from a timeline, and from a file of tcpdump's
//! that tshark has read.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use timeline::packet::{Content, Packet};
use timeline::{Kind, Timeline};

use crate::said::Said;

/// By its two ends, the smaller first: its packets in their order.
pub type Connections = BTreeMap<(SocketAddr, SocketAddr), Vec<String>>;

/// One packet: whose, and what.
type Line = (SocketAddr, SocketAddr, String);

/// # Panics
/// With the first connection whose packets differ.
pub fn assert_same(ours: &Connections, theirs: &Connections) {
    for (ends, packets) in theirs {
        let found = ours.get(ends).map_or(&[][..], Vec::as_slice);
        assert_eq!(found, packets, "{ends:?}: ours left, tcpdump right");
    }
    let invented: Vec<_> = ours
        .keys()
        .filter(|ends| !theirs.contains_key(ends))
        .collect();
    assert!(invented.is_empty(), "tcpdump has not seen {invented:?}");
}

pub fn ours(timeline: &Timeline) -> Connections {
    let events = timeline.events().iter();
    by_connection(events.filter_map(|event| match &event.kind {
        Kind::Packet(packet) => Some(our_line(packet)),
        _ => None,
    }))
}

fn our_line(packet: &Packet) -> Line {
    let hosts = (
        SocketAddr::new(packet.source, 0),
        SocketAddr::new(packet.destination, 0),
    );
    let (source, destination) = packet.ends().unwrap_or(hosts);
    let what = match &packet.content {
        Content::Tcp(segment) => format!(
            "TCP {:#x} seq {} ack {} length {}",
            segment.flags.0, segment.seq, segment.ack, segment.length
        ),
        Content::Udp(datagram) => format!("UDP length {}", datagram.length),
        Content::Icmp { kind, code, .. } => format!("ICMP {kind} {code}"),
        other => format!("{other:?}"),
    };
    (source, destination, what)
}

/// What tshark is asked for. An address and a port are of one version or protocol,
/// so of two such fields one is empty.
const FIELDS: [&str; 16] = [
    "ip.src",
    "ipv6.src",
    "ip.dst",
    "ipv6.dst",
    "tcp.srcport",
    "udp.srcport",
    "tcp.dstport",
    "udp.dstport",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
    "udp.length",
    "icmp.type",
    "icmp.code",
    "frame.time_epoch",
];

/// What tshark reads in a file: the packets, and the time of each since 1970, in
/// seconds, the oldest first.
pub fn captured(file: &Path) -> (Connections, Vec<f64>) {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(file).args(["-n", "-T", "fields"]);
    tshark.args(["-E", "occurrence=f", "-E", "separator=,"]);
    tshark.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let text = Said::by(&mut tshark).ended_with(0).out;
    let time = |line: &str| line.rsplit(',').next()?.parse().ok();
    let mut times: Vec<f64> = text.lines().map(|line| time(line).expect(line)).collect();
    times.sort_by(f64::total_cmp);
    (by_connection(text.lines().map(their_line)), times)
}

/// Both are stamped by the kernel, but not in the same moment.
pub fn assert_same_times(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (one, other) in ours.iter().zip(theirs) {
        assert!((one - other).abs() < 0.02, "{one} and {other} differ");
    }
}

fn their_line(line: &str) -> Line {
    let values: Vec<&str> = line.split(',').collect();
    let field =
        |name: &'static str| values[FIELDS.iter().position(|field| *field == name).unwrap()];
    // An error repeats the header of what it is about.
    let is_icmp = !field("icmp.type").is_empty();
    let end = |hosts: [&'static str; 2], ports: [&'static str; 2]| {
        let host: IpAddr = hosts.map(field).concat().parse().expect(line);
        let port = ports.map(field).concat().parse();
        SocketAddr::new(host, port.ok().filter(|_| !is_icmp).unwrap_or(0))
    };
    let what = if is_icmp {
        format!("ICMP {} {}", field("icmp.type"), field("icmp.code"))
    } else if field("tcp.flags").is_empty() {
        let with_header: u32 = field("udp.length").parse().expect(line);
        format!("UDP length {}", with_header - 8)
    } else {
        let flags = field("tcp.flags").trim_start_matches("0x");
        let flags = u32::from_str_radix(flags, 16).expect(line);
        let [seq, ack, length] = ["tcp.seq_raw", "tcp.ack_raw", "tcp.len"].map(field);
        format!("TCP {flags:#x} seq {seq} ack {ack} length {length}")
    };
    (
        end(["ip.src", "ipv6.src"], ["tcp.srcport", "udp.srcport"]),
        end(["ip.dst", "ipv6.dst"], ["tcp.dstport", "udp.dstport"]),
        what,
    )
}

fn by_connection(lines: impl Iterator<Item = Line>) -> Connections {
    let mut connections = Connections::new();
    for (source, destination, what) in lines {
        let ends = (source.min(destination), source.max(destination));
        let line = format!("{source} {what}");
        connections.entry(ends).or_default().push(line);
    }
    connections
}
