//! What the client sends, what it takes for an answer, and what it says when
//! there is none.

use std::net::UdpSocket;

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{heard_nothing, receive, socket};
use crate::lesson::{client, stage};

#[test]
fn connect_sends_nothing() {
    let mut stage = stage();
    let peer = socket();
    let to = peer.local_addr().unwrap();
    let client = stage.client(to, &["--connected", "--no-answer"]);
    stage.wait_line(client, "  from").unwrap();
    stage.end_input(client);
    assert!(stage.ended(client).0.success());
    assert!(heard_nothing(&peer));
}

#[cfg(target_os = "linux")]
#[test]
fn a_refusal_can_be_reported_by_the_next_send() {
    let mut stage = stage();
    // It keeps the number, and since it is connected to itself, it hears nobody else.
    let keeper = socket();
    let closed = keeper.local_addr().unwrap();
    keeper.connect(closed).unwrap();
    let says = ["--say", "one", "--say", "two", "--say", "three"];
    let args = [&says[..], &["--connected", "--no-answer"]].concat();
    let client = stage.client(closed, &args);
    let (ending, lines) = stage.ended(client);
    assert_eq!(ending, Ending::Status(1));
    let errors: Vec<&String> = lines.iter().filter(|line| line.contains("; ")).collect();
    assert_eq!(errors.len(), 1, "{lines:?}");
    let beginning = format!("send to {closed}: connection refused");
    assert!(errors[0].starts_with(&beginning), "{lines:?}");
    // The send that reports the error sends nothing: the first and the third go out.
    assert_eq!(lines.last().unwrap(), "sending 5 bytes: \"three\"");
}

