//! The columns as they look on paper.

use rstest::rstest;
use timeline::{Ending, Kind, Place, Stream};
use unicode_width::UnicodeWidthStr;
use views::text::{Paper, text, wrap};

use crate::sample::{CLIENT, SERVER, Story};

const NARROW: Paper = Paper {
    width: 80,
    colour: false,
    ascii: false,
};

/// A server (0) and a client (1) in two lanes.
fn two_lanes() -> Story {
    let mut story = Story::default();
    let lanes = vec!["server".to_string(), "client".to_string()];
    story.at(0, Place::Narrator, Kind::Lanes(lanes));
    story.started(SERVER, "server");
    story.started(CLIENT, "client");
    story
}

/// The server says this.
fn said(line: &str, paper: Paper) -> String {
    let mut story = two_lanes();
    story.line(0, SERVER, line);
    text(&story.timeline, paper)
}

#[test]
fn each_program_speaks_in_its_lane_and_explanations_go_across() {
    let mut story = two_lanes();
    story.line(0, SERVER, "listening on 127.0.0.1:8081");
    story.note(0, "Now the client dials.");
    story.note(0, "It has the number.");
    story.line(0, CLIENT, "connected");
    story.line(0, CLIENT, "  from 127.0.0.1:5000");
    story.at(0, CLIENT, Kind::Ended(Ending::Status(0)));
    story.at(0, SERVER, Kind::Ended(Ending::Signal(9)));
    let next = Kind::Next(vec!["Do it again.".to_string()]);
    story.at(0, Place::Narrator, next);
    let drawn = text(&story.timeline, NARROW);
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
    let mut story = two_lanes();
    story.note(0, "a note");
    let ascii = true;
    assert!(text(&story.timeline, Paper { ascii, ..NARROW }).is_ascii());
}

#[rstest]
#[case::english("the quick brown fox jumps over the lazy dog and sleeps", 40)]
#[case::chinese("成功连接服务器成功连接服务器成功连接服务器成功连接服务器", 60)]
#[case::one_long_word("127.0.0.1:8081/127.0.0.1:8081/127.0.0.1:8081/127.0.0.1:8081", 80)]
fn no_row_is_wider_than_the_paper_and_nothing_is_lost(#[case] said: &str, #[case] width: usize) {
    let mut story = two_lanes();
    story.line(0, SERVER, said);
    story.line(0, CLIENT, said);
    let drawn = text(&story.timeline, Paper { width, ..NARROW });
    for row in drawn.lines() {
        assert!(row.width() <= width, "{row:?} is {} wide", row.width());
    }
    let kept: String = drawn.chars().filter(|c| !c.is_whitespace()).collect();
    let said: String = said.chars().filter(|c| !c.is_whitespace()).collect();
    assert_eq!(kept.matches(&said).count(), 2, "{drawn}");
}

#[test]
fn words_are_kept_whole_and_what_follows_an_indent_is_indented_more() {
    let drawn = said("  sent five bytes to the address 127.0.0.1:8081", NARROW);
    let rows: Vec<&str> = drawn.lines().skip(3).collect();
    assert_eq!(
        rows,
        ["    sent five bytes to the address", "      127.0.0.1:8081"]
    );
}

#[test]
fn chinese_text_does_not_move_the_lane_beside_it() {
    let name = |name: &str| name.to_string();
    let mut chinese = Story::default();
    let lanes = Kind::Lanes(vec![name("服务器"), name("client")]);
    chinese.at(0, Place::Narrator, lanes);
    let drawn = text(&chinese.timeline, NARROW);
    let names = drawn.lines().nth(1).unwrap();
    let before = &names[..names.find("client").unwrap()];
    assert_eq!(before.width(), 42, "{names}");
}

#[test]
fn a_program_cannot_write_control_characters_to_our_terminal() {
    let drawn = said("\x1b[2Jgone\tx\u{7}", NARROW);
    assert!(drawn.contains("\\u{1b}[2Jgone    x\\u{7}"), "{drawn:?}");
    assert!(drawn.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn with_colour_the_text_is_the_same_but_for_the_colours() {
    colored::control::set_override(true);
    let mut story = two_lanes();
    story.at(0, Place::Narrator, Kind::Headline("Part".to_string()));
    let (stream, line) = (Stream::Stderr, "refused".to_string());
    story.at(0, SERVER, Kind::Line { stream, text: line });
    story.at(0, CLIENT, Kind::Ended(Ending::Status(1)));
    let colour = true;
    let painted = text(&story.timeline, Paper { colour, ..NARROW });
    assert!(painted.contains("\x1b[31mrefused\x1b[0m"), "{painted:?}");
    let mut bare = String::new();
    let mut codes = painted.split('\x1b');
    bare.push_str(codes.next().unwrap());
    codes.for_each(|code| bare.push_str(code.split_once('m').unwrap().1));
    let trimmed = |text: &str| {
        let rows: Vec<&str> = text.lines().map(str::trim_end).collect();
        rows.join("\n")
    };
    assert_eq!(trimmed(&bare), trimmed(&text(&story.timeline, NARROW)));
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
