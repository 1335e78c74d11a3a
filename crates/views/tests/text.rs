//! The columns as they look on paper.

use std::time::Duration;

use rstest::rstest;
use timeline::{Actor, Ending, Event, Kind, Place, Stream, Timeline};
use unicode_width::UnicodeWidthStr;
use views::text::{Paper, text, wrap};

const NARROW: Paper = Paper {
    width: 80,
    colour: false,
    ascii: false,
};

/// A timeline from its events, with a server (0) and a client (1) in two lanes.
fn timeline(kinds: Vec<(Place, Kind)>) -> Timeline {
    let started = |lane: &str| Kind::Started {
        lane: lane.to_string(),
        command: Vec::new(),
    };
    let lanes = vec!["server".to_string(), "client".to_string()];
    let mut timeline = Timeline::default();
    let cast = [
        (Place::Narrator, Kind::Lanes(lanes)),
        (SERVER, started("server")),
        (CLIENT, started("client")),
    ];
    for (place, kind) in cast.into_iter().chain(kinds) {
        timeline.push(Event {
            time: Duration::ZERO,
            place,
            kind,
        });
    }
    timeline
}

const SERVER: Place = Place::Actor(Actor(0));
const CLIENT: Place = Place::Actor(Actor(1));

fn line(text: &str) -> Kind {
    Kind::Line {
        stream: Stream::Stdout,
        text: text.to_string(),
    }
}

#[test]
fn each_program_speaks_in_its_lane_and_explanations_go_across() {
    let drawn = text(
        &timeline(vec![
            (SERVER, line("listening on 127.0.0.1:8081")),
            (
                Place::Narrator,
                Kind::Note("Now the client dials.".to_string()),
            ),
            (
                Place::Narrator,
                Kind::Note("It has the number.".to_string()),
            ),
            (CLIENT, line("connected")),
            (CLIENT, line("  from 127.0.0.1:5000")),
            (CLIENT, Kind::Ended(Ending::Status(0))),
            (SERVER, Kind::Ended(Ending::Signal(9))),
            (
                Place::Narrator,
                Kind::Next(vec!["Do it again.".to_string()]),
            ),
        ]),
        NARROW,
    );
    let expected = "
  server                                  client
  ──────────────────────────────────────  ──────────────────────────────────────
  listening on 127.0.0.1:8081

  │ Now the client dials.

  │ It has the number.

                                          connected
                                            from 127.0.0.1:5000
                                          (ended)
  (ended by SIGKILL)

  Try next
  - Do it again.
";
    assert_eq!(drawn, expected);
}

#[test]
fn ascii_paper_gets_ascii_only() {
    let note = Kind::Note("a note".to_string());
    let paper = Paper {
        ascii: true,
        ..NARROW
    };
    assert!(text(&timeline(vec![(Place::Narrator, note)]), paper).is_ascii());
}

#[rstest]
#[case::english("the quick brown fox jumps over the lazy dog and sleeps", 40)]
#[case::chinese("成功连接服务器成功连接服务器成功连接服务器成功连接服务器", 60)]
#[case::one_long_word("127.0.0.1:8081/127.0.0.1:8081/127.0.0.1:8081/127.0.0.1:8081", 80)]
fn no_row_is_wider_than_the_paper_and_nothing_is_lost(#[case] said: &str, #[case] width: usize) {
    let paper = Paper { width, ..NARROW };
    let drawn = text(
        &timeline(vec![(SERVER, line(said)), (CLIENT, line(said))]),
        paper,
    );
    for row in drawn.lines() {
        assert!(row.width() <= width, "{row:?} is {} wide", row.width());
    }
    let kept: String = drawn.chars().filter(|c| !c.is_whitespace()).collect();
    let said: String = said.chars().filter(|c| !c.is_whitespace()).collect();
    assert_eq!(kept.matches(&said).count(), 2, "{drawn}");
}

#[test]
fn words_are_kept_whole_and_what_follows_an_indent_is_indented_more() {
    let said = line("  sent five bytes to the address 127.0.0.1:8081");
    let drawn = text(&timeline(vec![(SERVER, said)]), NARROW);
    let rows: Vec<&str> = drawn.lines().skip(3).collect();
    assert_eq!(
        rows,
        ["    sent five bytes to the address", "      127.0.0.1:8081"]
    );
}

#[test]
fn chinese_text_does_not_move_the_lane_beside_it() {
    let name = |name: &str| name.to_string();
    let mut chinese = Timeline::default();
    let lanes = Kind::Lanes(vec![name("服务器"), name("client")]);
    chinese.push(Event {
        time: Duration::ZERO,
        place: Place::Narrator,
        kind: lanes,
    });
    let drawn = text(&chinese, NARROW);
    let names = drawn.lines().nth(1).unwrap();
    let before = &names[..names.find("client").unwrap()];
    assert_eq!(before.width(), 42, "{names}");
}

#[test]
fn a_program_cannot_write_control_characters_to_our_terminal() {
    let drawn = text(
        &timeline(vec![(SERVER, line("\x1b[2Jgone\tx\u{7}"))]),
        NARROW,
    );
    assert!(drawn.contains("\\u{1b}[2Jgone    x\\u{7}"), "{drawn:?}");
    assert!(drawn.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn with_colour_the_text_is_the_same_but_for_the_colours() {
    colored::control::set_override(true);
    let events = vec![
        (Place::Narrator, Kind::Headline("Part".to_string())),
        (
            SERVER,
            Kind::Line {
                stream: Stream::Stderr,
                text: "refused".to_string(),
            },
        ),
        (CLIENT, Kind::Ended(Ending::Status(1))),
    ];
    let timeline = timeline(events);
    let painted = text(
        &timeline,
        Paper {
            colour: true,
            ..NARROW
        },
    );
    assert!(painted.contains("\x1b[31mrefused\x1b[0m"), "{painted:?}");
    let mut bare = String::new();
    let mut codes = painted.split('\x1b');
    bare.push_str(codes.next().unwrap());
    codes.for_each(|code| bare.push_str(code.split_once('m').unwrap().1));
    let trimmed = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(trimmed(&bare), trimmed(&text(&timeline, NARROW)));
}

/// So wide that a break would fall into each place of the escape once.
#[rstest]
fn a_row_never_ends_inside_an_escape_or_a_character(
    #[values(r"\n", r"\xfb", r"\u{4f60}", r"\\", "\\\"", "你", "e\u{301}")] unit: &str,
    #[values(17, 18, 19, 20, 21, 22, 23, 24)] width: usize,
) {
    let rows = wrap(&format!("  a{} …", unit.repeat(40)), width);
    for row in &rows {
        assert!(row.width() <= width, "{rows:#?}");
        let data = row.trim_start().trim_start_matches('a');
        let data = data.trim_end_matches(" …");
        assert_eq!(data.replace(unit, ""), "", "in {rows:#?}");
    }
    assert_eq!(rows.concat().matches(unit).count(), 40, "{rows:#?}");
}

#[rstest]
#[case::room_for_the_gap(">     one two", 12, &[">     one", "two"])]
#[case::less_room(">     c.send(it); c", 14, &[">  c.send(it);", "c"])]
#[case::behind_a_name("client1: >     one two", 14, &["client1: > one", "two"])]
#[case::no_gap("> one two", 5, &["> one", "two"])]
#[case::nothing_printed("> ", 5, &[">"])]
fn the_mark_of_a_line_does_not_stand_alone(
    #[case] text: &str,
    #[case] width: usize,
    #[case] expected: &[&str],
) {
    assert_eq!(wrap(text, width), expected);
}
