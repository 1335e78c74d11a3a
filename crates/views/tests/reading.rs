//! The rows as plain values: what a view knows of each beside its words.

use std::time::Duration;

use timeline::cable::{Fate, Later, Passage, Side};
use timeline::call::{Arg, Outcome};
use timeline::packet::{Content, Datagram, Packet};
use timeline::{Actor, Kind, Place, Timeline};
use views::only::Only;
use views::reading::{Interval, Layer, Reading, Row, Stand, Subject, rows};
use views::words::Words;

use crate::sample::{ACK, CLIENT, SERVER, SYN, Story, echo, returned, segment, symbol};

const WORDS: Words = Words {
    bytes: 32,
    hex: false,
    ascii: false,
};

fn read(timeline: &Timeline) -> Vec<Row> {
    rows(timeline, Reading::new(Only::default(), WORDS, true))
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
    let texts = rows.iter().map(Row::text).filter(|text| !text.is_empty());
    let expected = ["getpeername(3) → ENOTCONN, 0.004 ms"];
    assert_eq!(texts.collect::<Vec<_>>(), expected);
}

#[test]
fn where_an_end_comes_alone_it_says_how_the_whole_call_reads() {
    let mut story = Story::default();
    story.done(0, SERVER, "accept", vec![Arg::Descriptor(3)], 4);
    let mut reading = Reading::new(Only::default(), WORDS, true);
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
fn datagram(from: Side, passage: Passage) -> Kind {
    Kind::Packet(Packet {
        source: from.v4().into(),
        destination: from.other().v4().into(),
        content: Content::Udp(Datagram::default()),
        passage: Some(passage),
        ..segment(SERVER, ACK, 1, 1, b"")
    })
}

const NOBODY: Place = Place::Wire {
    from: None,
    to: None,
};

fn held(frame: u64) -> Passage {
    Passage {
        frame,
        fate: Fate::Held,
        ..Passage::default()
    }
}

fn goes_on(frame: u64) -> Kind {
    Kind::Fate(Later {
        frame,
        fate: Fate::Passed,
        by: None,
        after: Duration::from_millis(1),
    })
}

#[test]
fn where_no_socket_is_known_the_host_tells_which_way_a_packet_goes_and_its_fate_too() {
    let mut story = Story::default();
    story.at(0, NOBODY, datagram(Side::Server, held(1)));
    story.at(1, NOBODY, datagram(Side::Client, held(2)));
    story.at(2, NOBODY, goes_on(2));
    story.at(3, NOBODY, goes_on(1));
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
    story.at(0, NOBODY, datagram(Side::Server, held(1)));
    story.at(1, NOBODY, goes_on(1));
    story.packet(2, CLIENT, SYN, 1, 0, b"");
    let only = Only {
        tcp: true,
        ..Only::default()
    };
    let rows = rows(&story.timeline, Reading::new(only, WORDS, true));
    let texts: Vec<String> = rows.iter().map(Row::text).collect();
    assert_eq!(texts, ["SYN seq 0"]);
}

#[test]
fn what_is_remembered_stays_bounded_however_much_happens() {
    let mut reading = Reading::new(Only::default(), WORDS, true);
    let mut sizes = Vec::new();
    let mut story = Story::default();
    for round in 0..6 {
        for number in 0..4_000 {
            let frame = round * 4_000 + number;
            story.at(frame, NOBODY, datagram(Side::Client, held(frame)));
            // It never ends.
            story.call(frame, Place::Actor(Actor(1)), "accept", Vec::new());
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
