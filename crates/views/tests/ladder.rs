//! The X-ray as it looks on paper.

use std::borrow::Cow;
use std::time::Duration;

use rstest::rstest;
use timeline::cable::{Fate, Later, Passage};
use timeline::call::{
    Address, Arg, Bytes, CallId, Changed, End, Outcome, Output, Socket, Start, Symbol,
};
use timeline::packet::{Content, Packet, Segment, TcpFlags};
use timeline::state::{Queues, TcpState, Transition};
use timeline::{Actor, Event, Kind, Place, Stream, Timeline};
use unicode_width::UnicodeWidthStr;
use views::ladder::{Ladder, Style, ladder};
use views::only::Only;
use views::text::Paper;

const PAPER: Paper = Paper {
    width: 80,
    colour: false,
    ascii: false,
};

fn style() -> Style {
    Style {
        paper: PAPER,
        only: Only::default(),
        bytes: 32,
        hex: false,
        inquiries: true,
    }
}

const SERVER: Place = Place::Actor(Actor(0));
const CLIENT: Place = Place::Actor(Actor(1));

fn call(id: u64, name: &'static str, args: Vec<Arg>) -> Kind {
    let name = Cow::Borrowed(name);
    Kind::Call(Start {
        id: CallId(id),
        pid: 1,
        tid: 1,
        name,
        args,
        socket: None,
        resumes: None,
        changed: None,
    })
}

fn ended(id: u64, outcome: Outcome, outputs: Vec<Output>) -> Kind {
    Kind::Return(End {
        id: CallId(id),
        outcome,
        outputs,
        sockets: Vec::new(),
    })
}

fn address(text: &str) -> Address {
    Address::Ip(text.parse().unwrap())
}

fn bytes(text: &str) -> Bytes {
    Bytes {
        first: text.as_bytes().to_vec(),
        length: text.len() as u64,
    }
}

fn segment(from_client: bool, flags: u8, seq: u32, ack: u32, data: &str) -> (Place, Kind) {
    let (client, server) = (5000, 8081);
    let (source_port, destination_port) = if from_client {
        (client, server)
    } else {
        (server, client)
    };
    let host = "127.0.0.1".parse().unwrap();
    let content = Content::Tcp(Segment {
        source_port,
        destination_port,
        seq,
        ack,
        flags: TcpFlags(flags),
        length: data.len() as u32,
        data: data.as_bytes().to_vec(),
        ..Segment::default()
    });
    let (from, to) = if from_client {
        (Actor(1), Actor(0))
    } else {
        (Actor(0), Actor(1))
    };
    let place = Place::Wire {
        from: Some(from),
        to: Some(to),
    };
    let packet = Packet {
        source: host,
        destination: host,
        content,
        bytes: Vec::new(),
        length: 60,
        passage: None,
    };
    (place, Kind::Packet(packet))
}

/// Events a millisecond apart, with a server and a client in two lanes.
fn timeline(events: Vec<(Place, Kind)>) -> Timeline {
    let started = |lane: &str| Kind::Started {
        lane: lane.to_string(),
        command: Vec::new(),
    };
    let cast = [(SERVER, started("server")), (CLIENT, started("client"))];
    let mut timeline = Timeline::default();
    for (at, (place, kind)) in cast.into_iter().chain(events).enumerate() {
        timeline.push(Event {
            time: Duration::from_millis(at as u64),
            place,
            kind,
        });
    }
    timeline
}

