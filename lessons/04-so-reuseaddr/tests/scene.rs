//! The scene as a learner sees it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common;

fn play(args: &[&str]) -> Output {
    let mut scene = Command::new(common::SCENE);
    common::run(scene.args(["--xray", "off"]).args(args).stdout(Stdio::piped()))
}

fn text_of(output: Output) -> String {
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}{errors}");
    text
}

#[test]
fn it_ends_by_itself_and_tells_the_story_in_order() {
    let start = Instant::now();
    let text = text_of(play(&["--step"]));
    assert!(start.elapsed() < Duration::from_secs(15));
    let mut rest = text.as_str();
    for expected in [
        "Started again",
        "listening on 127.",
        "received 5 bytes: \"HELLO\"",
        "end of stream: the server hung up",
        "First run without SO_REUSEADDR, restart with it",
        "First run with SO_REUSEADDR, restart without it",
        "First run with SO_REUSEADDR, restart with it",
        "restart without   restart with",
        "The client closes first",
        "end of stream: the client hung up",
        "A server that is killed",
        "(ended by SIGKILL)",
        "A server that still runs",
        "Two that are bound",
        "bound, but not listening",
        "Two servers on one port",
        "Other errors of bind",
        "bind 203.0.113.7:8082: ",
        "resolve local..host:8082: ",
        "Try next",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
}

#[test]
#[cfg(target_os = "linux")]
fn two_plays_in_a_row_draw_the_same_table_and_it_is_that_of_linux() {
    for _ in 0..2 {
        let text = text_of(play(&[]));
        let table: Vec<&str> = text
            .lines()
            .skip_while(|line| !line.contains("restart without   restart with"))
            .take(3)
            .map(str::trim)
            .collect();
        assert_eq!(
            table,
            [
                "restart without   restart with",
                "first run without   in use            in use",
                "first run with      in use            listening",
            ]
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn it_shows_each_time_wait_at_the_end_that_closed_first_with_the_time_left() {
    let text = text_of(play(&[]));
    let mut kept_at_servers = Vec::new();
    for row in text.lines().filter(|line| line.starts_with("  TIME-WAIT ")) {
        let [_, local, remote, left, "s"] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let left: f64 = left.parse().unwrap();
        assert!(left > 50.0 && left <= 60.0, "{row}");
        // A server's address stands in its own line "listening on".
        let is_server = |addr: &str| text.contains(&format!("listening on {addr}\n"));
        assert_ne!(is_server(local), is_server(remote), "{row}");
        kept_at_servers.push(is_server(local));
    }
    assert_eq!(
        kept_at_servers,
        [true, false, true],
        "the server closed first, then the client, then the server was killed"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn the_calls_that_it_deals_are_eight() {
    let text = text_of(play(&[]));
    let (first, rest) = text
        .split_once("The first took ")
        .and_then(|(_, rest)| rest.split_once(", the second "))
        .unwrap();
    let (second, _) = rest.split_once('.').unwrap();
    let [first, second] = [first, second].map(|count| count.parse::<usize>().unwrap());
    assert_eq!(first + second, 8);
    // In the drawing each call is one x, in the row of the server that took it.
    let (_, drawing) = text.split_once("  call  ").unwrap();
    let marks: Vec<usize> =
        drawing.lines().skip(1).take(2).map(|row| row.matches("  x").count()).collect();
    assert_eq!(marks, [first, second]);
}

#[test]
fn what_it_says_of_reserved_ports_is_what_it_found() {
    let text = text_of(play(&[]));
    let listened =
        text.lines().any(|line| line.starts_with("  listening on 127.") && line.ends_with(":1"));
    assert_eq!(text.contains("Port 1 is no error"), listened);
    assert_eq!(text.contains("are reserved: bind"), !listened);
}

#[test]
fn piped_it_has_no_escape_codes_and_no_line_wider_than_80() {
    let text = text_of(play(&[]));
    assert!(!text.contains('\x1b'));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn plain_is_ascii_only() {
    let text = text_of(play(&["--plain"]));
    let drawn: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
    assert!(drawn.is_empty(), "{drawn:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut scene = Command::new(common::SCENE);
    let output = common::run(scene.stdout(writer));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-4"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in [
        "SO_REUSEADDR",
        "bind(",
        "SYN ACK",
        "EADDRINUSE",
        "TIME-WAIT]",
    ] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("The server's FIN is the first", "FIN ACK"),
        ("This stays.", "TIME-WAIT]"),
        ("Here the socket in TIME-WAIT", "EADDRINUSE"),
        ("TIME-WAIT again", "TIME-WAIT]"),
        ("A killed program", "FIN ACK"),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 580, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_where_the_last_ack_is_lost() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-4"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "FIN-WAIT-1]",
        "LAST-ACK]",
        "dropped:",
        "TIME-WAIT]",
        "again,",
        "ACK goes on",
        "The FIN came again",
        "Without TIME-WAIT",
        "tcp_max_tw_buckets = 0",
        "dropped:",
        "again,",
        "RST",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("The last ACK is lost", "dropped:"),
        ("No ACK came", "again,"),
        ("TIME-WAIT answers", "ACK ─ ack 7"),
        ("The same loss", "dropped:"),
        ("The FIN comes again", "again,"),
        ("So it gets a RST", "RST"),
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
