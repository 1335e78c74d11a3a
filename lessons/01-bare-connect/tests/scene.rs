//! The scene as a learner sees it.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn play(args: &[&str]) -> Output {
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-1"));
    scene
        .args(["--xray", "off"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn it_ends_by_itself_and_tells_the_story_in_order() {
    let start = Instant::now();
    let output = play(&["--step"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(start.elapsed() < Duration::from_secs(15));
    let mut rest = text.as_str();
    for expected in [
        "server ",
        "listening on 127.0.0.1:",
        "connected to 127.0.0.1:",
        "sending 5 bytes: \"hello\"",
        "accepted a call from",
        "sending 5 bytes: \"HELLO\"",
        "received 5 bytes: \"HELLO\"",
        "end of stream",
        "connection",
        "refused",
        "unreachable",
        "resolve local..host",
        "reset",
        "Try next",
    ] {
        let at = rest
            .find(expected)
            .unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
}

#[test]
fn piped_it_has_no_escape_codes_and_no_line_wider_than_80() {
    let text = String::from_utf8(play(&[]).stdout).unwrap();
    assert!(!text.contains('\x1b'));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn plain_is_ascii_only() {
    let text = String::from_utf8(play(&["--plain"]).stdout).unwrap();
    let drawn: Vec<char> = text
        .chars()
        .filter(|c| !c.is_ascii() && *c != '…')
        .collect();
    assert!(drawn.is_empty(), "{drawn:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-1"));
    let output = scene.stdin(Stdio::null()).stdout(writer).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-1"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in [
        "connect(",
        "accept(3)",
        " SYN ",
        "SYN ACK",
        "LISTEN]",
        "TIME-WAIT]",
    ] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("The client dials", "SYN seq 0"),
        ("The answer comes from", "SYN ACK"),
        ("accept hands over", "accept(3)"),
        ("close sends FIN", "FIN ACK"),
        ("Both sides have closed", "TIME-WAIT]"),
        ("RST: the host is there", "RST ACK"),
        ("recv takes what", "recv(4"),
        ("The server closed a socket", "RST ACK"),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 400, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_packet_by_packet() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-1"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "latency 100 ms",
        "[:",
        "SYN-SENT]",
        "SYN goes on",
        "SYN ACK",
        "SYN-RECEIVED]",
        "ESTABLISHED]",
        "ACK goes on",
        "accept(3)",
        "Counted from the SYN: connect came back after",
        "accept comes later",
        "> connected",
        "accept(3)",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("SYN-SENT: the SYN is", "SYN-SENT]"),
        ("SYN-RECEIVED: the server's", "SYN-RECEIVED]"),
        ("ESTABLISHED on one side", "ESTABLISHED]"),
        ("The third packet is there", "accept(3)"),
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
    let time = |row: &&str| {
        row.get(..8)
            .is_some_and(|time| time.trim().parse::<f64>().is_ok())
    };
    let event = rows[..told].iter().rposition(time).expect("an event above");
    let words = rows[event..told]
        .iter()
        .flat_map(|row| row.split_whitespace());
    words.collect::<Vec<_>>().join(" ")
}

/// As a character leaves them that is erased by half.
#[test]
#[ignore = "needs python3"]
fn a_step_goes_on_at_enter_also_after_bytes_that_are_no_text() {
    let terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))";
    let mut scene = Command::new("python3")
        .args(["-c", terminal, env!("CARGO_BIN_EXE_lesson-1")])
        .args(["--xray", "off", "--step"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // More steps than there are; the terminal keeps them until they are read.
    let steps = b"\xe4\n".repeat(40);
    scene.stdin.as_mut().unwrap().write_all(&steps).unwrap();
    let output = scene.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("[Enter]") && text.contains("Try next"),
        "{text}"
    );
    assert!(output.status.success(), "{text}");
}
