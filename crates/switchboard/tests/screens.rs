//! What the screen looks like. `DIALTONE_UPDATE=1` writes the screens anew; then
//! look at the diff.

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use crate::story::*;
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Color;
use rstest::rstest;
use switchboard::{Look, Mode};
use timeline::cable::Fate;
use timeline::call::{Arg, Bytes};
use timeline::state::TcpState;
use unicode_width::UnicodeWidthStr;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (120, 40);

/// Compares with the screen that is kept.
fn same(name: &str, screen: &str) {
    let file = format!("{}/tests/screens/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if env::var_os("DIALTONE_UPDATE").is_some() {
        fs::write(&file, screen).unwrap();
        return;
    }
    let kept = Path::new(&file);
    let kept = fs::read_to_string(kept).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert!(kept == screen, "{name} was\n{kept}\nand is\n{screen}");
}

fn both(name: &str, story: &Story, time: u64) {
    same(&format!("{name}-80"), &story.screen(time, SMALL));
    same(&format!("{name}-120"), &story.screen(time, LARGE));
}

#[test]
fn in_the_beginning_both_hosts_stand_there_and_nothing_crosses() {
    both("empty", &Story::new(Mode::Run), 0);
}

fn a_syn_held() -> Story {
    let mut story = Story::begun(Mode::Step);
    story.connect(10);
    story.state(CLIENT, Some(8081), TcpState::SynSent, (0, 1));
    let syn = story.packet(10, CLIENT, tcp(CLIENT, SYN, 0, 0, ""), HELD);
    for (time, copy) in [(1010, 1), (2020, 2)] {
        let again = again(HELD, copy);
        story.packet(time, CLIENT, tcp(CLIENT, SYN, 0, 0, ""), again);
    }
    assert_eq!(syn, 1);
    story
}

#[test]
fn a_syn_that_is_held_waits_in_the_middle_with_its_copies_folded() {
    both("syn-held", &a_syn_held(), 3510);
}

/// A handshake, and a segment that is dropped and comes again.
fn a_drop() -> Story {
    let mut story = Story::begun(Mode::Run);
    let connect = story.connect(10);
    story.packet(10, CLIENT, tcp(CLIENT, SYN, 0, 0, ""), PASS);
    story.packet(11, SERVER, tcp(SERVER, SYN | ACK, 0, 1, ""), PASS);
    story.packet(11, CLIENT, tcp(CLIENT, ACK, 1, 1, ""), PASS);
    story.returned(11, CLIENT, connect, 0);
    story.state(CLIENT, Some(8081), TcpState::Established, (0, 5));
    story.state(SERVER, Some(40_000), TcpState::Established, (0, 0));
    story.line(CLIENT, "sending hello");
    let (first, length) = (b"hello".to_vec(), 5);
    let hello = Arg::Bytes(Bytes { first, length });
    let args = vec![Arg::Descriptor(3), hello];
    let send = story.call(12, CLIENT, "sendto", args);
    let data = tcp(CLIENT, PSH | ACK, 1, 1, "hello");
    let dropped = by(Fate::Dropped, "data drop once");
    let first = story.packet(12, CLIENT, data.clone(), dropped);
    story.returned(12, CLIENT, send, 5);
    story.packet(214, CLIENT, data, again(PASS, first));
    story.packet(214, SERVER, tcp(SERVER, ACK, 1, 6, ""), PASS);
    story
}

#[test]
fn a_drop_is_tied_to_the_retransmission_that_answers_it() {
    let mut story = a_drop();
    story.code(KeyCode::Up).code(KeyCode::Up);
    both("drop", &story, 2000);
}

#[test]
fn swapped_datagrams_overtake_each_other_and_nobody_repairs_it() {
    let mut story = Story::new(Mode::Run);
    story.started(SERVER, "server").started(CLIENT, "client");
    story.line(SERVER, "bound to 127.0.0.1:7788");
    let swap = by(Fate::Swapped, "client→server udp 2nd swap");
    story.packet(10, CLIENT, udp(CLIENT, "first"), PASS);
    let second = story.packet(12, CLIENT, udp(CLIENT, "second"), swap);
    story.packet(14, CLIENT, udp(CLIENT, "third"), PASS);
    story.later(14, second, Fate::Passed, 2);
    for line in ["first", "third", "second"] {
        story.line(SERVER, &format!("received {line:?}"));
    }
    story.code(KeyCode::Up);
    both("swapped", &story, 2000);
}

#[test]
fn a_cut_cable_says_so_and_what_is_sent_is_lost() {
    let mut story = a_drop();
    story.note(300, "the cable is cut, by \"the hand\"");
    let lost = by(Fate::Dropped, "the hand");
    let data = tcp(CLIENT, PSH | ACK, 6, 1, "are you there?");
    let first = story.packet(400, CLIENT, data.clone(), lost.clone());
    story.packet(600, CLIENT, data, again(lost, first));
    both("cut", &story, 2000);
}

#[test]
fn the_help_names_all_keys() {
    let mut story = a_syn_held();
    story.key('?');
    both("help", &story, 3510);
}

