//! The scene as a learner sees it.

use std::io::Write;
use std::process::{Command, Stdio};

use house::Scene;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-1");

#[test]
fn it_tells_the_story_in_order() {
    Scene::play(LESSON, &["--xray", "off"]).tells(&[
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
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    let signs = [
        "connect(",
        "accept(3)",
        " SYN ",
        "SYN ACK",
        "LISTEN]",
        "TIME-WAIT]",
    ];
    scene.shows(&signs, 400);
    scene.explains(&[
        ("The client dials", "SYN seq 0"),
        ("The answer comes from", "SYN ACK"),
        ("accept hands over", "accept(3)"),
        ("close sends FIN", "FIN ACK"),
        ("Both sides have closed", "TIME-WAIT]"),
        ("RST: the host is there", "RST ACK"),
        ("recv takes what", "recv(4"),
        ("The server closed a socket", "RST ACK"),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_packet_by_packet() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
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
    ]);
    scene.explains(&[
        ("SYN-SENT: the SYN is", "SYN-SENT]"),
        ("SYN-RECEIVED: the server's", "SYN-RECEIVED]"),
        ("ESTABLISHED on one side", "ESTABLISHED]"),
        ("The third packet is there", "accept(3)"),
    ]);
}

/// As a character leaves them that is erased by half.
#[test]
#[ignore = "needs python3"]
fn a_step_goes_on_at_enter_also_after_bytes_that_are_no_text() {
    let terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))";
    let mut scene = Command::new("python3")
        .args(["-c", terminal, LESSON])
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
