//! The scene plays to its end and says what it is about.

use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

fn play(args: &[&str]) -> (String, Duration) {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-5"));
    let output = scene.args(["--xray", "off"]).args(args).stdin(Stdio::null()).output().unwrap();
    let took = started.elapsed();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}\n{complaint}");
    assert_eq!(complaint, "");
    (said, took)
}

/// One play, and how long it took: two tests look at it.
static PLAY: LazyLock<(String, Duration)> = LazyLock::new(|| play(&["--step", "--plain"]));

#[test]
fn it_ends_by_itself_and_tells_the_story_in_order() {
    let (said, took) = &*PLAY;
    assert!(*took < Duration::from_secs(15), "{took:?}");

    let mut rest = said.as_str();
    for fragment in [
        "Lesson 5: timeout",
        "listening on 127.0.0.1:",
        "sending 1 bytes: \"1\"",
        "sending 18 bytes: \"welcome to server!\"",
        "thinking for 0.9 s",
        "time out",
        "The server gave up after 0.",
        "before an answer",
        "send reported no error",
        "Silence and end of stream",
        "end of stream without a word",
        "Timeout and deadline",
        "sending 14 bytes: \"please go out!\"",
        "deadline passed",
        "A connect that nobody answers",
        "timed out",
        "One scale",
        "nothing has come yet",
        "a timeout of zero",
        "the accept queue is full",
        "the peer does not read",
        "4194304 of 4194304 bytes",
        "Try next",
    ] {
        let at = rest.find(fragment);
        let at = at.unwrap_or_else(|| panic!("{fragment:?} is missing, or too early, in\n{said}"));
        rest = &rest[at + fragment.len()..];
    }
}

#[test]
fn its_page_is_80_columns_wide_and_has_no_colours_in_a_pipe() {
    let (said, _) = &*PLAY;
    assert!(!said.contains('\x1b'));
    for line in said.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert!(line.is_ascii(), "{line}");
    }
}

/// It stands here because it waits as long as the scene does, and so both wait
/// at the same time.
#[test]
fn each_word_of_the_readme_is_kept() {
    house::Readme::of(env!("CARGO_MANIFEST_DIR")).lesson(env!("CARGO_BIN_EXE_lesson-5")).check();
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-5"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in ["SO_RCVTIMEO", "EAGAIN", "SYN ACK"] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("The receive waits from here", "recv(4, ≤1024)"),
        ("EAGAIN: the time is over", "EAGAIN"),
        ("The server has closed long", "RST seq"),
        ("The killed caller's", "FIN ACK"),
        ("This receive had only", "EAGAIN"),
        ("connect itself did not wait", "poll("),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 500, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_in_silence() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-5"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "tcp_syn_retries = 1",
        "SYN-SENT]",
        "again,",
        "ETIMEDOUT",
        "The SYN went out again",
        "The peer is killed",
        "FIN ACK",
        "end of stream without",
        "The cable is cut",
        "fin cut",
        "again,",
        "> time out",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("SYN-SENT: it has asked", "SYN-SENT]"),
        ("No answer: the kernel", "again,"),
        ("The kernel has given up", "ETIMEDOUT"),
        ("The client's kernel says", "FIN ACK"),
        ("The FIN is lost", "dropped:"),
        ("The client's kernel tries", "again,"),
        ("The server's own clock", "> time out"),
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
