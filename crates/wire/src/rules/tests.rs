use std::net::IpAddr;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use rstest::rstest;
use timeline::packet::{Content, Datagram, Packet, Segment, TcpFlags};

use super::*;
use crate::hand::{Action, Frame, Hand};

fn times() -> impl Strategy<Value = Duration> {
    // Whole microseconds up to some days.
    (0_u64..300_000_000_000).prop_map(Duration::from_micros)
}

fn percents() -> impl Strategy<Value = f64> {
    (0_u32..=10_000).prop_map(|hundredths| f64::from(hundredths) / 100.0)
}

fn sides() -> impl Strategy<Value = Side> {
    select(Side::BOTH.to_vec())
}

fn sorts() -> impl Strategy<Value = Vec<Matching>> {
    let sorts = Sort::WORDS.map(|(sort, _)| sort);
    (select(sorts.to_vec()), of(1..=u32::MAX)).prop_map(|(sort, nth)| {
        let sort = [Matching::Sort(sort)].into_iter();
        sort.chain(nth.map(Matching::Nth)).collect()
    })
}

fn whiches() -> impl Strategy<Value = Vec<Matching>> {
    let orders = select(vec![Ordering::Greater, Ordering::Less, Ordering::Equal]);
    let lengths =
        (orders, any::<u32>()).prop_map(|(order, length)| Matching::Length(order, length));
    let parts = (
        of(sides().prop_map(Matching::From)),
        of(sorts()),
        vec(lengths, 0..3),
        of(any::<u16>().prop_map(Matching::Port)),
        of((1..=u32::MAX).prop_map(Matching::Connection)),
        of(Just(Matching::Again)),
        of((1..=u32::MAX).prop_map(Matching::Every)),
        of(percents().prop_map(Matching::Percent)),
    );
    parts.prop_map(
        |(from, sorts, lengths, port, connection, again, every, percent)| {
            let first = from.into_iter().chain(sorts.into_iter().flatten());
            let rest = [port, connection, again, every, percent];
            first
                .chain(lengths)
                .chain(rest.into_iter().flatten())
                .collect()
        },
    )
}

fn rules() -> impl Strategy<Value = Rule> {
    let thens = prop_oneof![
        Just(Then::Pass),
        Just(Then::Drop),
        times().prop_map(Then::Delay),
        of(times()).prop_map(Then::Hold),
        Just(Then::Double),
        Just(Then::Swap),
        Just(Then::Corrupt),
        of(times()).prop_map(Then::Cut),
    ];
    let packets = (whiches(), thens, of(1..=u32::MAX));
    let packets = packets.prop_filter("a setting", |(which, then, _)| {
        !(which.is_empty() && matches!(then, Then::Cut(_)))
    });
    let settings = prop_oneof![
        times().prop_map(CableSetting::Latency),
        percents().prop_map(CableSetting::Loss),
        (1_u64..1_000_000_000_000).prop_map(CableSetting::Rate),
    ];
    prop_oneof![
        packets.prop_map(|(which, then, times)| Rule::Packets { which, then, times }),
        (of(sides()), settings).prop_map(|(from, setting)| Rule::Cable { from, setting }),
        (times(), of(times())).prop_map(|(after, lasts)| Rule::Cut(Cut { after, lasts })),
    ]
}

proptest! {
    #[test]
    fn a_rule_that_is_printed_reads_back_as_itself(rule in rules()) {
        let text = rule.to_string();
        let read: Rule = text.parse().map_err(|error| TestCaseError::fail(format!("{error}")))?;
        prop_assert_eq!(read, rule);
    }

    #[test]
    fn no_text_can_do_harm(text in ".{0,60}") {
        if let Err(error) = Rules::parse(&text) {
            let _ = error.to_string();
        }
    }

    #[test]
    fn no_words_of_the_rules_in_any_order_can_do_harm(
        words in vec("client→server|data|syn|drop|cut|after|for|hold|every|3rd|10|%|ms|s|2|times|once|length|>|rate|Mbit/s|;|#|99999999999999999999", 0..8),
    ) {
        if let Err(error) = Rules::parse(&words.join(" ")) {
            let _ = error.to_string();
        }
    }
}

