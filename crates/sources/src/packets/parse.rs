//! From the bytes of a packet to its values. The bytes come from outside: any
//! of them may be missing or contradict the others, and none may do harm.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::{LaxIpPayloadSlice, LaxIpSlice, TcpOptionElement, TcpSlice, ip_number};
use timeline::packet::{About, Content, Datagram, Packet, Segment, TcpFlags, TcpOptions};

/// Reads a packet from its IP header on. `length` is how long it was on the
/// wire, of which `bytes` may be the beginning only.
pub fn packet(bytes: &[u8], length: u32) -> Packet {
    let (source, destination, content) = match LaxIpSlice::from_slice(bytes) {
        Ok((ip, _)) => (
            ip.source_addr(),
            ip.destination_addr(),
            content(&ip, bytes, length),
        ),
        Err(error) => {
            let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            (
                nobody,
                nobody,
                Content::Broken {
                    reason: error.to_string(),
                },
            )
        }
    };
    Packet {
        source,
        destination,
        content,
        bytes: bytes.to_vec(),
        length,
        passage: None,
    }
}

fn content(ip: &LaxIpSlice, bytes: &[u8], length: u32) -> Content {
    let payload = ip.payload();
    let protocol = payload.ip_number.0;
    if let Some(offset) = fragment_offset(ip) {
        return Content::Fragment { protocol, offset };
    }
    // What was on the wire behind the bytes that are here.
    let missing = length.saturating_sub(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let read = match payload.ip_number {
        ip_number::TCP => segment(payload, missing),
        ip_number::UDP => datagram(payload, missing),
        // The errors: unreachable, quench, redirect, time exceeded, bad parameter.
        ip_number::ICMP => icmp(payload.payload, |kind| matches!(kind, 3 | 4 | 5 | 11 | 12)),
        // RFC 4443: errors have the types below 128.
        ip_number::IPV6_ICMP => icmp(payload.payload, |kind| kind < 128),
        _ => Ok(Content::Other { protocol }),
    };
    read.unwrap_or_else(|reason| Content::Broken { reason })
}

/// Where the data of a later fragment belongs; None for a whole packet and for
/// a first fragment, which has the header of its transport.
fn fragment_offset(ip: &LaxIpSlice) -> Option<u32> {
    let header = ip.ipv4()?.header();
    let offset = u32::from(header.fragments_offset().value()) * 8;
    (offset > 0).then_some(offset)
}

fn segment(payload: &LaxIpPayloadSlice, missing: u32) -> Result<Content, String> {
    let tcp = TcpSlice::from_slice(payload.payload).map_err(|error| error.to_string())?;
    let flags = [
        (tcp.fin(), TcpFlags::FIN),
        (tcp.syn(), TcpFlags::SYN),
        (tcp.rst(), TcpFlags::RST),
        (tcp.psh(), TcpFlags::PSH),
        (tcp.ack(), TcpFlags::ACK),
        (tcp.urg(), TcpFlags::URG),
    ];
    let flags = flags
        .iter()
        .filter(|(set, _)| *set)
        .fold(0, |bits, (_, flag)| bits | flag);
    Ok(Content::Tcp(Segment {
        source_port: tcp.source_port(),
        destination_port: tcp.destination_port(),
        seq: tcp.sequence_number(),
        ack: tcp.acknowledgment_number(),
        flags: TcpFlags(flags),
        window: tcp.window_size(),
        options: options(&tcp),
        length: count(tcp.payload()).saturating_add(missing),
        data: tcp.payload().to_vec(),
    }))
}

/// Those before the first that is broken; what follows it cannot be read.
fn options(tcp: &TcpSlice) -> TcpOptions {
    let mut options = TcpOptions::default();
    for option in tcp.options_iterator().map_while(Result::ok) {
        match option {
            TcpOptionElement::MaximumSegmentSize(size) => options.maximum_segment_size = Some(size),
            TcpOptionElement::WindowScale(shift) => options.window_scale = Some(shift),
            TcpOptionElement::SelectiveAcknowledgementPermitted => options.sack_permitted = true,
            TcpOptionElement::SelectiveAcknowledgement(first, others) => {
                options.sack = std::iter::once(first)
                    .chain(others.into_iter().flatten())
                    .collect();
            }
            TcpOptionElement::Timestamp(..) | TcpOptionElement::Noop => {}
        }
    }
    options
}

fn datagram(payload: &LaxIpPayloadSlice, missing: u32) -> Result<Content, String> {
    let udp = etherparse::UdpSlice::from_slice_lax(payload.payload);
    let udp = udp.map_err(|error| error.to_string())?;
    Ok(Content::Udp(Datagram {
        source_port: udp.source_port(),
        destination_port: udp.destination_port(),
        length: count(udp.payload()).saturating_add(missing),
        data: udp.payload().to_vec(),
    }))
}

/// ICMP has type, code, checksum and four more bytes; errors repeat the packet
/// that they are about: RFC 792, RFC 4443.
fn icmp(bytes: &[u8], is_error: impl Fn(u8) -> bool) -> Result<Content, String> {
    let [kind, code, _, _, _, _, _, _, repeated @ ..] = bytes else {
        return Err(format!("ICMP needs 8 bytes, here are {}", bytes.len()));
    };
    let about = if is_error(*kind) {
        about(repeated)
    } else {
        None
    };
    Ok(Content::Icmp {
        kind: *kind,
        code: *code,
        about,
    })
}

fn about(bytes: &[u8]) -> Option<About> {
    let (ip, _) = LaxIpSlice::from_slice(bytes).ok()?;
    let payload = ip.payload();
    let [a, b, c, d, ..] = payload.payload else {
        return None;
    };
    Some(About {
        source: SocketAddr::new(ip.source_addr(), u16::from_be_bytes([*a, *b])),
        destination: SocketAddr::new(ip.destination_addr(), u16::from_be_bytes([*c, *d])),
        protocol: payload.ip_number.0,
    })
}

fn count(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_can_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), more: u32) {
            packet(&bytes, more);
        }

        /// Bytes that begin as a packet does get further into the reader.
        #[test]
        fn no_damaged_segment_can_do_harm(at in 0_usize..60, value: u8, cut in 0_usize..60) {
            let mut bytes = segment_with_options();
            let at = at % bytes.len();
            bytes[at] = value;
            bytes.truncate(cut);
            packet(&bytes, 60);
        }
    }

    fn segment_with_options() -> Vec<u8> {
        let builder = PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
            .tcp(5000, 8081, 1, 1000)
            .options(&[
                TcpOptionElement::MaximumSegmentSize(1460),
                TcpOptionElement::SelectiveAcknowledgement((5, 9), [None; 3]),
            ])
            .unwrap();
        let mut bytes = Vec::new();
        builder.write(&mut bytes, b"hello").unwrap();
        bytes
    }

    #[test]
    fn a_segment_is_read_with_its_options_and_data() {
        let bytes = segment_with_options();
        let Content::Tcp(segment) = packet(&bytes, bytes.len() as u32).content else {
            panic!()
        };
        assert_eq!(
            (segment.source_port, segment.destination_port, segment.seq),
            (5000, 8081, 1)
        );
        assert_eq!(segment.options.maximum_segment_size, Some(1460));
        assert_eq!(segment.options.sack, [(5, 9)]);
        assert_eq!((segment.length, segment.data), (5, b"hello".to_vec()));
    }

    #[test]
    fn what_was_not_kept_counts_in_the_length_alone() {
        let bytes = segment_with_options();
        let whole = bytes.len() as u32;
        let Content::Tcp(segment) = packet(&bytes[..bytes.len() - 3], whole).content else {
            panic!()
        };
        assert_eq!((segment.length, segment.data), (5, b"he".to_vec()));
    }

    #[test]
    fn what_is_no_packet_says_why() {
        let Content::Broken { reason } = packet(&[0x45, 0], 2).content else {
            panic!()
        };
        assert!(!reason.is_empty());
    }
}
