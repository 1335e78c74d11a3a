use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep, TcpOptionElement};
use proptest::prelude::*;
use rstest::rstest;
use timeline::packet::TcpOptions;

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

fn tcp(bytes: &[u8], length: usize) -> Segment {
    match packet(bytes, length as u32).content {
        Content::Tcp(segment) => segment,
        other => panic!("{other:?}"),
    }
}

fn udp(bytes: &[u8]) -> Datagram {
    match packet(bytes, bytes.len() as u32).content {
        Content::Udp(datagram) => datagram,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_segment_is_read_with_its_options_and_data() {
    let bytes = segment_with_options();
    let segment = tcp(&bytes, bytes.len());
    let ports = (segment.source_port, segment.destination_port);
    assert_eq!((ports, segment.seq), ((5000, 8081), 1));
    assert_eq!(segment.options.maximum_segment_size, Some(1460));
    assert_eq!(segment.options.sack, [(5, 9)]);
    assert_eq!((segment.length, segment.data), (5, b"hello".to_vec()));
}

#[test]
fn what_was_not_kept_counts_in_the_length_alone() {
    let bytes = segment_with_options();
    let segment = tcp(&bytes[..bytes.len() - 3], bytes.len());
    assert_eq!((segment.length, segment.data), (5, b"he".to_vec()));
}

/// A builder for each version, behind its IP header.
fn builders() -> [PacketBuilderStep<IpHeaders>; 2] {
    [
        PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64),
        PacketBuilder::ipv6([1; 16], [2; 16], 64),
    ]
}

fn addresses(version: usize) -> (IpAddr, IpAddr) {
    match version {
        0 => ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()),
        _ => ([1_u8; 16].into(), [2_u8; 16].into()),
    }
}

proptest! {
    #[test]
    fn what_another_writes_as_tcp_is_read_with_the_same_values(
        ports: (u16, u16), seq: u32, ack: u32, window: u16, flags in 0_u8..0x40,
        size: u16, shift: u8, blocks in proptest::collection::vec(any::<(u32, u32)>(), 1..3),
        data in proptest::collection::vec(any::<u8>(), 0..100), cut in 0_usize..100,
    ) {
        let more = [blocks.get(1).copied(), None, None];
        for (version, builder) in builders().into_iter().enumerate() {
            let mut builder = builder.tcp(ports.0, ports.1, seq, window).ack(ack);
            builder = builder
                .options(&[
                    TcpOptionElement::Noop,
                    TcpOptionElement::MaximumSegmentSize(size),
                    TcpOptionElement::WindowScale(shift),
                    TcpOptionElement::SelectiveAcknowledgementPermitted,
                    TcpOptionElement::SelectiveAcknowledgement(blocks[0], more),
                ])
                .unwrap();
            let mut bytes = Vec::new();
            builder.write(&mut bytes, &data).unwrap();
            let whole = bytes.len() as u32;
            // The builder knows no way to set any combination of flags.
            let header = bytes.len() - data.len();
            let tcp = header - usize::from(bytes[[20, 40][version] + 12] >> 4) * 4;
            bytes[tcp + 13] = flags;
            bytes.truncate(whole as usize - cut.min(data.len()));
            let read = packet(&bytes, whole);
            prop_assert_eq!((read.source, read.destination), addresses(version));
            prop_assert_eq!(read.content, Content::Tcp(Segment {
                source_port: ports.0,
                destination_port: ports.1,
                seq,
                ack,
                flags: TcpFlags(flags),
                window,
                options: TcpOptions {
                    maximum_segment_size: Some(size),
                    window_scale: Some(shift),
                    sack_permitted: true,
                    sack: blocks.clone(),
                },
                length: data.len() as u32,
                data: bytes[header..].to_vec(),
            }));
        }
    }

    #[test]
    fn what_another_writes_as_udp_is_read_with_the_same_values(
        ports: (u16, u16), data in proptest::collection::vec(any::<u8>(), 0..100),
        padding in 0_usize..20,
    ) {
        for (version, builder) in builders().into_iter().enumerate() {
            let mut bytes = Vec::new();
            builder.udp(ports.0, ports.1).write(&mut bytes, &data).unwrap();
            let whole = bytes.len() as u32;
            // A short frame of Ethernet is filled up, behind the end of the packet.
            bytes.resize(bytes.len() + padding, 0);
            let read = packet(&bytes, whole);
            prop_assert_eq!((read.source, read.destination), addresses(version));
            prop_assert_eq!(read.content, Content::Udp(Datagram {
                source_port: ports.0,
                destination_port: ports.1,
                length: data.len() as u32,
                data: data.clone(),
            }));
        }
    }
}

/// IPv4 without options, and IPv6.
fn headers(version: u8, protocol: u8) -> Vec<u8> {
    let mut bytes = vec![0; if version == 4 { 20 } else { 40 }];
    bytes[0] = version << 4 | if version == 4 { 5 } else { 0 };
    bytes[if version == 4 { 9 } else { 6 }] = protocol;
    bytes
}

