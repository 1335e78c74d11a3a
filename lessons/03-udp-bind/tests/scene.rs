//! The scene as a learner sees it who pipes it into a file.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use house::Scene;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-3");

#[test]
fn the_scene_says_the_essential_in_order() {
    let scene = Scene::play(LESSON, &["--xray", "off"]);
    scene.tells(&[
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
        "2 datagrams came, the two",
        "An address names a host, a port the program on it",
        "address already in use",
        "Both datagrams went to 127.0.0.1.",
        "Try next",
    ]);
}

#[test]
#[ignore = "needs python3"]
fn with_nobody_at_the_keyboard_it_does_not_pause_where_it_writes_to_a_terminal_either() {
    let started = Instant::now();
    // The scene has a terminal but for its input.
    let terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))";
    let script = "exec \"$0\" --xray off --step </dev/null";
    let output = Command::new("python3")
        .args(["-c", terminal, "sh", "-c", script, LESSON])
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
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    scene.shows(&["recvfrom(", "sendto(", "UDP 5 bytes"], 600);
    scene.explains(&[
        ("One sendto is one datagram", "UDP 5 bytes"),
        ("Four datagrams are there", "recvfrom(3"),
        ("The host says that nobody", "unreachable about"),
        ("The same ICMP message", "ECONNREFUSED"),
        ("A connect of UDP", "connect(3,"),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_with_datagrams_that_nobody_repairs() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
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
    ]);
    scene.explains(&[
        ("It is lost. sendto", "dropped:"),
        ("Two copies go on", "doubled:"),
        ("The cable keeps it", "swap"),
    ]);
}
