//! The scene as a learner sees it.

use house::Scene;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-5");

#[test]
fn it_tells_the_story_in_order() {
    Scene::play(LESSON, &["--xray", "off"]).tells(&[
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
        "InvalidInput",
        "  5 bytes",
        "the accept queue is full",
        "the peer does not read",
        "4194304 of 4194304 bytes",
        "Try next",
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    scene.shows(&["SO_RCVTIMEO", "EAGAIN", "SYN ACK"], 500);
    scene.explains(&[
        ("The receive waits from here", "recv(4, ≤1024)"),
        ("EAGAIN: the time is over", "EAGAIN"),
        ("The server has closed long", "RST seq"),
        ("The killed caller's", "FIN ACK"),
        ("This receive had only", "EAGAIN"),
        ("connect itself did not wait", "poll("),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_in_silence() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
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
    ]);
    scene.explains(&[
        ("SYN-SENT: it has asked", "SYN-SENT]"),
        ("No answer: the kernel", "again,"),
        ("The kernel has given up", "ETIMEDOUT"),
        ("The client's kernel says", "FIN ACK"),
        ("The FIN is lost", "dropped:"),
        ("The client's kernel tries", "again,"),
        ("The server's own clock", "> time out"),
    ]);
}
