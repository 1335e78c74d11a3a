//! The scene as a learner sees it.

use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

fn play(args: &[&str]) -> Output {
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-7"));
    scene.args(["--xray", "off"]).args(args).stdin(Stdio::null()).output().unwrap()
}

/// One play, and how long it took: two tests look at it.
static PLAY: LazyLock<(Output, Duration)> = LazyLock::new(|| {
    let start = Instant::now();
    (play(&["--step"]), start.elapsed())
});

#[test]
fn it_ends_by_itself_and_tells_the_story_in_order() {
    let (output, took) = &*PLAY;
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(*took < Duration::from_secs(15));
    let mut rest = text.as_str();
    for expected in [
        "One at a time",
        "server ",
        "listening on",
        "#2 accepted",
        // The third has spoken, then the slow one, and is answered after it.
        "sending 5 bytes: \"hello\"",
        "sending 4 bytes: \"well\"",
        "#2 closed",
        "#3 accepted",
        "The answer to hello took",
        "A thread for each caller",
        "#2 accepted",
        // The third is answered before the slow one has spoken.
        "sending 5 bytes: \"hello\"",
        "#3 received",
        "\"HELLO\"",
        "#3 closed",
        "asked to stop: 1",
        "listener",
        "sending 4 bytes: \"well\"",
        "stopped: 3 calls",
        "A race",
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "never think",
        "one-at-a-time",
        "async",
        "measurement",
        "Try next",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    let bars = rows_of_the_first_race(&text);
    let [one, thread, pool, ..] = bars[..] else {
        panic!("{bars:?}");
    };
    assert!(one < pool && pool < thread, "{bars:?}");
}

/// The rates of the race in which the callers think, in the order of the rows.
fn rows_of_the_first_race(text: &str) -> Vec<u64> {
    let (_, race) = text.split_once("messages per second\n").unwrap();
    let rows = race.lines().take(5);
    rows.map(|row| row.split_whitespace().nth(1).unwrap().parse().unwrap()).collect()
}

#[test]
fn piped_it_has_no_escape_codes_and_no_line_wider_than_80() {
    let text = String::from_utf8(PLAY.0.stdout.clone()).unwrap();
    assert!(!text.contains('\x1b'));
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-7"));
    let output = scene.stdin(Stdio::null()).stdout(writer).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

/// It stands here because it waits as long as the scene does, and so both wait
/// at the same time.
#[test]
fn each_word_of_the_readme_is_kept() {
    house::Readme::of(env!("CARGO_MANIFEST_DIR")).lesson(env!("CARGO_BIN_EXE_lesson-7")).check();
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-7"));
    let output = scene.stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    for sign in ["accept(", "connect(", "t3 recv("] {
        assert!(shown.contains(sign), "no {sign} in:\n{shown}");
    }
    assert!(!shown.contains("not seen"), "{shown}");
    for (explanation, event) in [
        ("The only thread of the server", "recv(5, ≤"),
        ("Only now: the third", "accept(3) → 5"),
        ("A thread of its own waits", "t3 recv("),
    ] {
        let above = above(&shown, explanation);
        assert!(above.contains(event), "{explanation} stands below {above}");
    }
    let rows = shown.lines().count();
    assert!(rows <= 300, "{rows} rows");
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_with_one_slow_path() {
    let started = Instant::now();
    let mut scene = Command::new(env!("CARGO_BIN_EXE_lesson-7"));
    let scene = scene.arg("--wire").stdin(Stdio::null());
    let output = scene.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}\n{shown}");
    assert!(started.elapsed() < Duration::from_secs(15));
    assert!(!shown.contains("not seen"), "{shown}");
    let mut rest = shown.as_str();
    for expected in [
        "connection 1 delay 400 ms",
        "#1 sending",
        "quick: > sending",
        "slow: > received 4 bytes: \"PATH\"",
        "quick: > received 5 bytes: \"HELLO\"",
        "An event loop",
        "quick: > received 5 bytes: \"HELLO\"",
        "slow: > received 4 bytes: \"PATH\"",
        "The quick caller's answer took",
        "Try next",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("no {expected:?} in:\n{rest}"));
        rest = &rest[at + expected.len()..];
    }
    for (explanation, event) in [
        ("The server has answered the", "#1 sending"),
        ("The quick caller is connected", "quick: > sending"),
        ("The answer to the slow caller is", "#2 received"),
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
