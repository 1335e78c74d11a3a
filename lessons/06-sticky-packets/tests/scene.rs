//! The scene as a learner sees it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn play(args: &[&str]) -> Output {
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-6"));
    scene.args(["--xray", "off"]).args(args).stdin(Stdio::null()).output().unwrap()
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
        "Lesson 6: sticky packets",
        "No framing: short messages",
        "listening on 127.0.0.1:",
        "received 4 bytes: \"list\"",
        "3200 long.txt",
        "saved short.txt, 21 bytes",
        "No framing: a long answer",
        "long.txt has 3200 bytes",
        "that is no list: \"line ",
        "of 3200 and noticed nothing",
        "No framing: two requests at once",
        "received 16 bytes: \"listget long.txt\"",
        "timed out",
        "Two sends, one receive: \"listget long.txt\"",
        "TCP_NODELAY",
        "received 16 bytes: \"listget long.txt\"",
        "The same.",
        "Framing ack",
        "received 4 bytes: \"3200\"",
        "sending 5 bytes: \"ready\"",
        "saved long.txt, 3200 bytes",
        "Framing header",
        "received 4 + 35 bytes:",
        "saved long.txt, 3200 bytes, digest right",
        "Try next",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
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
fn plain_draws_with_ascii_only() {
    let text = String::from_utf8(play(&["--plain"]).stdout).unwrap();
    // What the programs say is theirs: one file of the sample is called 你好.
    let drawn: Vec<char> =
        text.chars().filter(|c| !c.is_ascii() && !['…', '你', '好'].contains(c)).collect();
    assert!(drawn.is_empty(), "{drawn:?}");
}

#[test]
fn it_leaves_no_files_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-6"));
    scene.env("TMPDIR", folder.path()).env("TMP", folder.path());
    let scene = scene.current_dir(folder.path()).stdin(Stdio::null());
    assert!(scene.output().unwrap().status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn it_plays_where_a_scene_of_the_same_process_id_has_left_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    let script = "mkdir \"$TMPDIR/lesson-6-$$-0\" && exec \"$0\" --xray off";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_lesson-6")]);
    shell.env("TMPDIR", folder.path()).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-6"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in ["recv(", "send(", "Recv-Q 2176"] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("One send, and the kernel cuts", "ACK 1448 bytes"),
        ("One recv takes what", "1024"),
        ("The server answers one request", "send(4,"),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 500, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_in_pieces_and_glued() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-6"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "rate 500 kbit/s",
        "1448 bytes",
        "recv(3",
        "> saved long.txt",
        "One send,",
        "Glued",
        "hold 100 ms",
        "recv(4)",
        "2 requests were sent, 2 were read, 2 files were saved",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("One send, and the kernel", "1448 bytes"),
        ("The header is complete", "> received 4 + 121"),
        ("It waits on the cable", "hold 100 ms"),
        ("All is in one Recv-Q", "recv(4)"),
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
