//! The rows as plain values: what a view knows of each beside its words.

use std::time::Duration;

use rstest::rstest;
use timeline::cable::{Fate, Passage, Side};
use timeline::call::{Arg, Changed, End, Outcome, Output, Socket, Start};
use timeline::packet::{Content, Datagram, Packet};
use timeline::state::{Queues, TcpState, Transition};
use timeline::{Kind, Timeline};
use views::only::Only;
use views::reading::{Interval, Layer, Reading, Row, Stand, Subject, rows};
use views::words::Words;

use crate::sample::*;

const WORDS: Words = Words {
    bytes: 32,
    hex: false,
    ascii: false,
};

fn read(timeline: &Timeline) -> Vec<Row> {
    rows(timeline, reading(Only::default()))
}

/// What is written.
fn texts(rows: &[Row]) -> Vec<String> {
    let texts = rows.iter().map(Row::text);
    texts.filter(|text| !text.is_empty()).collect()
}

/// A call and where it is told: as it begins, whole, or as it returns.
fn calls(rows: &[Row]) -> Vec<(&'static str, Interval, String)> {
    let calls = rows.iter().filter_map(|row| {
        let (part, interval) = match &row.about {
            Subject::Begins(it) => ("begins", it),
            Subject::Whole(it) => ("whole", it),
            Subject::Returns(it, _) => ("returns", it),
            _ => return None,
        };
        Some((part, *interval, row.text()))
    });
    calls.collect()
}

