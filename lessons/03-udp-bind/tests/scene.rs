//! The scene as a learner sees it who pipes it into a file.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn play(args: &[&str]) -> Output {
    run(&[&["--xray", "off"], args].concat())
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lesson-3")).args(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn the_scene_ends_by_itself_and_says_the_essential_in_order() {
    let started = Instant::now();
    let output = play(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{text}");
    assert_eq!(errors, "");
    assert!(started.elapsed() < Duration::from_secs(15));

    let essential = [
        "Lesson 3: UDP bind",
        "bound to 127.0.0.1:",
        "sending 5 bytes: \"hello\"",
        "The sender is 127.0.0.1:",
        "both times.",
        "One send is one receive",
        "received 0 bytes: \"\"",
        "4 sends, 4 receives, never two in one.",
        "What does not fit is gone",
        "The first receive gave \"abcdefgh\", the next one \"bye\".",
        "Too large a datagram",
        "EMSGSIZE",
        "Nobody there",
        "timed out",
        "refused",
        "Bytes and characters",
        "received 6 bytes: \"你好\"",
        r#"received 4 bytes: "\xc4\xe3\xba\xc3""#,
        "received 6 bytes: \"浣犲ソ\"",
        "It reads \"浣犲ソ\" and \"你好\".",
        "recvfrom, recv, and a stranger",
        "ignored: from a",
        "An address names a host, a port the program on it",
        "address already in use",
        "Both datagrams went to 127.0.0.1.",
        "Try next",
    ];
    let mut rest = text.as_str();
    for part in essential {
        let (_, after) = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part:?} is missing, or stands too early, in\n{text}"));
        rest = after;
    }
}

#[test]
#[ignore = "needs python3"]
fn with_nobody_at_the_keyboard_it_does_not_pause_where_it_writes_to_a_terminal_either() {
    let started = Instant::now();
    // The scene has a terminal but for its input.
    let terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))";
    let script = ["sh", "-c", "exec \"$0\" --xray off --step </dev/null"];
    let output = Command::new("python3")
        .args(["-c", terminal])
        .args(script)
        .arg(env!("CARGO_BIN_EXE_lesson-3"))
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.contains('\u{1b}'), "no terminal: {text}");
    assert!(text.contains("Try next"), "{text}");
    // Two dozen pauses of 0.6 s would be about that.
    assert!(started.elapsed() < Duration::from_secs(12));
}

#[test]
fn in_a_pipe_there_are_no_escape_codes_and_no_row_is_wider_than_80() {
    for args in [&[][..], &["--plain"]] {
        let output = play(args);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains('\u{1b}'), "{text}");
        for row in text.lines() {
            // A Chinese character takes two columns.
            let wide = row.chars().filter(|c| ('\u{3000}'..'\u{fff0}').contains(c));
            let columns = row.chars().count() + wide.count();
            assert!(columns <= 80, "{columns} columns: {row}");
        }
    }
}

#[test]
fn either_side_can_be_run_by_its_name() {
    for (side, example) in [
        ("server", "--addr <HOST:PORT>"),
        ("client", "--to <HOST:PORT>"),
    ] {
        let output = run(&[side, "--help"]);
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert!(help.contains(example), "{help}");
    }
    assert_eq!(run(&["postman"]).status.code(), Some(2));
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-3"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in ["recvfrom(", "sendto(", "UDP 5 bytes"] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("One sendto is one datagram", "UDP 5 bytes"),
        ("Four datagrams are there", "recvfrom(3"),
        ("The host says that nobody", "unreachable about"),
        ("The same ICMP message", "ECONNREFUSED"),
        ("A connect of UDP", "connect(3,"),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 600, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_with_datagrams_that_nobody_repairs() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-3"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "udp 1 drop",
        "dropped:",
        "timed out",
        "\"TWO\"",
        "Nothing came again",
        "Twice",
        "doubled:",
        "to one it was ONE, to two it was ONE",
        "In another order",
        "waits for the",
        "It read two, one, three",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("It is lost. sendto", "dropped:"),
        ("Two copies go on", "doubled:"),
        ("The cable keeps it", "swap"),
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
