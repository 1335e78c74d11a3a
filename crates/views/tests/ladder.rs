//! The X-ray as it looks on paper. What its rows say is tested in `reading`.

use std::time::Duration;

use rstest::rstest;
use timeline::cable::{Fate, Passage};
use timeline::{Kind, Place, Timeline};
use unicode_width::UnicodeWidthStr;
use views::ladder::{Ladder, Style, ladder};
use views::only::Only;
use views::text::Paper;

use crate::sample::{CLIENT, SERVER, Story, passage, talk};

const PAPER: Paper = Paper {
    width: 80,
    colour: false,
    ascii: false,
};

fn on_paper(timeline: &Timeline, paper: Paper) -> String {
    ladder(timeline, Style::on(paper))
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
    let drawn = on_paper(&talk(), PAPER);
    assert_eq!(drawn.trim_start(), expected.trim_start(), "\n{drawn}");
}

#[rstest]
fn no_row_is_wider_than_the_paper(#[values(60, 80, 120, 160)] width: usize) {
    for row in on_paper(&talk(), Paper { width, ..PAPER }).lines() {
        assert!(row.width() <= width, "{row:?} is {} wide", row.width());
    }
}

#[test]
fn on_wide_paper_a_packet_takes_one_row() {
    let width = 120;
    let drawn = on_paper(&talk(), Paper { width, ..PAPER });
    let packet = "PSH ACK 5 bytes 1:6 ack 1 \"hello\" ─";
    assert!(drawn.contains(packet), "{drawn}");
}

#[test]
fn ascii_paper_gets_ascii_only() {
    let ascii = true;
    assert!(on_paper(&talk(), Paper { ascii, ..PAPER }).is_ascii());
}

const NOTHING: Only = Only {
    output: false,
    calls: false,
    packets: false,
    tcp: false,
    states: false,
    services: false,
};

#[rstest]
#[case::calls(Only { calls: true, ..NOTHING }, "listen", "SYN")]
#[case::packets(Only { packets: true, ..NOTHING }, "SYN", "listen")]
#[case::states(Only { states: true, ..NOTHING }, "ESTABLISHED", "SYN")]
#[case::output(Only { output: true, ..NOTHING }, "> listening", "SYN")]
fn only_what_is_asked_for_is_drawn(#[case] only: Only, #[case] there: &str, #[case] gone: &str) {
    let style = Style::on(PAPER);
    let drawn = ladder(&talk(), Style { only, ..style });
    assert!(drawn.contains(there) && !drawn.contains(gone), "{drawn}");
}

#[test]
fn data_can_be_shown_as_hexadecimal_numbers_and_in_part() {
    let (bytes, hex, style) = (2, true, Style::on(PAPER));
    let drawn = ladder(
        &talk(),
        Style {
            bytes,
            hex,
            ..style
        },
    );
    let number = drawn.contains("68 65 …");
    assert!(number && !drawn.contains("\"he"), "{drawn}");
}

#[test]
fn a_program_cannot_write_control_characters_to_our_terminal() {
    let mut story = Story::default();
    story.line(0, SERVER, "\x1b[2J");
    let drawn = on_paper(&story.timeline, PAPER);
    assert!(!drawn.contains('\x1b'), "{drawn:?}");
}

#[test]
fn chinese_text_keeps_the_columns_straight() {
    let mut story = Story::default();
    story.line(0, CLIENT, "成功连接服务器");
    let drawn = on_paper(&story.timeline, PAPER);
    let before = &drawn[..drawn.find('>').unwrap()];
    assert_eq!(before.width(), 56, "{drawn}");
}

#[test]
fn where_packets_are_left_out_the_lanes_take_their_room_and_are_named_anew() {
    let mut ladder = Ladder::new(Style::on(PAPER));
    let mut story = Story::default();
    let lanes = Kind::Lanes(vec!["server".to_string(), "client".to_string()]);
    story.at(0, Place::Narrator, lanes);
    story.call(1, SERVER, "listen", Vec::new());
    story.call(2, SERVER, "accept4", Vec::new());
    let [lanes, listen, accept] = story.timeline.events() else {
        panic!("three events");
    };
    assert_eq!(ladder.draw(lanes, None), "", "no names without a row");
    let first = ladder.draw(listen, None);
    let packets = false;
    let all = Only::default();
    ladder.show(Only { packets, ..all });
    let second = ladder.draw(accept, None);
    let has = |text: &str, name| text.contains(name);
    assert!(has(&first, "wire") && has(&first, "client"), "{first}");
    assert!(!has(&second, "wire") && has(&second, "client"), "{second}");
}

/// The arrows of five bytes on a cable in somebody's hand. When they come, this is
/// done to them; later, they go on.
fn arrows(from: Place, passage: Passage, ascii: bool) -> [String; 2] {
    let mut story = Story::default();
    story.on_cable(0, from, passage);
    story.later(1, 1, Fate::Passed, None, 1);
    let width = 160;
    let drawn = on_paper(
        &story.timeline,
        Paper {
            width,
            ascii,
            ..PAPER
        },
    );
    let mut lines = drawn.lines().filter(|line| line.contains("ACK"));
    let mut next = || lines.next().unwrap()[8..].trim().to_string();
    [next(), next()]
}

#[rstest]
#[case::arrives(Fate::Passed, "▶", "◀", ">")]
#[case::twice(Fate::Doubled, "─▶▶", "◀◀─", "->>")]
#[case::damaged(Fate::Corrupted { bit: 7 }, "─▶", "◀─", "->")]
#[case::lost(Fate::Dropped, "─╳", "╳─", "-X")]
#[case::held(Fate::Held, "─┄", "┄─", "-.")]
#[case::late(Fate::Delayed, "─┄", "┄─", "-.")]
#[case::waits(Fate::Swapped, "─┄", "┄─", "-.")]
fn the_tip_of_an_arrow_says_how_far_a_packet_comes(
    #[case] fate: Fate,
    #[case] to_right: &str,
    #[case] to_left: &str,
    #[case] in_ascii: &str,
) {
    let passage = || passage(1, fate, None);
    let [right, later] = arrows(SERVER, passage(), false);
    assert!(right.ends_with(to_right), "{right}");
    assert!(later.contains('┄') && later.ends_with('▶'), "{later}");
    let [left, _] = arrows(CLIENT, passage(), false);
    assert!(left.starts_with(to_left), "{left}");
    let [ascii, later] = arrows(SERVER, passage(), true);
    assert!(ascii.ends_with(in_ascii), "{ascii}");
    assert!(ascii.is_ascii() && later.is_ascii(), "{later}");
}

#[test]
fn a_packet_that_is_on_its_way_has_not_arrived() {
    let late = Duration::from_millis(200);
    let passage = passage(1, Fate::Passed, None);
    let [sent, arrives] = arrows(SERVER, Passage { late, ..passage }, false);
    assert!(sent.ends_with('┄'), "{sent}");
    assert!(arrives.ends_with('▶'), "{arrives}");
}
