//! Wireshark opens it, and so does another crate that knows the format.

use std::borrow::Cow;
use std::fs;
use std::process::Command;
use std::time::Duration;

use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use timeline::{Kind, Timeline};
use views::pcapng::pcapng;

use crate::sample::{self, CLIENT, NOBODY, SERVER, SYN, Story};

/// Friday, 13 February 2009, 23:31:30 UTC, and some nanoseconds.
const START: Duration = Duration::new(1_234_567_890, 123_456_789);

fn packets_of(timeline: &Timeline) -> Vec<EnhancedPacketBlock<'static>> {
    let file = pcapng(timeline, "lo", START);
    let mut reader = PcapNgReader::new(&file[..]).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        match block.unwrap().into_owned() {
            Block::InterfaceDescription(interface) => {
                assert_eq!(interface.linktype, DataLink::RAW);
                let name = InterfaceDescriptionOption::IfName(Cow::Borrowed("lo"));
                let nanoseconds = InterfaceDescriptionOption::IfTsResol(9);
                assert_eq!(interface.options, [name, nanoseconds]);
            }
            Block::EnhancedPacket(packet) => packets.push(packet),
            other => panic!("{other:?}"),
        }
    }
    packets
}

fn comments(packet: &EnhancedPacketBlock) -> Vec<String> {
    let comments = packet.options.iter().map(|option| match option {
        EnhancedPacketOption::Comment(text) => text.to_string(),
        other => panic!("{other:?}"),
    });
    comments.collect()
}

#[test]
fn each_packet_reads_back_with_its_bytes_its_length_and_its_time() {
    let timeline = sample::echo();
    let read = packets_of(&timeline);
    let events = timeline.events().iter();
    let written = events.filter_map(|event| match &event.kind {
        Kind::Packet(packet) => Some((event.time, packet)),
        _ => None,
    });
    let written: Vec<_> = written.collect();
    assert_eq!(read.len(), written.len());
    for (read, (time, packet)) in read.iter().zip(written) {
        assert_eq!(read.data, packet.bytes);
        assert_eq!(read.original_len, packet.length);
        assert_eq!(read.timestamp, START + time);
    }
}

#[test]
fn a_packet_of_which_only_the_beginning_was_kept_says_how_long_it_was() {
    let mut packet = sample::segment(CLIENT, SYN, 1, 0, b"hello");
    packet.bytes.truncate(41);
    let mut story = Story::default();
    story.at(1, NOBODY, Kind::Packet(packet));
    let read = packets_of(&story.timeline);
    assert_eq!((read[0].data.len(), read[0].original_len), (41, 45));
}

#[test]
fn what_programs_did_since_the_packet_before_stands_in_comments_with_who_did_it() {
    let read = packets_of(&sample::echo());
    let before_syn = comments(&read[0]);
    assert_eq!(
        before_syn[0],
        "0.000 ms, server: starts as ./server --port 8081"
    );
    assert!(
        before_syn.contains(&"1.100 ms, server: prints: listening on 127.0.0.1:8081".to_string())
    );
    assert!(before_syn.contains(&"2.450 ms, client: calls connect(3, 127.0.0.1:8081)".to_string()));
    assert_eq!(comments(&read[1]), ["2.471 ms, client: [:40000 SYN-SENT]"]);
    let data = comments(&read[3]);
    let accepted = "2.530 ms, server: returns from accept(3) → 4, from 127.0.0.1:40000, 1.380 ms";
    assert!(data.contains(&accepted.to_string()), "{data:#?}");
}

#[test]
fn what_came_after_the_last_packet_stands_at_the_last_packet() {
    let read = packets_of(&sample::echo());
    let last = comments(read.last().unwrap());
    let end = "after this packet: 1004.000 ms, server: (ended by SIGTERM)";
    assert_eq!(last.last().unwrap(), end);
}

#[test]
fn very_long_and_very_many_comments_leave_the_file_whole() {
    let mut story = Story::default();
    story.started(SERVER, "server");
    story.line(1, SERVER, &"长".repeat(100_000));
    for time in 0..10_000 {
        story.line(2 + time, SERVER, "tick \u{1b}[31m");
    }
    story.packet(20_000, CLIENT, SYN, 1, 0, b"");
    story.packet(20_001, CLIENT, SYN, 1, 0, b"");
    let read = packets_of(&story.timeline);
    let said = comments(&read[0]);
    assert_eq!(said.len(), 501);
    assert!(said[1].len() < 5_000 && said[1].ends_with(" …"));
    assert_eq!(said[500], "9502 more events are not shown here");
    assert!(!said[2].contains('\u{1b}'));
    assert_eq!(comments(&read[1]), [""; 0]);
}

#[test]
fn a_timeline_without_packets_is_a_file_without_packets() {
    let mut story = Story::default();
    story.started(SERVER, "server");
    assert_eq!(packets_of(&story.timeline).len(), 0);
}

#[test]
#[ignore = "needs tshark"]
fn tshark_reads_packets_times_interface_and_comments() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("echo.pcapng");
    fs::write(&file, pcapng(&sample::echo(), "lo", START)).unwrap();
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "tcp.flags.str",
        "tcp.seq",
        "tcp.len",
        "frame.comment",
    ];
    let mut tshark = Command::new("tshark");
    tshark
        .arg("-r")
        .arg(&file)
        .args(["-T", "fields", "-E", "separator=|"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = tshark.output().expect("tshark");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split('|').collect()).collect();
    assert_eq!(rows.len(), 8, "{text}");
    let [time, interface, flags, seq, length, comment] = rows[3][..] else {
        panic!("{text}")
    };
    assert_eq!(time, "1234567890.126176789");
    assert_eq!((interface, seq, length), ("lo", "1", "14"));
    assert!(flags.contains("AP"), "{flags}");
    assert!(comment.contains("client: calls send("), "{comment}");
}
