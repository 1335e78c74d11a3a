//! The screen of the wire, and the steps of the X-ray, in a real terminal.

use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rstest::rstest;

use super::terminal::Terminal;

const SERVER: &str = include_str!("programs/serves_one_call.py");
const CLIENT: &str = include_str!("programs/says_hello.py");

/// Runs a command line in a terminal of this size, in a folder with both programs.
fn run(line: &str, size: (u16, u16)) -> Terminal {
    let terminal = Terminal::new();
    fs::write(terminal.path().join("server.py"), SERVER).unwrap();
    fs::write(terminal.path().join("client.py"), CLIENT).unwrap();
    terminal.run(line, size);
    terminal
}

fn wire(arguments: &str) -> String {
    let dial = env!("CARGO_BIN_EXE_dial");
    format!("{dial} wire {arguments} -- python3 server.py :: python3 client.py")
}

/// Which packet is shown, such as "packet 1: client → server".
fn chosen(screen: &str) -> Option<&str> {
    screen.lines().find(|line| line.starts_with("packet "))
}

#[test]
#[ignore = "needs tmux, namespaces and python3"]
fn a_person_steps_through_a_handshake_drops_a_segment_and_leaves() {
    let terminal = run(&wire("--mode step --out out.jsonl"), (80, 24));
    terminal.wait_for("1 waits");
    let mut dropped = false;
    let answered = |screen: &str| screen.contains("> answer HELLO");
    loop {
        let what = "a packet that waits, or the answer";
        let screen = terminal.wait(what, |screen| {
            answered(screen) || screen.contains("It waits for you")
        });
        if answered(&screen) {
            break;
        }
        let current = chosen(&screen).unwrap().to_string();
        let hello = screen.contains("PSH ACK 5 bytes  1:6") && current.contains("client →");
        let key = if hello && !dropped { "d" } else { "Space" };
        dropped |= hello;
        terminal.key(key);
        // Not twice about the same packet.
        terminal.wait("the next packet", |screen| {
            answered(screen) || chosen(screen) != Some(&current)
        });
    }
    let screen = terminal.screen();
    assert!(screen.contains("✗ PSH ACK 5 "), "{screen}");
    assert!(screen.contains("again"), "{screen}");
    terminal.key("q");
    let screen = terminal.is_given_back();
    assert!(screen.contains("left with 0"), "{screen}");
    let recorded = fs::read_to_string(terminal.path().join("out.jsonl")).unwrap();
    assert!(
        recorded.contains("the hand"),
        "what the hand did is recorded"
    );
}

#[test]
#[ignore = "needs tmux, namespaces and python3"]
fn a_terminal_that_is_too_small_is_told_so_and_can_be_made_larger() {
    let terminal = run(&wire("--mode step --out out.jsonl"), (70, 20));
    terminal.wait_for("this terminal has 70 x 20");
    terminal.tmux(&["resize-window", "-x", "120", "-y", "40"]);
    let screen = terminal.wait_for("SYN-SENT");
    assert!(screen.contains("client  10.0.0.2  fd00::2"), "{screen}");
    // The server waits in accept, and is not to hear of it.
    terminal.tmux(&["resize-window", "-x", "80", "-y", "24"]);
    terminal.wait("the smaller screen", |screen| !screen.contains("fd00::2"));
    terminal.key("a");
    terminal.tmux(&["send-keys", "-l", "1000 kbit/s"]);
    terminal.key("Enter");
    terminal.wait_for("cable, 1 Mbit/s");
    terminal.key("C-c");
    terminal.is_given_back();
    let recorded = fs::read_to_string(terminal.path().join("out.jsonl")).unwrap();
    assert!(!recorded.contains("interrupted"), "{recorded}");
    assert!(recorded.contains("by hand: rate 1 Mbit/s\""), "{recorded}");
}

#[test]
#[ignore = "needs tmux, namespaces and python3"]
fn sigterm_gives_the_terminal_back() {
    let terminal = run(&wire("--mode step"), (80, 24));
    terminal.wait_for("SYN-SENT");
    let program = terminal.program().to_string();
    let killed = Command::new("kill").args(["-TERM", &program]).status();
    assert!(killed.unwrap().success());
    terminal.is_given_back();
}

#[test]
#[ignore = "needs tmux, namespaces and python3"]
fn when_the_terminal_is_closed_the_wire_and_the_programs_end() {
    let terminal = run(&wire("--mode step"), (80, 24));
    terminal.wait_for("SYN-SENT");
    let program = terminal.program();
    let children = format!("/proc/{program}/task/{program}/children");
    let programs = fs::read_to_string(children).unwrap_or_default();
    let all: Vec<String> = programs.split_whitespace().map(str::to_string).collect();
    terminal.tmux(&["kill-server"]);
    let deadline = Instant::now() + Duration::from_secs(20);
    for process in all.into_iter().chain([program.to_string()]) {
        let alive = || {
            let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            !status.is_empty() && !status.contains(") Z ")
        };
        while alive() {
            assert!(Instant::now() < deadline, "{process} goes on");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
#[ignore = "needs tmux"]
fn a_panic_gives_the_terminal_back_before_it_says_what_happened() {
    // Examples are built with all tests, and not with this one alone.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "-q", "-p", "dial", "--example", "screen_panics"]);
    assert!(cargo.status().unwrap().success());
    let tests = env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap();
    let example = folder.join("examples/screen_panics");
    // A backtrace would push the message off the screen.
    let command = format!("env RUST_BACKTRACE=0 {}", example.display());
    let terminal = run(&command, (80, 24));
    let screen = terminal.is_given_back();
    assert!(screen.contains("on purpose"), "{screen}");
}

const QUESTION: &str = "is about to make this call";

/// Steps, on a screen that has all of it.
fn steps() -> Terminal {
    let dial = env!("CARGO_BIN_EXE_dial");
    // The shell is to survive Ctrl-C.
    let xray = format!("{dial} xray --step -- python3 server.py :: python3 client.py");
    let line = format!("trap : INT; {xray}");
    let terminal = run(&line, (80, 200));
    terminal.wait_for(QUESTION);
    terminal
}

/// How many questions were asked. What follows one begins in a row of its own.
fn questions(screen: &str) -> usize {
    let behind = screen.lines().filter_map(|row| row.split_once(QUESTION));
    let behind: Vec<&str> = behind.map(|(_, behind)| behind.trim()).collect();
    let typed = |behind: &&str| ["", "^C", "x"].contains(behind);
    assert!(behind.iter().all(typed), "{screen}");
    behind.len()
}

#[test]
#[ignore = "needs tmux, namespaces and python3"]
fn an_enter_that_is_pressed_too_early_answers_no_question() {
    let terminal = steps();
    terminal.key("x");
    for asked in 1..6 {
        terminal.wait("the next question", |screen| questions(screen) >= asked);
        terminal.tmux(&["send-keys", "Enter", "Enter", "Enter"]);
    }
    terminal.key("C-d");
    let screen = terminal.is_given_back();
    assert!(
        screen.contains("left with 0") && questions(&screen) >= 5,
        "{screen}"
    );
}

#[rstest]
#[case::ctrl_c_ends_it("C-c")]
#[case::ctrl_d_asks_no_more("C-d")]
#[ignore = "needs tmux, namespaces and python3"]
fn whatever_ends_a_question_ends_its_row(#[case] key: &str) {
    let terminal = steps();
    terminal.key(key);
    let screen = terminal.is_given_back();
    assert_eq!(questions(&screen), 1, "{screen}");
    let has_gone_on = screen.contains("> answer HELLO");
    assert_eq!(has_gone_on, key == "C-d", "{screen}");
}
