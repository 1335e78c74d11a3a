//! The scene as a learner sees it.

use std::sync::LazyLock;

use house::Scene;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-4");

/// One play; several tests look at it.
static PLAY: LazyLock<Scene> = LazyLock::new(|| Scene::play(LESSON, &["--xray", "off"]));

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the rules of Linux for bind")]
fn it_tells_the_story_in_order_and_finds_what_linux_does() {
    PLAY.tells(&[
        "Started again",
        "listening on 127.",
        "received 5 bytes: \"HELLO\"",
        "end of stream: the server hung up",
        "It cannot. The ended call still has the port.",
        "First run without SO_REUSEADDR, restart with it",
        "First run with SO_REUSEADDR, restart without it",
        "First run with SO_REUSEADDR, restart with it",
        "                    restart without   restart with",
        "first run without   in use            in use",
        "first run with      in use            listening",
        "Both must have it.",
        "The client closes first",
        "end of stream: the client hung up",
        "It can. TIME-WAIT belongs",
        "A server that is killed",
        "(ended by SIGKILL)",
        "It does not. Process",
        "A server that still runs",
        "The first. SO_REUSEADDR never takes",
        "Two that are bound",
        "bound, but not listening",
        "listen 127.",
        "in use",
        "listen fails, in the first.",
        "Two servers on one port",
        "Other errors of bind",
        "bind 203.0.113.7:8082: cannot assign requested address",
        "resolve local..host:8082: ",
        "Try next",
    ]);
}

#[test]
#[cfg(target_os = "linux")]
fn it_shows_each_time_wait_at_the_end_that_closed_first_with_the_time_left() {
    let text = PLAY.text();
    let mut kept_at_servers = Vec::new();
    for row in text.lines().filter(|line| line.starts_with("  TIME-WAIT ")) {
        let [_, local, remote, left, "s"] = row.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let left: f64 = left.parse().unwrap();
        assert!(left > 50.0 && left <= 60.0, "{row}");
        // A server's address stands in its own line "listening on".
        let is_server = |addr: &str| text.contains(&format!("listening on {addr}\n"));
        assert_ne!(is_server(local), is_server(remote), "{row}");
        kept_at_servers.push(is_server(local));
    }
    // The server closed first, then the client, then the server was killed.
    assert_eq!(kept_at_servers, [true, false, true]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_calls_that_it_deals_are_eight() {
    let text = PLAY.text();
    let (_, rest) = text.split_once("The first took ").unwrap();
    let (first, rest) = rest.split_once(", the second ").unwrap();
    let (second, _) = rest.split_once('.').unwrap();
    let [first, second] = [first, second].map(|count| count.parse::<usize>().unwrap());
    assert_eq!(first + second, 8);
    // In the drawing each call is one x, in the row of the server that took it.
    let (_, drawing) = text.split_once("  call  ").unwrap();
    let rows = drawing.lines().skip(1).take(2);
    let marks: Vec<usize> = rows.map(|row| row.matches("  x").count()).collect();
    assert_eq!(marks, [first, second]);
}

#[test]
fn what_it_says_of_reserved_ports_is_what_it_found() {
    let of_port_1 = |line: &str| line.starts_with("  listening on 127.") && line.ends_with(":1");
    let listened = PLAY.text().lines().any(of_port_1);
    assert_eq!(PLAY.text().contains("Port 1 is no error"), listened);
    assert_eq!(PLAY.text().contains("are reserved: bind"), !listened);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn under_the_xray_it_shows_calls_packets_and_states() {
    let scene = Scene::play(LESSON, &[]);
    scene.is_short();
    scene.shows(
        &[
            "SO_REUSEADDR",
            "bind(",
            "SYN ACK",
            "EADDRINUSE",
            "TIME-WAIT]",
        ],
        580,
    );
    scene.explains(&[
        ("The server's FIN is the first", "FIN ACK"),
        ("This stays.", "TIME-WAIT]"),
        ("Here the socket in TIME-WAIT", "EADDRINUSE"),
        ("TIME-WAIT again", "TIME-WAIT]"),
        ("A killed program", "FIN ACK"),
    ]);
}

#[test]
#[ignore = "needs namespaces and ptrace"]
fn on_the_wire_it_plays_where_the_last_ack_is_lost() {
    let scene = Scene::play(LESSON, &["--wire"]);
    scene.is_short();
    scene.shows(&[], 280);
    scene.tells(&[
        "FIN-WAIT-1]",
        "LAST-ACK]",
        "dropped:",
        "TIME-WAIT]",
        "again,",
        "ACK goes on",
        "The FIN came again",
        "Without TIME-WAIT",
        "tcp_max_tw_buckets = 0",
        "dropped:",
        "again,",
        "RST",
        "Try next",
    ]);
    scene.explains(&[
        ("The last ACK is lost", "dropped:"),
        ("No ACK came", "again,"),
        ("TIME-WAIT answers", "ACK ─ ack 7"),
        ("The same loss", "dropped:"),
        ("The FIN comes again", "again,"),
        ("So it gets a RST", "RST"),
    ]);
}