/// A handshake and a message, as on every first day.
fn talk() -> Timeline {
    let line = |text: &str| Kind::Line {
        stream: Stream::Stdout,
        text: text.to_string(),
    };
    let change = Transition {
        local: "127.0.0.1:8081".parse().unwrap(),
        peer: "127.0.0.1:5000".parse().unwrap(),
        inode: None,
        from: None,
        to: TcpState::Established,
        queues: Queues::default(),
    };
    timeline(vec![
        (
            SERVER,
            call(1, "listen", vec![Arg::Descriptor(3), Arg::Number(5)]),
        ),
        (SERVER, ended(1, Outcome::Returned(0), Vec::new())),
        (SERVER, line("listening")),
        (
            SERVER,
            call(2, "accept4", vec![Arg::Descriptor(3), Arg::Wanted]),
        ),
        (
            CLIENT,
            call(
                3,
                "connect",
                vec![Arg::Descriptor(3), Arg::Address(address("127.0.0.1:8081"))],
            ),
        ),
        segment(true, TcpFlags::SYN, 1000, 0, ""),
        segment(false, TcpFlags::SYN | TcpFlags::ACK, 9000, 1001, ""),
        segment(true, TcpFlags::ACK, 1001, 9001, ""),
        (SERVER, Kind::State(change)),
        (CLIENT, ended(3, Outcome::Returned(0), Vec::new())),
        (
            SERVER,
            ended(
                2,
                Outcome::Returned(4),
                vec![Output::Address(address("127.0.0.1:5000"))],
            ),
        ),
        (
            CLIENT,
            call(
                4,
                "sendto",
                vec![Arg::Descriptor(3), Arg::Bytes(bytes("hello")), Arg::Null],
            ),
        ),
        segment(true, TcpFlags::PSH | TcpFlags::ACK, 1001, 9001, "hello"),
        (CLIENT, ended(4, Outcome::Returned(5), Vec::new())),
    ])
}

#[test]
fn a_handshake_and_a_message_read_from_top_to_bottom() {
    let expected = "   \
   2.000 listen(3, 5)
   4.000 > listening
   5.000 accept(3) …
   6.000                                                connect(3,
                                                        127.0.0.1:8081) …
   7.000                          ◀──────── SYN seq 0 ─
   8.000                          ─ SYN ACK ──────────▶
                                   seq 0 ack 1
   9.000                          ◀──────── ACK ack 1 ─
  10.000 [:8081 ESTABLISHED]
  11.000                                                connect(3), 5.000 ms
  12.000 accept(3) → 4, from
         127.0.0.1:5000, 7.000 ms
  13.000                                                send(3, \"hello\") …
  14.000                          ◀── PSH ACK 5 bytes ─
                                   1:6 ack 1 \"hello\"
";
    let drawn = ladder(&talk(), style());
    assert_eq!(drawn.trim_start(), expected.trim_start(), "\n{drawn}");
}

#[rstest]
#[case(60)]
#[case(80)]
#[case(120)]
#[case(160)]
fn no_row_is_wider_than_the_paper(#[case] width: usize) {
    let style = Style {
        paper: Paper { width, ..PAPER },
        ..style()
    };
    for row in ladder(&talk(), style).lines() {
        assert!(row.width() <= width, "{row:?} is {} wide", row.width());
    }
}

#[test]
fn on_wide_paper_a_packet_takes_one_row() {
    let style = Style {
        paper: Paper {
            width: 120,
            ..PAPER
        },
        ..style()
    };
    let drawn = ladder(&talk(), style);
    assert!(
        drawn.contains("PSH ACK 5 bytes 1:6 ack 1 \"hello\" ─"),
        "{drawn}"
    );
}

#[test]
fn ascii_paper_gets_ascii_only() {
    let style = Style {
        paper: Paper {
            ascii: true,
            ..PAPER
        },
        ..style()
    };
    assert!(ladder(&talk(), style).is_ascii());
}

#[rstest]
#[case::calls(Only { calls: true, output: false, packets: false, tcp: false, states: false, services: false }, "listen", "SYN")]
#[case::packets(Only { calls: false, output: false, packets: true, tcp: false, states: false, services: false }, "SYN", "listen")]
#[case::states(Only { calls: false, output: false, packets: false, tcp: false, states: true, services: false }, "ESTABLISHED", "SYN")]
#[case::output(Only { calls: false, output: true, packets: false, tcp: false, states: false, services: false }, "> listening", "SYN")]
fn only_what_is_asked_for_is_drawn(#[case] only: Only, #[case] there: &str, #[case] gone: &str) {
    let drawn = ladder(&talk(), Style { only, ..style() });
    assert!(drawn.contains(there) && !drawn.contains(gone), "{drawn}");
}

#[test]
fn data_can_be_shown_as_hexadecimal_numbers() {
    let drawn = ladder(
        &talk(),
        Style {
            hex: true,
            ..style()
        },
    );
    // The row may end between two of them.
    let drawn = drawn.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        drawn.contains("68 65 6c 6c 6f") && !drawn.contains("\"hello\""),
        "{drawn}"
    );
}

