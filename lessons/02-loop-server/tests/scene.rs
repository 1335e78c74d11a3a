//! The scene plays from the start to the end, and what it shows is this run.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Program, Stage};
use unicode_width::UnicodeWidthStr;

use crate::common::{run, text};

const SCENE: &str = env!("CARGO_BIN_EXE_lesson-2");

#[test]
fn it_ends_by_itself_with_status_0_and_says_the_essential_in_order() {
    let started = Instant::now();
    let output = run(SCENE, &["--xray", "off"], b"");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    assert_in_order(
        text(&output.stdout),
        &[
            "Lesson 2: loop server",
            "listening on 127.0.0.1:",
            "received 5 bytes: \"hello\"",
            "received 11 bytes: \"hello again\"",
            "end of stream: the client hung up",
            "An empty message",
            "sending 0 bytes: \"\"",
            "gave up after 0.5 s: no answer",
            "received 5 bytes: \"hello\"",
            "A client is killed",
            "end of stream: the client hung up",
            "A client resets",
            "reset by peer",
            "The second caller",
            "sending 3 bytes: \"two\"",
            "taken by the kernel",
            "Predict",
            "closed the connection",
            "received 3 bytes: \"two\"",
            "What write_all promises",
            "\"important\"",
            "taken by the kernel",
            "connection reset by peer",
            "\"still",
            "taken by the kernel",
            "Try next",
        ],
    );
}

/// Each of these stands behind the one before it.
fn assert_in_order(mut rest: &str, fragments: &[&str]) {
    for fragment in fragments {
        let Some((_, behind)) = rest.split_once(fragment) else {
            panic!("{fragment:?} does not stand in what is left:\n{rest}");
        };
        rest = behind;
    }
}

#[rstest]
#[case::as_it_is(&[])]
#[case::plain(&["--plain"])]
#[case::without_xray(&["--xray", "off"])]
fn in_a_pipe_it_is_80_columns_wide_and_without_colour(#[case] args: &[&str]) {
    let output = run(SCENE, args, b"");
    let shown = text(&output.stdout);
    assert!(!shown.contains('\x1b'));
    let widest = shown.lines().map(UnicodeWidthStr::width).max();
    assert!(widest.unwrap() <= 80, "{widest:?}");
}

#[test]
fn either_side_is_played_by_the_same_program() {
    let mut stage = Stage::rehearsal();
    let server = Program::new(SCENE).args(["server", "--addr", "127.0.0.1:0", "--reply", "echo"]);
    let server = stage.start("server", &server).unwrap();
    let addr = stage.ready(server).unwrap().to_string();
    let output = run(SCENE, &["client", "--addr", &addr, "--say", "Hello"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("received 5 bytes: \"Hello\""));
}

#[rstest]
#[case::a_side_that_is_none(&["observer"])]
#[case::a_flag_of_the_scene_with_a_side(&["--step", "server"])]
#[case::an_unknown_speed(&["--speed", "slowest"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    assert_eq!(run(SCENE, args, b"").status.code(), Some(2));
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-2"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in ["connect(", "accept(3)", "SYN ACK", "recv(4)", "ECONNRESET"] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("Not a message", "recv(4) → 0"),
        ("A send of 0 bytes", r#"send(3, "")"#),
        ("The client has called nothing", "FIN ACK"),
        ("RST, and no FIN", "RST ACK"),
        ("The server program is in recv, with", "SYN ACK"),
        ("accept does not wait", "accept(3)"),
        ("The call that nobody", "RST ACK"),
        ("Bytes for a call", "RST seq"),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 450, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_with_a_lost_and_a_doubled_segment() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-2"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "client→server data 2 drop",
        "dropped:",
        "again,",
        "\"HELLO AGAIN\"",
        "The retransmission came",
        "A segment that comes twice",
        "doubled:",
        "received hello once",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("It is lost, and nobody", "dropped:"),
        ("The time was up", "again,"),
        ("Two copies, with", "doubled:"),
        ("The second copy brings", "ACK ack 6"),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 280, "{rows} rows");
}

/// The rows of the one event that stands right above the explanation.
fn above(shown: &str, explanation: &str) -> String {
    let rows: Vec<&str> = shown.lines().collect();
    let told = rows.iter().position(|row| row.contains(explanation));
    let told = told.unwrap_or_else(|| panic!("no {explanation:?} in:\n{shown}"));
    let time = |row: &&str| row.get(..8).is_some_and(|time| time.trim().parse::<f64>().is_ok());
    let event = rows[..told].iter().rposition(time).expect("an event above");
    let words = rows[event..told].iter().flat_map(|row| row.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}
