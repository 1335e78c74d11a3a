//! The scene as a learner sees it.

use std::process::Command;

use house::Scene;
use rstest::rstest;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-2");

#[test]
fn it_tells_the_story_in_order() {
    Scene::play(LESSON, &["--xray", "off"]).tells(&[
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
    ]);
}

#[rstest]
#[case::a_side_that_is_none(&["observer"])]
#[case::a_flag_of_the_scene_with_a_side(&["--step", "server"])]
#[case::an_unknown_speed(&["--speed", "slowest"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let output = Command::new(LESSON).args(args).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    let signs = ["connect(", "accept(3)", "SYN ACK", "recv(4)", "ECONNRESET"];
    scene.shows(&signs, 450);
    scene.explains(&[
        ("Not a message", "recv(4) → 0"),
        ("A send of 0 bytes", r#"send(3, "")"#),
        ("The client has called nothing", "FIN ACK"),
        ("RST, and no FIN", "RST ACK"),
        ("The server program is in recv, with", "SYN ACK"),
        ("accept does not wait", "accept(3)"),
        ("The call that nobody", "RST ACK"),
        ("Bytes for a call", "RST seq"),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_with_a_lost_and_a_doubled_segment() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
        "client→server data 1 drop",
        "dropped:",
        "again,",
        "\"HELLO AGAIN\"",
        "The retransmission came",
        "A segment that comes twice",
        "doubled:",
        "received hello once",
        "Try next",
    ]);
    scene.explains(&[
        ("It is lost, and nobody", "dropped:"),
        ("The time was up", "again,"),
        ("Two copies, with", "doubled:"),
        ("The second copy brings", "ACK ack 6"),
    ]);
}