#[rstest]
#[case("syn drop once")]
#[case("client→server data 2 drop")]
#[case("udp every 3rd double")]
#[case("10 % drop")]
#[case("length > 1000 delay 200 ms")]
#[case("fin hold 5 s")]
#[case("port 8081 syn-ack corrupt 2 times")]
#[case("latency 50 ms")]
#[case("server→client rate 1 Mbit/s")]
#[case("loss 0.5 %")]
#[case("cut after 3 s for 10 s")]
#[case("data 3 cut for 1 s")]
#[case("connection 1 again pass")]
fn a_rule_is_printed_as_it_is_written(#[case] text: &str) {
    assert_eq!(text.parse::<Rule>().unwrap().to_string(), text);
}

#[rstest]
#[case("client->server SYN drop 1 times", "client→server syn drop once")]
#[case("length>1000 delay 0.2s", "length > 1000 delay 200 ms")]
#[case("data every 2 drop", "data every 2nd drop")]
#[case("10% udp drop", "10 % udp drop")]
#[case("loss 5%", "loss 5 %")]
#[case("delay 2000 ms # for a while", "delay 2 s")]
fn other_ways_to_write_it_mean_the_same(#[case] text: &str, #[case] printed: &str) {
    assert_eq!(text.parse::<Rule>().unwrap().to_string(), printed);
}

#[rstest]
#[case("sin drop", 0, "did you mean \"syn\" or \"fin\"?")]
#[case("syn dorp once", 4, "did you mean \"drop\"?")]
#[case("client>server drop", 0, "no word of the rules")]
#[case("syn", 3, "what becomes of the packet")]
#[case("syn drop twice", 9, "here the rule ends")]
#[case("syn drop 2", 10, "\"times\" is expected")]
#[case("syn delay 200", 13, "a unit (ns, us, µs, ms, s")]
#[case(
    "syn delay ms",
    10,
    "a time, as in \"200 ms\", is expected here, not \"ms\""
)]
#[case("data 0 drop", 5, "from 1 to")]
#[case("port 70000 drop", 5, "from 0 to 65535")]
#[case("120 % drop", 0, "at most 100 %")]
#[case("rate 0 bit/s", 5, "nothing would ever arrive")]
#[case("udp latency 5 ms", 4, "a setting of the whole cable")]
#[case("cut", 3, "\"after\" and a time")]
#[case("every 2 every 3 drop", 8, "only once")]
fn an_error_says_where_and_what(#[case] text: &str, #[case] column: usize, #[case] what: &str) {
    let error = text.parse::<Rule>().unwrap_err().to_string();
    let mut lines = error.lines();
    let (first, mark) = (lines.next().unwrap(), lines.next().unwrap());
    assert_eq!(first, format!("rule 1: {text}"));
    assert_eq!(mark.find('^'), Some("rule 1: ".len() + column), "{error}");
    assert!(error.contains(what), "{error}");
}

#[test]
fn an_error_in_a_file_names_its_line() {
    let error = Rules::parse("# first\nsyn drop; udp dubble\n").unwrap_err();
    assert_eq!(error.line, 2);
    assert!(
        error.to_string().contains("did you mean \"double\"?"),
        "{error}"
    );
}

/// TCP from the client, unless the flags have none.
fn frame(from: Side, flags: u8, length: u32) -> Frame {
    let (client, server): (IpAddr, IpAddr) = ([10, 0, 0, 2].into(), [10, 0, 0, 1].into());
    let (source, destination, ports) = match from {
        Side::Client => (client, server, (5000, 8081)),
        Side::Server => (server, client, (8081, 5000)),
    };
    let content = Content::Tcp(Segment {
        source_port: ports.0,
        destination_port: ports.1,
        flags: TcpFlags(flags),
        length,
        ..Segment::default()
    });
    let packet = Packet {
        source,
        destination,
        content,
        bytes: Vec::new(),
        length: 40 + length,
        passage: None,
    };
    Frame {
        id: 1,
        at: Duration::ZERO,
        from,
        packet,
        again: None,
    }
}

const ACK: u8 = TcpFlags::ACK;
const SYN: u8 = TcpFlags::SYN;
const FIN: u8 = TcpFlags::FIN;

/// The fates of so many equal frames, as a letter each.
fn fates(rules: &str, frame: &Frame, count: usize) -> String {
    let mut rules = Rules::parse(rules).unwrap();
    let decided = (0..count).map(|_| match rules.decide(frame).what {
        Action::Pass => '.',
        Action::Drop => 'x',
        Action::Double => 'd',
        _ => '?',
    });
    decided.collect()
}

