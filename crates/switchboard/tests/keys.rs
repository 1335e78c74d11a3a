//! What the keys do.

use std::time::Duration;

use crate::story::*;
use ratatui::crossterm::event::KeyCode;
use rstest::rstest;
use switchboard::Command::{self, Decide};
use switchboard::Mode;
use timeline::cable::Action::{self, Drop, Pass};
use timeline::cable::Fate;

fn syn() -> timeline::packet::Content {
    tcp(CLIENT, SYN, 0, 0, "")
}

/// So many SYNs wait, each of its own.
fn waiting(mode: Mode, count: u64) -> Story {
    let mut story = Story::begun(mode);
    for n in 0..count {
        story.packet(n * 10, CLIENT, tcp(CLIENT, SYN, n as u32, 0, ""), HELD);
    }
    story.commands(0);
    story
}

#[test]
fn step_and_slow_motion_hold_the_packets_and_run_lets_them_go() {
    let mut story = Story::new(Mode::Run);
    assert_eq!(story.commands(0), []);
    story.key('s');
    assert_eq!(story.commands(0), [Command::Hold(true)]);
    story.key('m');
    assert_eq!(story.commands(0), [Command::Hold(true)]);
    story.key('r');
    assert_eq!(story.commands(0), [Command::Hold(false)]);
    let mut story = Story::new(Mode::Step);
    assert_eq!(story.commands(0), [Command::Hold(true)]);
}

#[rstest]
#[case(' ', Pass)]
#[case('d', Drop)]
#[case('2', Action::Double)]
fn a_key_decides_about_the_oldest_packet_that_waits(#[case] key: char, #[case] what: Action) {
    let mut story = waiting(Mode::Step, 2);
    story.key(key);
    assert_eq!(story.commands(0), [Decide(1, what)]);
    story.key(key);
    assert_eq!(story.commands(0), [Decide(2, what)]);
    story.key(key);
    assert_eq!(story.commands(0), []);
    assert!(story.message().starts_with("nothing waits"));
}

#[test]
fn the_arrows_choose_another_packet_and_the_key_is_about_that_one() {
    let mut story = waiting(Mode::Step, 3);
    story.code(KeyCode::Down).code(KeyCode::Down);
    assert!(story.screen(0, (80, 24)).contains("packet 3: client"));
    story.code(KeyCode::Up).key('d');
    assert_eq!(story.commands(0), [Decide(2, Drop)]);
    story.code(KeyCode::Esc).key('d');
    assert_eq!(story.commands(0), [Decide(1, Drop)]);
}

#[test]
fn about_a_packet_that_has_arrived_nothing_can_be_decided_and_it_says_so() {
    let mut story = Story::begun(Mode::Run);
    story.packet(0, CLIENT, syn(), PASS);
    story.packet(1, SERVER, tcp(SERVER, SYN | ACK, 0, 1, ""), PASS);
    story.code(KeyCode::Up).key('d');
    assert_eq!(story.commands(0), []);
    assert_eq!(story.message(), "packet 1 has arrived already");
    story.code(KeyCode::Esc).key('d');
    assert!(story.message().starts_with("nothing waits: press s"));
}

#[test]
fn a_delay_is_asked_for_and_nonsense_is_refused_and_can_be_mended() {
    let mut story = waiting(Mode::Step, 1);
    story.key('e').typed("soon");
    assert_eq!(story.commands(0), []);
    assert!(story.message().contains("is no time"));
    story.control('u').typed("1.5 s");
    let delay = Action::Delay(Duration::from_millis(1500));
    assert_eq!(story.commands(0), [Decide(1, delay)]);
}

#[test]
fn the_proposed_bit_is_one_of_the_data() {
    let mut story = Story::begun(Mode::Step);
    story.packet(0, CLIENT, tcp(CLIENT, PSH | ACK, 1, 1, "hello"), HELD);
    story.commands(0);
    story.key('b').typed("");
    assert_eq!(story.commands(0), [Decide(1, Action::Corrupt(40 * 8 + 7))]);
}

#[test]
fn letting_a_packet_through_drops_the_copies_that_wait_behind_it() {
    let mut story = waiting(Mode::Step, 1);
    story.packet(1000, CLIENT, syn(), again(HELD, 1));
    story.packet(2000, CLIENT, syn(), again(HELD, 2));
    story.key(' ');
    let expected = [Decide(1, Pass), Decide(2, Drop), Decide(3, Drop)];
    assert_eq!(story.commands(0), expected);
}