#[rstest]
#[case(79, 24)]
#[case(80, 23)]
#[case(40, 10)]
#[case(10, 3)]
#[case(1, 1)]
fn a_terminal_that_is_too_small_is_told_so_and_nothing_panics(
    #[case] width: u16,
    #[case] height: u16,
) {
    let screen = a_drop().screen(0, (width, height));
    assert!(screen.contains("The wire needs") || width < 20, "{screen}");
    assert!(!screen.contains("packet 1"));
}

#[test]
fn each_size_that_is_large_enough_can_be_drawn() {
    let stories = [Story::new(Mode::Run), a_syn_held(), a_drop()];
    for story in &stories {
        for width in (80..250).step_by(23) {
            for height in (24..80).step_by(9) {
                let screen = story.screen(1000, (width, height));
                let widest = screen.lines().map(UnicodeWidthStr::width).max();
                assert!(widest <= Some(width.into()));
            }
        }
    }
}

#[test]
fn chinese_lines_and_data_keep_the_columns_straight() {
    let mut story = Story::begun(Mode::Run);
    story.line(SERVER, "收到：你好，世界。这一行太长，放不进一栏。");
    story.line(CLIENT, "發送：你好");
    let data = tcp(CLIENT, PSH | ACK, 1, 1, "你好，世界");
    story.packet(10, CLIENT, data, PASS);
    story.key('i');
    story.key('你').key('好');
    both("chinese", &story, 2000);
    for row in story.screen(2000, SMALL).lines().skip(1).take(13) {
        let before = row.split('│').next().unwrap();
        assert_eq!(before.width(), 21, "{row}");
    }
}

#[test]
fn a_flood_shows_less_and_says_so() {
    let mut story = Story::begun(Mode::Run);
    for n in 0..20_000_u32 {
        let data = tcp(CLIENT, ACK, 1 + n * 5, 1, "hello");
        story.packet(u64::from(n) / 10, CLIENT, data, PASS);
    }
    both("flood", &story, 2000);
    assert!(story.screen(2000, SMALL).contains("showing 1 of 100"));
}

#[test]
fn a_screen_that_is_behind_says_by_how_much_while_it_is() {
    let mut story = Story::begun(Mode::Run);
    let event = Packets::default().next(Duration::from_secs(1));
    story.board.see_at(&event, Duration::from_secs(6));
    assert!(story.screen(6500, SMALL).contains("5 s behind"));
    assert!(!story.screen(7500, SMALL).contains("behind"));
}

#[test]
fn in_slow_motion_a_packet_is_where_it_is_by_the_time() {
    let mut story = Story::begun(Mode::Slow);
    story.packet(1000, CLIENT, tcp(CLIENT, SYN, 0, 0, ""), HELD);
    let at = |time| {
        let screen = story.screen(time, SMALL);
        let row = screen.lines().find(|row| row.contains(" SYN seq 0 "));
        row.unwrap().find("SYN").unwrap()
    };
    let places = [1000, 1300, 1600, 1900].map(at);
    assert!(places.is_sorted_by(|a, b| a > b), "{places:?}");
    same("slow-80", &story.screen(1600, SMALL));
}

#[test]
fn with_ascii_nothing_else_is_drawn() {
    let ascii = true;
    for mut story in [a_syn_held(), a_drop()] {
        for size in [SMALL, LARGE] {
            let screen = text(&story.buffer(2000, size, Look { ascii, ..PLAIN }));
            // The story's own calls are written by a board that may use more.
            let screen = screen.replace('…', "...");
            assert!(screen.is_ascii(), "{screen}");
            story.key('?');
        }
    }
}

#[test]
fn without_colour_no_cell_has_one_and_with_colour_some_have() {
    let coloured = |colour| {
        let buffer = a_drop().buffer(2000, SMALL, Look { colour, ..PLAIN });
        let mut cells = buffer.content.iter();
        cells.any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(!coloured(false));
    assert!(coloured(true));
}

#[test]
fn a_long_line_that_is_cut_says_so() {
    let mut story = Story::begun(Mode::Run);
    story.line(CLIENT, &format!("{}END", "x".repeat(280)));
    let whole = story.screen(0, SMALL);
    assert!(whole.contains("xEND\n"), "{whole}");
    story.line(CLIENT, &format!("{}END", "x".repeat(300)));
    let cut = story.screen(0, LARGE);
    assert!(cut.contains("x …"), "{cut}");
}

/// With SO_REUSEPORT.
#[test]
fn two_sockets_that_listen_at_one_port_are_two_and_one_may_go() {
    let mut story = Story::new(Mode::Run);
    story.started(SERVER, "server");
    let shown = |story: &Story| story.screen(0, SMALL).matches(":8081 LISTEN").count();
    story.listener(8, TcpState::Listen);
    story.listener(9, TcpState::Listen);
    assert_eq!(shown(&story), 2);
    story.listener(8, TcpState::Closed);
    assert_eq!(shown(&story), 1);
    story.listener(9, TcpState::Closed);
    assert_eq!(shown(&story), 0);
}
