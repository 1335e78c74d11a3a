//! What is recorded as JSON lines reads back as it was; what is broken is named.

mod generate;

use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use timeline::{Actor, Event, Kind, Place, Timeline};
use views::json;

const HEADER: &str = r#"{"format":"dialtone timeline","version":1}"#;
const NEWER: &str = r#"{"format":"dialtone timeline","version":2}"#;

proptest! {
    #[test]
    fn what_is_written_reads_back_as_it_was(timeline in generate::timelines()) {
        let written = json::write(&timeline);
        prop_assert_eq!(written.lines().count(), timeline.events().len() + 1);
        let read = json::read(&written).map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        prop_assert_eq!(&read, &timeline);
        prop_assert_eq!(json::write(&read), written);
    }

    #[test]
    fn a_damaged_recording_is_read_or_refused_and_never_more(
        timeline in generate::timelines(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut written = json::write(&timeline).into_bytes();
        let at = at.index(written.len());
        written[at] = byte;
        let _ = json::read(&written);
        let _ = json::read(&written[..at]);
    }
}

fn broken(line: &str) -> String {
    let recorded = format!("{HEADER}\n{{\"time\":0,\"note\":\"good\"}}\n\n{line}\n");
    json::read(recorded).unwrap_err().to_string()
}

const WAY_OUT: &str = "Delete the line to read the rest, or record the run again.";

#[rstest]
#[case::not_json("hello", "this is no JSON: expected value, at column 1")]
#[case::cut_off(r#"{"time":7,"note":"#, "the line ends in the middle, after 17 bytes")]
#[case::no_time(r#"{"note":"x"}"#, "the member \"time\" is missing")]
#[case::a_negative_time(
    r#"{"time":-1,"note":"x"}"#,
    "time: a number of nanoseconds is expected, not -1"
)]
#[case::a_list("[1]", "an object is expected, not [1]")]
#[case::no_kind(
    r#"{"time":7,"actor":0}"#,
    "nothing says what happened; one of beat, ended, call, return, packet, fate, state, unseen, lanes, headline, note, rows, next, started, line is expected"
)]
#[case::a_text_for_a_number(
    r#"{"time":7,"actor":0,"ended":{"status":"0"}}"#,
    "ended.status: a whole number from -2147483648 to 2147483647 is expected, not \"0\""
)]
#[case::deep_inside(
    r#"{"time":7,"actor":0,"call":{"id":1,"pid":2,"tid":2,"name":"bind","args":[{"descriptor":3},{"address":{"ip":"here"}}]}}"#,
    "call.args[1].address.ip: an IP address with a port is expected, not \"here\""
)]
#[case::odd_hex(
    r#"{"time":7,"actor":0,"return":{"id":1,"outcome":{"returned":1},"outputs":[{"bytes":{"first":{"hex":"f"},"length":1}}],"sockets":[]}}"#,
    "return.outputs[0].bytes.first.hex: a text of hexadecimal digits, two for each byte is expected, not \"f\""
)]
#[case::an_unknown_word(
    r#"{"time":7,"actor":0,"line":{"stream":"stdin","text":"x"}}"#,
    "line.stream: \"stdin\" is not known; known are stdout, stderr"
)]
fn a_broken_line_is_named_with_its_number_its_fault_and_the_way_out(
    #[case] line: &str,
    #[case] what: &str,
) {
    assert_eq!(broken(line), format!("line 4: {what}. {WAY_OUT}"));
}

#[test]
fn bytes_that_are_no_text_are_a_broken_line() {
    let mut recorded = format!("{HEADER}\n{{\"time\":0,\"note\":\"").into_bytes();
    recorded.extend(b"\xff\"}\n");
    let error = json::read(&recorded).unwrap_err();
    assert_eq!(error.line(), 2);
    assert!(error.to_string().contains("invalid unicode"), "{error}");
}

#[rstest]
#[case::empty("", "the line ends in the middle, after 0 bytes")]
#[case::something_else(
    "{\"hello\":1}\n",
    "this is no header of a recorded timeline; it has no \"format\":\"dialtone timeline\""
)]
#[case::text("GET / HTTP/1.1\n", "this is no JSON: expected value, at column 1")]
#[case::no_version(
    "{\"format\":\"dialtone timeline\"}\n",
    "the member \"version\" is missing"
)]
fn a_file_that_is_no_recording_is_refused_at_its_first_line(
    #[case] file: &str,
    #[case] what: &str,
) {
    let error = json::read(file).unwrap_err();
    let way_out =
        "Give a file that was recorded as JSON lines (--out NAME.jsonl), from its first line on.";
    assert_eq!(error.to_string(), format!("line 1: {what}. {way_out}"));
}

#[test]
fn unknown_kinds_of_a_newer_version_are_counted_where_the_first_of_them_stood() {
    let recorded = format!(
        "{NEWER}\n{}\n{}\n{}\n{}\n",
        r#"{"time":1,"actor":0,"telepathy":{"strength":3}}"#,
        r#"{"time":2,"note":"known"}"#,
        r#"{"time":3,"actor":1,"telepathy":{"strength":4}}"#,
        r#"{"time":4,"note":"known","mood":"good"}"#,
    );
    let timeline = json::read(recorded).unwrap();
    let events = timeline.events();
    assert_eq!(events.len(), 3);
    let Kind::Unseen(what) = &events[0].kind else {
        panic!("{:?}", events[0])
    };
    assert!(what.starts_with("2 × an event \"telepathy\""), "{what}");
    assert_eq!(events[0].time, Duration::from_nanos(1));
    assert_eq!(events[0].place, Place::Actor(Actor(0)));
    assert_eq!(events[1].kind, Kind::Note("known".to_string()));
    assert_eq!(events[2].kind, Kind::Note("known".to_string()));
}

#[test]
fn unknown_kinds_of_this_version_are_broken_lines() {
    let what = broken(r#"{"time":1,"actor":0,"telepathy":{}}"#);
    assert!(
        what.starts_with("line 4: \"telepathy\" is not known"),
        "{what}"
    );
}

#[test]
fn a_broken_line_of_a_newer_version_is_broken_too() {
    let recorded = format!("{NEWER}\n{{\"time\":1,\"note\":5}}\n");
    let error = json::read(recorded).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("line 2: note: a text is expected, not 5. {WAY_OUT}")
    );
}

#[test]
fn a_recording_can_be_written_event_by_event() {
    let mut timeline = Timeline::default();
    let mut written = json::header();
    for text in ["one", "two"] {
        let kind = Kind::Note(text.to_string());
        let event = Event {
            time: Duration::ZERO,
            place: Place::Narrator,
            kind,
        };
        written += &json::event(&event);
        timeline.push(event);
    }
    assert_eq!(written, json::write(&timeline));
}

#[test]
fn the_example_of_the_description_reads_and_is_as_it_would_be_written() {
    let description = include_str!("../../../docs/timeline.md");
    let (_, example) = description.split_once("```jsonl\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let timeline = json::read(example).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(json::write(&timeline), example);
}

#[test]
fn the_description_names_each_kind_of_event() {
    let description = include_str!("../../../docs/timeline.md");
    let error = broken(r#"{"time":7}"#);
    let (_, names) = error.split_once("one of ").unwrap();
    let (names, _) = names.split_once(" is expected").unwrap();
    for name in names.split(", ") {
        assert!(
            description.contains(&format!("\n| `{name}` |")),
            "{name} is not described"
        );
    }
}