#[test]
fn a_connected_client_does_not_hear_a_stranger() {
    let mut stage = stage();
    let (server, stranger) = (socket(), socket());
    let to = server.local_addr().unwrap();
    let client = stage.client(to, &["--say", "hello", "--connected"]);
    let (_, peer) = receive(&server);
    stranger.send_to(b"boo", peer).unwrap();
    server.send_to(b"the answer", peer).unwrap();
    let (ending, lines) = stage.ended(client);
    assert!(ending.success());
    assert!(!lines.concat().contains("boo"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "received 10 bytes: \"the answer\"");
}

#[test]
fn a_late_answer_is_taken_for_the_answer_to_the_next_message() {
    let mut stage = stage();
    let server = socket();
    let to = server.local_addr().unwrap();
    let client = stage.client(to, &["--timeout", "0.3"]);
    stage.tell(client, "first").unwrap();
    let (_, peer) = receive(&server);
    stage.wait_line(client, "timed out").unwrap();
    server.send_to(b"to the first", peer).unwrap();
    stage.tell(client, "second").unwrap();
    stage.wait_line(client, "\"second\"").unwrap();
    stage.wait_line(client, "\"to the first\"").unwrap();
}

#[test]
fn what_is_said_is_sent_as_it_is() {
    let mut stage = stage();
    let server = socket();
    let says = ["--no-answer", "--say", "quit", "--say", " a\nb "];
    let client = stage.client(server.local_addr().unwrap(), &says);
    assert!(stage.ended(client).0.success());
    assert_eq!(receive(&server).0, b"quit");
    assert_eq!(receive(&server).0, b" a\nb ");
}

/// What a client says and sends to this socket that reads what the shell prints.
#[cfg(unix)]
fn with_input(server: &UdpSocket, printed: &str, args: &[&str]) -> (Ending, Vec<String>) {
    let mut stage = stage();
    let script = format!(r#"{printed} | "$0" "$@""#);
    let to = server.local_addr().unwrap().to_string();
    let program = Program::new("sh").args([
        "-c",
        &script,
        client().executable(),
        "--to",
        &to,
        "--no-answer",
    ]);
    let client = stage.start("client", &program.args(args)).unwrap();
    stage.ended(client)
}

#[cfg(unix)]
#[test]
fn lines_that_are_no_text_go_out_as_they_are() {
    let server = socket();
    let (ending, said) = with_input(&server, r"printf '\377\376\n\304\343\n'", &[]);
    assert!(ending.success());
    assert_eq!(receive(&server).0, b"\xff\xfe");
    assert_eq!(receive(&server).0, b"\xc4\xe3");
    assert_eq!(said[0], r#"sending 2 bytes: "\xff\xfe""#);
}

#[cfg(unix)]
#[test]
fn too_long_a_line_is_one_failed_message_and_not_several() {
    let server = socket();
    let (ending, said) = with_input(&server, r"printf '%0200000d\nshort\n' 0", &[]);
    assert_eq!(ending, Ending::Status(1));
    let errors = said.iter().filter(|line| line.contains("message too long"));
    assert_eq!(errors.count(), 1, "{said:?}");
    assert_eq!(receive(&server).0, b"short");
}

#[cfg(unix)]
#[test]
fn a_line_that_gbk_cannot_say_is_one_failed_message() {
    let server = socket();
    let printed = r"printf '😀\n你\n\377\376\n好\n'";
    let (ending, said) = with_input(&server, printed, &["--encoding", "gbk"]);
    assert_eq!(ending, Ending::Status(1));
    let errors: Vec<&String> = said.iter().filter(|line| line.starts_with("encode")).collect();
    assert!(
        errors[0].starts_with("encode \"😀\": a character is not in GBK"),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with(r#"encode "\xff\xfe": not UTF-8"#),
        "{errors:?}"
    );
    assert_eq!(receive(&server).0, b"\xc4\xe3");
    assert_eq!(receive(&server).0, b"\xba\xc3");
}

#[test]
fn the_server_s_wildcard_address_means_this_host() {
    let mut stage = stage();
    let (_, copied) = stage.server_at("0.0.0.0:0", &[]);
    assert!(copied.ip().is_unspecified());
    let client = stage.client(copied, &["--say", "hello"]);
    let (ending, lines) = stage.ended(client);
    assert!(ending.success(), "{lines:?}");
    let expected = format!("  from 127.0.0.1:{}", copied.port());
    assert_eq!(*lines.last().unwrap(), expected);
}

#[rstest]
#[case::ipv6("[::1]:0")]
#[case::a_name("localhost:0")]
fn it_finds_the_server_at(#[case] addr: &str) {
    let mut stage = stage();
    let (_, bound) = stage.server_at(addr, &[]);
    let to = addr.replace(":0", &format!(":{}", bound.port()));
    for more in [&[][..], &["--connected"]] {
        let client = stage.start_client(&[&["--say", "hello", "--to", &to], more].concat());
        let (ending, lines) = stage.ended(client);
        assert!(ending.success(), "{lines:?}");
    }
}

#[rstest]
#[case::a_name_in_no_directory(&["--to", "local..host:7788"], "resolve local..host:7788: ")]
#[case::port_zero(&["--to", "127.0.0.1:0"], "sendto 127.0.0.1:0: ")]
#[case::a_broadcast_address(&["--to", "255.255.255.255:7788"], "sendto 255.255.255.255:7788: permission denied")]
#[case::a_foreign_address(&["--bind", "192.0.2.77:0"], "bind 192.0.2.77:0: ")]
#[case::another_family(&["--bind", "[::1]:0"], "bind [::1]:0: ")]
fn what_cannot_be_sent_is_one_line_and_status_1(#[case] args: &[&str], #[case] beginning: &str) {
    let error = failure(&[args, &["--timeout", "0.1"]].concat());
    assert!(error.starts_with(beginning), "{error}");
}

#[test]
fn a_taken_port_is_in_use() {
    let other = socket();
    let taken = other.local_addr().unwrap().to_string();
    let error = failure(&["--bind", &taken]);
    let in_use = format!("bind {taken}: address already in use");
    assert!(error.starts_with(&in_use), "{error}");
    assert!(error.ends_with("pass another --addr or --bind"), "{error}");
}

/// The one error, with a way out, of a client that cannot say hello.
fn failure(args: &[&str]) -> String {
    let mut stage = stage();
    let client = stage.start_client(&[args, &["--say", "hello"]].concat());
    let (ending, mut lines) = stage.ended(client);
    assert_eq!(ending, Ending::Status(1), "{lines:?}");
    lines.retain(|line| line.contains("; "));
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[rstest]
#[case::bind_without_a_port(&["--bind", "127.0.0.1"], "--bind")]
#[case::no_time_at_all(&["--timeout", "0"], "--timeout")]
#[case::a_time_before_now(&["--timeout=-1"], "--timeout")]
#[case::longer_than_a_clock_can_say(&["--timeout", "1e18"], "--timeout")]
#[case::no_number(&["--timeout", "NaN"], "--timeout")]
#[case::for_ever(&["--timeout", "inf"], "--timeout")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    client().refuses(args, named);
}