#[test]
fn when_a_packet_is_dropped_its_next_copy_waits_in_its_place() {
    let mut story = waiting(Mode::Step, 1);
    story.packet(1000, CLIENT, syn(), again(HELD, 1));
    story.packet(2000, CLIENT, syn(), again(HELD, 2));
    story.key('d');
    assert_eq!(story.commands(0), [Decide(1, Drop)]);
    story.later(2500, 1, Fate::Dropped, 2500);
    assert!(story.screen(2500, (80, 24)).contains("1 waits"));
    story.key(' ');
    let expected = [Decide(2, Pass), Decide(3, Drop)];
    assert_eq!(story.commands(0), expected);
}

#[test]
fn in_slow_motion_each_packet_goes_on_when_its_time_has_come() {
    let mut story = waiting(Mode::Slow, 2);
    assert_eq!(story.commands(999), []);
    assert_eq!(story.commands(1000), [Decide(1, Pass)]);
    assert_eq!(story.commands(1009), []);
    assert_eq!(story.commands(1010), [Decide(2, Pass)]);
}

#[test]
fn in_slow_motion_a_packet_can_be_caught_on_its_way() {
    let mut story = waiting(Mode::Slow, 2);
    story.key('d');
    let left = [Decide(1, Drop), Decide(2, Pass)];
    assert_eq!(story.commands(5000), left);
}

#[test]
fn in_slow_motion_what_a_rule_holds_waits_for_a_key_all_the_same() {
    let mut story = Story::begun(Mode::Slow);
    story.packet(0, CLIENT, syn(), by(Fate::Held, "syn hold"));
    story.commands(0);
    assert_eq!(story.commands(60_000), []);
    story.key(' ');
    assert_eq!(story.commands(60_000), [Decide(1, Pass)]);
}

#[test]
fn the_pace_is_slower_with_plus_and_only_in_slow_motion() {
    let mut story = waiting(Mode::Slow, 1);
    story.key('+');
    assert_eq!(story.commands(1999), []);
    assert_eq!(story.commands(2000), [Decide(1, Pass)]);
    story.key('s').key('-');
    assert!(story.message().contains("press m first"));
}

#[test]
fn the_cable_is_cut_and_mended_and_set_by_keys_that_ask() {
    let mut story = Story::begun(Mode::Run);
    story.key('c');
    assert_eq!(story.commands(0), [Command::Cut(true)]);
    story.key('c');
    assert_eq!(story.commands(0), [Command::Cut(false)]);
    story
        .key('l')
        .typed("20 ms")
        .key('o')
        .typed("5 %")
        .key('a')
        .typed("1 Mbit/s");
    let expected = [
        Command::Latency(Duration::from_millis(20)),
        Command::Loss(5.0),
        Command::Rate(Some(1_000_000)),
    ];
    assert_eq!(story.commands(0), expected);
    let screen = story.screen(0, (120, 40));
    assert!(
        screen.contains("cable, 20 ms, 5 % lost, 1 Mbit/s"),
        "{screen}"
    );
}

#[test]
fn escape_leaves_a_question_and_nothing_is_done() {
    let mut story = Story::begun(Mode::Run);
    story.key('l').key('5').code(KeyCode::Esc);
    assert_eq!(story.commands(0), []);
    story.key('q');
    assert_eq!(story.commands(0), [Command::Quit]);
}

#[test]
fn what_is_typed_to_the_client_is_a_line_and_its_letters_are_no_keys() {
    let mut story = Story::begun(Mode::Run);
    story.key('i').typed("quit 你好");
    assert_eq!(story.commands(0), [Command::Say("quit 你好".to_string())]);
    story.key('i').control('d');
    assert_eq!(story.commands(0), [Command::EndOfInput]);
    story.ended(CLIENT).key('i');
    assert!(story.message().contains("no client program"));
}

#[test]
fn control_c_leaves_even_out_of_a_question_and_the_help() {
    for before in ['i', 'l', '?', 's'] {
        let mut story = Story::begun(Mode::Run);
        story.key(before);
        story.commands(0);
        story.control('c');
        assert_eq!(story.commands(0), [Command::Quit], "{before}");
    }
}

#[test]
fn what_is_pasted_goes_into_a_question_and_is_never_taken_for_keys() {
    let mut story = Story::begun(Mode::Run);
    story.board.paste("qqq");
    assert_eq!(story.commands(0), []);
    story.key('i');
    story.board.paste("a line\n");
    story.typed("!");
    assert_eq!(story.commands(0), [Command::Say("a line!".to_string())]);
}