#[rstest]
#[case("drop once", "x.....")]
#[case("drop 2 times", "xx....")]
#[case("data 2 drop", ".x....")]
#[case("every 3rd drop", "..x..x")]
#[case("data 1 drop; data 2 drop", "xx....")]
#[case("drop once; double", "xddddd")]
#[case("pass 2 times; drop", "..xxxx")]
#[case("server→client drop", "......")]
#[case("client→server data drop", "xxxxxx")]
#[case("length > 50 drop", "......")]
#[case("length = 50 drop; double", "xxxxxx")]
#[case("port 8081 drop", "xxxxxx")]
#[case("port 80 drop", "......")]
#[case("connection 1 drop", "xxxxxx")]
#[case("connection 2 drop", "......")]
#[case("again drop", "......")]
fn the_first_rule_that_is_about_a_packet_decides(#[case] rules: &str, #[case] expected: &str) {
    assert_eq!(fates(rules, &frame(Side::Client, ACK, 10), 6), expected);
}

#[rstest]
#[case("syn", SYN, 0, true)]
#[case("syn", SYN | ACK, 0, false)]
#[case("syn-ack", SYN | ACK, 0, true)]
#[case("ack", ACK, 0, true)]
#[case("ack", ACK, 5, false)]
#[case("ack", FIN | ACK, 0, false)]
#[case("fin", FIN | ACK, 0, true)]
#[case("data", ACK, 5, true)]
#[case("data", SYN, 0, false)]
#[case("udp", ACK, 5, false)]
#[case("tcp", ACK, 5, true)]
fn sorts_are_what_the_text_says(
    #[case] sort: &str,
    #[case] flags: u8,
    #[case] length: u32,
    #[case] is_so: bool,
) {
    let expected = if is_so { "x" } else { "." };
    let frame = frame(Side::Client, flags, length);
    assert_eq!(fates(&format!("{sort} drop"), &frame, 1), expected);
}

#[test]
fn connections_are_numbered_in_the_order_in_which_they_begin() {
    let mut rules = Rules::parse("connection 2 drop").unwrap();
    let mut decide = |port: u16, from: Side| {
        let mut frame = frame(from, ACK, 0);
        let datagram = match from {
            Side::Client => (port, 53),
            Side::Server => (53, port),
        };
        frame.packet.content = Content::Udp(Datagram {
            source_port: datagram.0,
            destination_port: datagram.1,
            ..Datagram::default()
        });
        rules.decide(&frame).what
    };
    assert_eq!(decide(1000, Side::Client), Action::Pass);
    assert_eq!(decide(2000, Side::Client), Action::Drop);
    assert_eq!(decide(1000, Side::Server), Action::Pass);
    assert_eq!(decide(2000, Side::Server), Action::Drop);
}

#[test]
fn chance_in_one_direction_does_not_depend_on_the_other() {
    let (there, back) = (frame(Side::Client, ACK, 1), frame(Side::Server, ACK, 1));
    let rules = Rules::parse("client→server 50 % drop").unwrap();
    let mut rules = rules.with_seed(7);
    let mut alone = rules.clone();
    let alone: Vec<Action> = (0..40).map(|_| alone.decide(&there).what).collect();
    let mixed = (0..40).map(|_| {
        rules.decide(&back);
        rules.decide(&there).what
    });
    assert_eq!(mixed.collect::<Vec<Action>>(), alone);
}

#[test]
fn a_flipped_bit_lies_in_the_data_or_else_in_the_checksum() {
    let mut rules = Rules::parse("corrupt").unwrap();
    for (length, bytes) in [(10, 40..50), (0, 36..38)].into_iter().cycle().take(200) {
        let Action::Corrupt(bit) = rules.decide(&frame(Side::Client, ACK, length)).what else {
            panic!()
        };
        assert!(bytes.contains(&(bit / 8)));
    }
}

#[test]
fn settings_are_those_of_both_directions_or_of_one() {
    let rules = Rules::parse("latency 50 ms; client→server rate 8 kbit/s; cut after 1 s").unwrap();
    let settings = rules.settings();
    assert_eq!(
        settings.line(Side::Server).latency,
        Duration::from_millis(50)
    );
    assert_eq!(settings.line(Side::Client).rate, Some(8000));
    assert_eq!(settings.line(Side::Server).rate, None);
    assert_eq!(settings.cuts.len(), 1);
}