#[test]
fn of_long_data_only_the_beginning_is_shown() {
    let drawn = ladder(
        &talk(),
        Style {
            bytes: 2,
            ..style()
        },
    );
    assert!(drawn.contains("\"he\" …"), "{drawn}");
}

#[test]
fn a_call_that_fails_names_the_error_in_the_kernels_word() {
    let refused = Symbol {
        number: 111,
        name: Some(Cow::Borrowed("ECONNREFUSED")),
    };
    let events = vec![
        (
            CLIENT,
            call(
                1,
                "connect",
                vec![Arg::Descriptor(3), Arg::Address(address("[::1]:9"))],
            ),
        ),
        (CLIENT, ended(1, Outcome::Failed(refused), Vec::new())),
    ];
    let drawn = ladder(
        &timeline(events),
        Style {
            paper: Paper {
                width: 120,
                ..PAPER
            },
            ..style()
        },
    );
    assert!(
        drawn.contains("connect(3, [::1]:9) → ECONNREFUSED"),
        "{drawn}"
    );
}

#[test]
fn an_empty_datagram_is_zero_bytes_and_no_end() {
    let room = vec![Arg::Descriptor(3), Arg::Room(1024)];
    let Kind::Call(mut start) = call(1, "recvfrom", room) else {
        unreachable!("it is a call");
    };
    start.socket = Some(Socket {
        inode: 1,
        protocol: Some("UDP".into()),
    });
    let from = Output::Address(address("127.0.0.1:5000"));
    let outputs = vec![Output::Bytes(bytes("")), from];
    let end = ended(1, Outcome::Returned(0), outputs);
    let drawn = ladder(
        &timeline(vec![(SERVER, Kind::Call(start)), (SERVER, end)]),
        style(),
    );
    let drawn = drawn.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "recv(3, ≤1024) → 0 \"\", 127.0.0.1:5000";
    assert!(drawn.ends_with(expected), "{drawn}");
}

#[rstest]
#[case::the_listener(TcpState::Listen, "[:8081 LISTEN closed]")]
#[case::a_connection(TcpState::LastAck, "[:8081 CLOSED]")]
fn the_close_of_a_listener_is_told_from_that_of_a_connection(
    #[case] from: TcpState,
    #[case] expected: &str,
) {
    let change = Transition {
        local: "127.0.0.1:8081".parse().unwrap(),
        peer: "0.0.0.0:0".parse().unwrap(),
        inode: None,
        from: Some(from),
        to: TcpState::Closed,
        queues: Queues::default(),
    };
    let drawn = ladder(&timeline(vec![(SERVER, Kind::State(change))]), style());
    assert!(drawn.contains(expected), "{drawn}");
}