#[test]
fn an_unknown_key_is_named_and_the_help_is_pointed_to() {
    let mut story = Story::begun(Mode::Run);
    story.key('z');
    assert_eq!(story.message(), "z is no key here: ? shows all keys");
    story.key('?').key('z');
    assert!(!story.screen(0, (80, 24)).contains("any key closes this"));
}

#[test]
fn when_more_wait_than_a_hand_can_hold_the_rest_is_dropped() {
    let mut story = waiting(Mode::Step, 1000);
    assert_eq!(story.commands(0), []);
    story.packet(20_000, CLIENT, syn(), HELD);
    assert_eq!(story.commands(0), [Decide(1001, Drop)]);
}

#[test]
fn an_answer_belongs_to_the_repetition_and_not_to_the_packet_that_was_lost() {
    let mut story = Story::begun(Mode::Run);
    let data = tcp(CLIENT, PSH | ACK, 1, 1, "hello");
    let lost = story.packet(0, CLIENT, data.clone(), by(Fate::Dropped, "data drop"));
    let repeated = story.packet(200, CLIENT, data, again(PASS, lost));
    story.packet(201, SERVER, tcp(SERVER, ACK, 1, 6, ""), PASS);
    story.packet(202, SERVER, tcp(SERVER, PSH | ACK, 1, 6, "HELLO"), PASS);
    let screen = |story: &Story| story.screen(1000, (80, 24));
    story.code(KeyCode::Up);
    assert!(screen(&story).contains(&format!("It answers packet {repeated}.")));
    story.code(KeyCode::Up).code(KeyCode::Up);
    assert!(screen(&story).contains(&format!("Packet {repeated} repeats it")));
    assert!(!screen(&story).contains("answers it"));
}

#[test]
fn what_was_told_goes_away_so_that_the_keys_can_be_seen_again() {
    let mut story = Story::begun(Mode::Run);
    story.key('z');
    story.commands(1000);
    story.commands(5999);
    assert!(story.message().contains("is no key"));
    story.commands(6000);
    assert!(story.message().starts_with("Space let through"));
}

#[test]
fn when_all_programs_have_ended_and_nothing_waits_it_says_so() {
    let mut story = waiting(Mode::Step, 1);
    story.ended(SERVER).ended(CLIENT);
    assert!(story.message().starts_with("Space let through"));
    story.key(' ');
    assert!(story.message().starts_with("All programs have ended"));
}

#[test]
fn a_packet_is_swapped_with_the_next_of_its_direction_and_both_go() {
    let mut story = waiting(Mode::Step, 1);
    story.packet(20, SERVER, tcp(SERVER, SYN | ACK, 0, 1, ""), HELD);
    story.packet(30, CLIENT, tcp(CLIENT, ACK, 1, 1, ""), HELD);
    story.key('x');
    let swapped = [Decide(1, Action::Swap), Decide(3, Pass)];
    assert_eq!(story.commands(0), swapped);
}

#[rstest]
#[case(Mode::Step)]
#[case(Mode::Slow)]
fn a_packet_that_is_to_be_swapped_waits_until_the_next_one_comes(#[case] mode: Mode) {
    let mut story = Story::begun(mode);
    story.packet(0, CLIENT, udp(CLIENT, "one"), HELD);
    story.commands(0);
    story.key('x');
    assert_eq!(story.commands(60_000), []);
    assert!(story.screen(0, (120, 40)).contains("to be swapped"));
    story.packet(60_000, SERVER, udp(SERVER, "other way"), PASS);
    assert_eq!(story.commands(60_000), []);
    story.packet(60_001, CLIENT, udp(CLIENT, "two"), HELD);
    let swapped = [Decide(1, Action::Swap), Decide(3, Pass)];
    assert_eq!(story.commands(60_001), swapped);
}

#[test]
fn when_the_next_one_does_not_wait_the_one_to_be_swapped_goes_behind_it() {
    let mut story = Story::begun(Mode::Run);
    story.packet(0, CLIENT, udp(CLIENT, "one"), by(Fate::Held, "udp hold"));
    story.key('x');
    story.packet(1, CLIENT, udp(CLIENT, "two"), PASS);
    assert_eq!(story.commands(1), [Decide(1, Pass)]);
}

#[test]
fn where_nothing_waits_in_steps_nobody_is_told_to_press_s() {
    let mut story = Story::begun(Mode::Step);
    for key in ['d', 'e', '2', ' '] {
        story.key(key);
        let message = story.message();
        assert!(
            message.contains("the programs send nothing now"),
            "{key}: {message}"
        );
    }
}
