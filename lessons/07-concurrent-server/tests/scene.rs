//! The scene as a learner sees it.

use house::Scene;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-7");

#[test]
fn it_tells_the_story_in_order() {
    let scene = Scene::play(LESSON, &["--xray", "off"]);
    scene.tells(&[
        "Lesson 7: concurrent server",
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
    ]);
    let bars = rows_of_the_first_race(scene.text());
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
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    scene.shows(&["accept(", "connect(", "t3 recv("], 300);
    scene.explains(&[
        ("The only thread of the server", "recv(5, ≤"),
        ("Only now: the third", "accept(3) → 5"),
        ("A thread of its own waits", "t3 recv("),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_with_one_slow_path() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
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
    ]);
    scene.explains(&[
        ("The server has answered the", "#1 sending"),
        ("The quick caller is connected", "quick: > sending"),
        ("The answer to the slow caller is", "#2 received"),
    ]);
}