#[test]
fn a_call_that_waits_is_an_interval_whose_end_is_known_when_it_returns() {
    let mut story = Story::default();
    let accept = story.call(1000, SERVER, "accept", vec![Arg::Descriptor(3)]);
    story.line(2000, SERVER, "waiting");
    story.back(9000, SERVER, accept, returned(4));
    let rows = read(&story.timeline);
    let [begins, returns] = &calls(&rows)[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(begins.1.until, None);
    assert_eq!(returns.1.call, accept);
    assert_eq!(returns.1.since, Duration::from_millis(1));
    assert_eq!(returns.1.until, Some(Duration::from_millis(9)));
    assert_eq!(returns.2, "accept(3) → 4, 8.000 ms");
}

#[test]
fn the_end_of_a_call_is_a_row_also_where_nothing_is_to_be_said_of_it() {
    let mut story = Story::default();
    story.done(0, SERVER, "listen", vec![Arg::Descriptor(3)], 0);
    let quiet = story.call(1000, SERVER, "bind", vec![Arg::Descriptor(3)]);
    story.line(1001, SERVER, "meanwhile");
    story.back(1002, SERVER, quiet, returned(0));
    let rows = read(&story.timeline);
    let parts = calls(&rows);
    let parts: Vec<_> = parts.iter().map(|it| (it.0, it.2.as_str())).collect();
    let expected = [
        ("whole", "listen(3)"),
        ("returns", ""),
        ("begins", "bind(3) …"),
        ("returns", ""),
    ];
    assert_eq!(parts, expected);
}

#[test]
fn where_inquiries_are_left_out_those_that_fail_are_told_all_the_same() {
    let mut story = Story::default();
    story.done(0, SERVER, "getsockname", vec![Arg::Descriptor(3)], 0);
    let fails = story.call(1000, SERVER, "getpeername", vec![Arg::Descriptor(3)]);
    let why = Outcome::Failed(symbol(107, "ENOTCONN"));
    story.back(1004, SERVER, fails, why);
    let rows = rows(&story.timeline, Reading::new(Only::default(), WORDS, false));
    assert_eq!(texts(&rows), ["getpeername(3) → ENOTCONN, 0.004 ms"]);
}

#[test]
fn where_an_end_comes_alone_it_says_how_the_whole_call_reads() {
    let mut story = Story::default();
    story.done(0, SERVER, "accept", vec![Arg::Descriptor(3)], 4);
    let mut reading = reading(Only::default());
    let events = story.timeline.events();
    let rows: Vec<Row> = events
        .iter()
        .flat_map(|it| reading.read(it, None))
        .collect();
    let [begins, returns] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(begins.text(), "accept(3) …");
    let Subject::Returns(_, Some(whole)) = &returns.about else {
        panic!("{returns:?}");
    };
    assert_eq!(whole.text, "accept(3) → 4");
}

#[test]
fn each_row_belongs_to_a_layer_and_each_packet_has_a_number() {
    let rows = read(&echo());
    let of = |layer| rows.iter().filter(move |row| row.layer() == layer);
    let packets = of(Layer::Packet).map(|row| match row.about {
        Subject::Packet { number, .. } => number,
        _ => 0,
    });
    assert_eq!(packets.collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    assert!(of(Layer::State).all(|row| row.text().starts_with("[:")));
    let notes: Vec<String> = of(Layer::Note).map(Row::text).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(of(Layer::Output).any(|row| row.text() == "(ended by SIGTERM)"));
}

/// A datagram from this host on the wire, of which no socket is known.
fn datagram(from: Side, frame: u64) -> Kind {
    Kind::Packet(Packet {
        source: from.v4().into(),
        destination: from.other().v4().into(),
        content: Content::Udp(Datagram::default()),
        passage: Some(passage(frame, Fate::Held, None)),
        ..segment(SERVER, ACK, 1, 1, b"")
    })
}

#[test]
fn where_no_socket_is_known_the_host_tells_which_way_a_packet_goes_and_its_fate_too() {
    let mut story = Story::default();
    story.at(0, NOBODY, datagram(Side::Server, 1));
    story.at(1, NOBODY, datagram(Side::Client, 2));
    story.later(2, 2, Fate::Passed, None, 1);
    story.later(3, 1, Fate::Passed, None, 1);
    let rows = read(&story.timeline);
    let ways = rows.iter().map(|row| match row.stand {
        Stand::Wire(way) => way.to_right,
        _ => panic!("{row:?}"),
    });
    assert_eq!(ways.collect::<Vec<_>>(), [true, false, false, true]);
}

#[test]
fn nothing_is_said_of_the_fate_of_a_packet_that_is_left_out() {
    let mut story = Story::default();
    story.at(0, NOBODY, datagram(Side::Server, 1));
    story.later(1, 1, Fate::Passed, None, 1);
    story.packet(2, CLIENT, SYN, 1, 0, b"");
    let only = Only {
        tcp: true,
        ..Only::default()
    };
    let rows = rows(&story.timeline, reading(only));
    assert_eq!(texts(&rows), ["SYN seq 0"]);
}

#[test]
fn what_is_remembered_stays_bounded_however_much_happens() {
    let mut reading = reading(Only::default());
    let mut sizes = Vec::new();
    let mut story = Story::default();
    for round in 0..6 {
        for number in 0..4_000 {
            let frame = round * 4_000 + number;
            story.at(frame, NOBODY, datagram(Side::Client, frame));
            // It never ends.
            story.call(frame, CLIENT, "accept", Vec::new());
            story.timeline.events().iter().for_each(|event| {
                reading.read(event, None);
            });
            story.timeline.forget();
        }
        sizes.push(format!("{reading:?}").len());
    }
    // What fills up is emptied and fills up again; without a bound it would double.
    let [early, late] = [&sizes[..3], &sizes[3..]].map(|sizes| sizes.iter().max().copied());
    assert!(late < early.map(|size| size * 3 / 2), "{sizes:?}");
}

/// A call that comes back at once, as one line.
fn told(call: Start, outcome: Outcome, outputs: Vec<Output>) -> String {
    let mut story = Story::default();
    let id = story.asks(0, SERVER, call);
    let back = Kind::Return(End {
        outputs,
        ..end(id, outcome)
    });
    story.at(0, SERVER, back);
    texts(&read(&story.timeline)).concat()
}

fn receive() -> Start {
    start("recvfrom", vec![Arg::Descriptor(3), Arg::Room(1024)])
}

#[test]
fn a_call_that_fails_names_the_error_in_the_kernels_word() {
    let args = vec![Arg::Descriptor(3), Arg::Address(address("[::1]:9"))];
    let refused = Outcome::Failed(symbol(111, "ECONNREFUSED"));
    let text = told(start("connect", args), refused, Vec::new());
    assert_eq!(text, "connect(3, [::1]:9) → ECONNREFUSED");
}

#[test]
fn an_empty_datagram_is_zero_bytes_and_no_end() {
    let (inode, protocol) = (1, Some("UDP".into()));
    let socket = Some(Socket { inode, protocol });
    let call = Start {
        socket,
        ..receive()
    };
    let from = Output::Address(address("127.0.0.1:5000"));
    let text = told(call, returned(0), vec![Output::Bytes(bytes(b"")), from]);
    assert_eq!(text, "recv(3, ≤1024) → 0 \"\", 127.0.0.1:5000");
}

#[rstest]
#[case::it_got_no_more(1, "h", "1 \"h\" (cut to 1 by the checker)")]
#[case::less_came(7, "hello", "5 \"hello\"")]
#[case::the_end_came(7, "", "0, end of stream")]
fn a_call_that_was_cut_says_so_where_that_made_a_difference(
    #[case] most: u64,
    #[case] data: &str,
    #[case] expected: &str,
) {
    let changed = Some(Changed::CutTo(most));
    let call = Start {
        changed,
        ..receive()
    };
    let outputs = vec![Output::Bytes(bytes(data.as_bytes()))];
    let text = told(call, returned(data.len() as i64), outputs);
    assert_eq!(text, format!("recv(3, ≤1024) → {expected}"));
}

#[test]
fn a_failure_that_was_forced_says_so() {
    let reset = symbol(104, "ECONNRESET");
    let changed = Some(Changed::Failed(reset.clone()));
    let call = Start {
        changed,
        ..receive()
    };
    let text = told(call, Outcome::Failed(reset), Vec::new());
    assert_eq!(text, "recv(3, ≤1024) → ECONNRESET (forced by the checker)");
}

#[test]
fn a_call_of_a_second_thread_says_so() {
    let mut story = Story::default();
    story.call(0, SERVER, "accept4", vec![Arg::Number(3)]);
    let listen = start("listen", vec![Arg::Number(5)]);
    story.asks(0, SERVER, Start { tid: 2, ..listen });
    let expected = ["accept(3) …", "t2 listen(5) …"];
    assert_eq!(texts(&read(&story.timeline)), expected);
}

#[rstest]
#[case::the_listener(TcpState::Listen, "[:8081 LISTEN closed]")]
#[case::a_connection(TcpState::LastAck, "[:8081 CLOSED]")]
fn the_close_of_a_listener_is_told_from_that_of_a_connection(
    #[case] from: TcpState,
    #[case] expected: &str,
) {
    let mut story = Story::default();
    let change = Transition {
        local: "127.0.0.1:8081".parse().unwrap(),
        peer: "0.0.0.0:0".parse().unwrap(),
        inode: None,
        from: Some(from),
        to: TcpState::Closed,
        queues: Queues::default(),
    };
    story.at(0, SERVER, Kind::State(change));
    assert_eq!(texts(&read(&story.timeline)), [expected]);
}

const DATA: &str = "ACK 5 bytes 1:6 ack 1 \"hello\"";

/// The frame that repeats the first one.
fn again() -> Passage {
    let again = Some(1);
    Passage {
        again,
        ..passage(2, Fate::Passed, None)
    }
}

#[test]
fn a_packet_that_repeats_a_dropped_one_answers_the_drop() {
    let mut story = Story::default();
    let dropped = passage(1, Fate::Dropped, Some("data 1 drop"));
    story.on_cable(2_000, CLIENT, dropped);
    story.on_cable(3_000, CLIENT, again());
    let expected = [
        format!("{DATA} dropped: data 1 drop"),
        format!("{DATA} again, answers the drop at 2.000"),
    ];
    assert_eq!(texts(&read(&story.timeline)), expected);
}

#[test]
fn a_held_packet_that_is_dropped_later_is_the_drop_that_is_answered() {
    let mut story = Story::default();
    story.on_cable(2_000, CLIENT, passage(1, Fate::Held, None));
    story.later(3_000, 1, Fate::Dropped, Some("the hand"), 1_000);
    story.on_cable(4_000, CLIENT, again());
    let expected = [
        format!("{DATA} held"),
        "ACK 5 bytes dropped after 1.000 ms: the hand".to_string(),
        format!("{DATA} again, answers the drop at 3.000"),
    ];
    assert_eq!(texts(&read(&story.timeline)), expected);
}

#[rstest]
#[case::doubled(Fate::Doubled, "doubled")]
#[case::a_bit(Fate::Corrupted { bit: 323 }, "bit 3 of byte 40 flipped")]
#[case::late(Fate::Delayed, "delayed 200.000 ms")]
#[case::swapped(Fate::Swapped, "waits for the next")]
fn what_is_done_to_a_packet_stands_behind_it_and_that_it_goes_on_in_a_row_of_its_own(
    #[case] fate: Fate,
    #[case] done: &str,
) {
    let late = Duration::from_millis(200);
    let passage = passage(1, fate, Some("a rule"));
    let mut story = Story::default();
    story.on_cable(0, SERVER, Passage { late, ..passage });
    story.later(200_031, 1, Fate::Passed, None, 200_031);
    let expected = [
        format!("{DATA} {done}: a rule"),
        "ACK 5 bytes goes on after 200.031 ms".to_string(),
    ];
    assert_eq!(texts(&read(&story.timeline)), expected);
}