#[rstest]
#[case::version_4(4)]
#[case::version_6(6)]
fn a_length_of_0_stands_for_all_that_came(#[case] version: u8) {
    let mut bytes = headers(version, UDP);
    bytes.extend([0, 1, 0, 2, 0, 0, 0, 0, b'x', b'y']);
    let datagram = udp(&bytes);
    assert_eq!((datagram.destination_port, datagram.length), (2, 2));
    assert_eq!(datagram.data, b"xy");
}

#[rstest]
#[case::of_ipv4_in_units_of_8(fragment(4, 0x2003), Content::Fragment { protocol: UDP, offset: 24 })]
#[case::of_ipv6_in_the_upper_bits(fragment(6, 0x0019), Content::Fragment { protocol: UDP, offset: 24 })]
#[case::the_first_has_the_ports(fragment(6, 0x0001), Content::Udp(Datagram {
    source_port: 7, destination_port: 8, length: 0, data: Vec::new(),
}))]
fn a_later_fragment_has_no_ports(#[case] bytes: Vec<u8>, #[case] expected: Content) {
    assert_eq!(packet(&bytes, bytes.len() as u32).content, expected);
}

fn fragment(version: u8, offset: u16) -> Vec<u8> {
    let [high, low] = offset.to_be_bytes();
    let mut bytes = headers(version, if version == 4 { UDP } else { 44 });
    match version {
        4 => bytes[6..8].copy_from_slice(&[high, low]),
        _ => bytes.extend([UDP, 0, high, low, 0, 0, 0, 0]),
    }
    bytes.extend([0, 7, 0, 8, 0, 8, 0, 0]);
    bytes
}

#[test]
fn extensions_of_ipv6_are_passed_over() {
    let mut bytes = headers(6, 0);
    bytes.extend([60, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([UDP, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend([0, 7, 0, 8, 0, 9, 0, 0, b'!']);
    let datagram = udp(&bytes);
    assert_eq!(datagram.data, b"!");
}

#[test]
fn an_option_that_nobody_knows_is_passed_over() {
    let known = [254, 4, 9, 9, 2, 4, 5, 0xb4];
    assert_eq!(super::tcp::options(&known).maximum_segment_size, Some(1460));
}

#[rstest]
#[case::longer_than_what_is_there(&[2, 5, 1, 1])]
#[case::shorter_than_itself(&[3, 1, 7, 2, 4, 1, 1])]
#[case::without_a_length(&[3])]
#[case::behind_the_end(&[0, 2, 4, 1, 1])]
fn a_broken_option_ends_the_list(#[case] bytes: &[u8]) {
    assert_eq!(super::tcp::options(bytes), TcpOptions::default());
}

#[test]
fn an_icmp_error_says_what_it_is_about() {
    let mut bytes = headers(4, ICMP);
    bytes.extend([3, 3, 0, 0, 0, 0, 0, 0]);
    bytes.extend(headers(4, UDP));
    bytes.extend([0, 7, 0, 8, 0, 8, 0, 0]);
    let Content::Icmp {
        kind: 3,
        code: 3,
        about: Some(about),
    } = packet(&bytes, 56).content
    else {
        panic!()
    };
    assert_eq!((about.source.port(), about.destination.port()), (7, 8));
    assert_eq!(about.protocol, UDP);
}

#[rstest]
#[case::nothing(vec![], "an IP header needs 20 bytes, here are 0")]
#[case::another_version(vec![0x10; 40], "there is no IP version 1")]
#[case::a_short_ipv4_header([vec![0x44], vec![0; 19]].concat(), "an IPv4 header has 20 bytes, this one says 16")]
#[case::options_that_are_not_there([vec![0x46], vec![0; 19]].concat(), "an IPv4 header needs 24 bytes, here are 20")]
#[case::half_an_ipv6_header(vec![0x60; 20], "an IPv6 header needs 40 bytes, here are 20")]
#[case::half_an_extension([headers(6, 60), vec![6, 1, 0, 0, 0, 0, 0, 0]].concat(), "an extension of IPv6 needs 16 bytes, here are 8")]
#[case::half_a_tcp_header([headers(4, TCP), vec![0; 9]].concat(), "a TCP header needs 20 bytes, here are 9")]
#[case::a_short_tcp_header([headers(4, TCP), vec![0; 20]].concat(), "a TCP header has 20 bytes, this one says 0")]
#[case::half_a_udp_header([headers(4, UDP), vec![0; 5]].concat(), "a UDP header needs 8 bytes, here are 5")]
#[case::half_an_icmp_header([headers(6, IPV6_ICMP), vec![0; 5]].concat(), "an ICMP header needs 8 bytes, here are 5")]
fn what_is_broken_says_why(#[case] bytes: Vec<u8>, #[case] expected: &str) {
    let Content::Broken { reason } = packet(&bytes, bytes.len() as u32).content else {
        panic!()
    };
    assert_eq!(reason, expected);
}