/// A receive that was changed, with its end, as one line.
fn received(changed: Changed, outcome: Outcome, data: &str) -> String {
    let room = vec![Arg::Descriptor(4), Arg::Room(1024)];
    let Kind::Call(start) = call(1, "recvfrom", room) else {
        unreachable!("it is a call");
    };
    let start = Start {
        changed: Some(changed),
        ..start
    };
    let end = ended(1, outcome, vec![Output::Bytes(bytes(data))]);
    let events = vec![(SERVER, Kind::Call(start)), (SERVER, end)];
    let drawn = ladder(&timeline(events), style());
    drawn.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_call_that_was_cut_says_so_where_that_made_a_difference() {
    let cut = received(Changed::CutTo(1), Outcome::Returned(1), "h");
    let expected = "recv(4, ≤1024) → 1 \"h\" (cut to 1 by the checker)";
    assert!(cut.contains(expected), "{cut}");
    let less = received(Changed::CutTo(7), Outcome::Returned(5), "hello");
    assert!(less.ends_with("→ 5 \"hello\""), "{less}");
    let end = received(Changed::CutTo(7), Outcome::Returned(0), "");
    assert!(end.ends_with("→ 0, end of stream"), "{end}");
}

#[test]
fn a_failure_that_was_forced_says_so() {
    let reset = Symbol {
        number: 104,
        name: Some(Cow::Borrowed("ECONNRESET")),
    };
    let failed = received(Changed::Failed(reset.clone()), Outcome::Failed(reset), "");
    let expected = "recv(4, ≤1024) → ECONNRESET (forced by the checker)";
    assert!(failed.contains(expected), "{failed}");
}

#[test]
fn a_program_cannot_write_control_characters_to_our_terminal() {
    let line = Kind::Line {
        stream: Stream::Stdout,
        text: "\x1b[2J".to_string(),
    };
    let drawn = ladder(&timeline(vec![(SERVER, line)]), style());
    assert!(!drawn.contains('\x1b'), "{drawn:?}");
}

#[test]
fn chinese_text_keeps_the_columns_straight() {
    let line = Kind::Line {
        stream: Stream::Stdout,
        text: "成功连接服务器".to_string(),
    };
    let drawn = ladder(
        &timeline(vec![(CLIENT, line.clone()), (SERVER, line)]),
        style(),
    );
    let rows: Vec<&str> = drawn.lines().collect();
    let before = &rows[0][..rows[0].find('>').unwrap()];
    assert_eq!(before.width(), 56, "{drawn}");
}

#[test]
fn where_packets_are_left_out_the_lanes_take_their_room_and_are_named_anew() {
    let mut ladder = Ladder::new(style());
    let lanes = Kind::Lanes(vec!["server".to_string(), "client".to_string()]);
    let talk = timeline(vec![
        (Place::Narrator, lanes),
        (Place::Narrator, Kind::Note("first all".to_string())),
        (
            SERVER,
            call(1, "listen", vec![Arg::Number(3), Arg::Number(5)]),
        ),
        (SERVER, call(2, "accept4", vec![Arg::Number(3)])),
    ]);
    let events = talk.events();
    let mut drawn = Vec::new();
    for event in events {
        drawn.push(ladder.draw(event, None));
        if drawn.len() == events.len() - 1 {
            ladder.show(Only {
                packets: false,
                ..Only::default()
            });
        }
    }
    let [.., lanes, _, first, second] = &drawn[..] else {
        panic!("{drawn:?}");
    };
    assert_eq!(lanes, "", "no names without a row");
    assert!(
        first.contains("wire") && first.contains("client"),
        "{first}"
    );
    assert!(
        !second.contains("wire") && second.contains("client"),
        "{second}"
    );
}

#[test]
fn a_call_of_a_second_thread_says_so() {
    let of_thread = |kind: Kind| match kind {
        Kind::Call(mut call) => {
            call.tid = 2;
            Kind::Call(call)
        }
        other => other,
    };
    let drawn = ladder(
        &timeline(vec![
            (SERVER, call(1, "accept4", vec![Arg::Number(3)])),
            (SERVER, of_thread(call(2, "listen", vec![Arg::Number(5)]))),
        ]),
        style(),
    );
    assert!(
        drawn.contains(" accept(3) …") && drawn.contains(" t2 listen(5) …"),
        "{drawn}"
    );
}

/// A segment on a cable in somebody's hand.
fn on_cable(from_client: bool, seq: u32, passage: Passage) -> (Place, Kind) {
    let (place, kind) = segment(from_client, TcpFlags::ACK, seq, 1, "hello");
    match kind {
        Kind::Packet(packet) => {
            let passage = Some(passage);
            (place, Kind::Packet(Packet { passage, ..packet }))
        }
        other => (place, other),
    }
}

fn passage(frame: u64, fate: Fate, by: &str) -> Passage {
    Passage {
        frame,
        fate,
        by: Some(by.to_string()).filter(|by| !by.is_empty()),
        ..Passage::default()
    }
}

/// Without the header, and as wide as a page may be.
fn drawn(events: Vec<(Place, Kind)>, ascii: bool) -> Vec<String> {
    let paper = Paper {
        width: 160,
        ascii,
        ..PAPER
    };
    let text = ladder(&timeline(events), Style { paper, ..style() });
    text.lines().map(|line| line.trim().to_string()).collect()
}

#[test]
fn a_dropped_packet_ends_in_a_cross_and_the_one_that_repeats_it_answers_it() {
    let again = Passage {
        again: Some(1),
        ..passage(2, Fate::Passed, "")
    };
    let lines = drawn(
        vec![
            on_cable(true, 1, passage(1, Fate::Dropped, "data 1 drop")),
            on_cable(true, 1, again),
        ],
        false,
    );
    assert!(lines[0].starts_with("2.000 "), "{lines:?}");
    assert!(
        lines[0].contains('╳') && !lines[0].contains('◀'),
        "{lines:?}"
    );
    assert!(lines.concat().contains("dropped: data 1 drop"), "{lines:?}");
    assert!(
        lines.concat().contains("again, answers the drop at 2.000"),
        "{lines:?}"
    );
    assert!(lines.iter().any(|line| line.contains('◀')), "{lines:?}");
}

#[test]
fn a_packet_that_is_late_has_not_arrived_until_it_is_said_so() {
    let late = Passage {
        late: Duration::from_millis(200),
        ..passage(1, Fate::Delayed, "data delay 200 ms")
    };
    let (place, sent) = on_cable(false, 1, late);
    let arrives = Kind::Fate(Later {
        frame: 1,
        fate: Fate::Passed,
        by: None,
        after: Duration::from_micros(200_031),
    });
    let lines = drawn(vec![(place, sent), (place, arrives)], false);
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert!(first.ends_with('┄') && !first.contains('▶'), "{lines:?}");
    assert!(
        last.contains("ACK 5 bytes goes on after 200.031 ms ┄"),
        "{lines:?}"
    );
    assert!(last.ends_with('▶'), "{lines:?}");
}

#[test]
fn fates_can_be_drawn_in_ascii() {
    let lines = drawn(
        vec![
            on_cable(false, 1, passage(1, Fate::Dropped, "")),
            on_cable(false, 6, passage(2, Fate::Doubled, "")),
            on_cable(false, 11, passage(3, Fate::Corrupted { bit: 323 }, "")),
            on_cable(false, 16, passage(4, Fate::Held, "")),
        ],
        true,
    );
    let text = lines.join("\n");
    assert!(text.is_ascii(), "{text}");
    let fates = [
        "dropped",
        "doubled",
        "bit 3 of byte 40 flipped",
        "held",
        ">>",
    ];
    assert!(fates.iter().all(|fate| text.contains(fate)), "{text}");
}

#[test]
fn a_held_packet_that_is_dropped_later_is_the_drop_that_is_answered() {
    let (place, held) = on_cable(true, 1, passage(1, Fate::Held, ""));
    let dropped = Kind::Fate(Later {
        frame: 1,
        fate: Fate::Dropped,
        by: Some("the hand".to_string()),
        after: Duration::from_millis(1),
    });
    let again = Passage {
        again: Some(1),
        ..passage(2, Fate::Passed, "")
    };
    let lines = drawn(
        vec![(place, held), (place, dropped), on_cable(true, 1, again)],
        false,
    );
    let text = lines.concat();
    assert!(
        text.contains("dropped after 1.000 ms: the hand"),
        "{lines:?}"
    );
    assert!(text.contains("answers the drop at 3.000"), "{lines:?}");
}
