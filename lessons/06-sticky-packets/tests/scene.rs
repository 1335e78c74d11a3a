//! The scene as a learner sees it.

use std::process::{Command, Stdio};

use house::Scene;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-6");

#[test]
fn it_tells_the_story_in_order() {
    Scene::play(LESSON, &["--xray", "off"]).tells(&[
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
    ]);
}

#[cfg(unix)]
#[test]
fn it_plays_where_a_scene_of_the_same_process_id_has_left_its_folder_and_leaves_none_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    let script = "mkdir \"$TMPDIR/lesson-6-$$-0\" && exec \"$0\" --xray off";
    shell.args(["-c", script, LESSON]);
    shell.current_dir(folder.path());
    shell.env("TMPDIR", folder.path()).stdin(Stdio::null());
    let output = shell.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    scene.shows(&["recv(", "send(", "Recv-Q 2176"], 500);
    scene.explains(&[
        ("One send, and the kernel cuts", "ACK 1448 bytes"),
        ("One recv takes what", "1024"),
        ("The server answers one request", "send(4,"),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_in_pieces_and_glued() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
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
    ]);
    scene.explains(&[
        ("One send, and the kernel", "1448 bytes"),
        ("The header is complete", "> received 4 + 121"),
        ("It waits on the cable", "hold 100 ms"),
        ("All is in one Recv-Q", "recv(4)"),
    ]);
}
