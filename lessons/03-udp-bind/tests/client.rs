//! What the client sends, what it takes for an answer, and what it says when
//! there is none.

use std::net::UdpSocket;

use rstest::rstest;
use scene::{Ending, Program, Stage};

use crate::common::{
    CLIENT, SERVER, client, ended, failure, heard_nothing, receive, server, server_at, socket,
};

#[test]
fn connect_sends_nothing() {
    let mut stage = Stage::rehearsal();
    let peer = socket();
    let to = peer.local_addr().unwrap();
    let client = client(&mut stage, to, &["--connected", "--no-answer"]);
    stage.wait_line(client, "  from").unwrap();
    stage.end_input(client);
    assert!(ended(&mut stage, client).0.success());
    assert!(heard_nothing(&peer));
}

#[cfg(target_os = "linux")]
#[test]
fn a_refusal_can_be_reported_by_the_next_send() {
    let mut stage = Stage::rehearsal();
    // It keeps the number, and since it is connected to itself, it hears nobody else.
    let keeper = socket();
    let closed = keeper.local_addr().unwrap();
    keeper.connect(closed).unwrap();
    let says = ["--say", "one", "--say", "two", "--say", "three"];
    let args = [&says[..], &["--connected", "--no-answer"]].concat();
    let client = client(&mut stage, closed, &args);
    let (ending, lines) = ended(&mut stage, client);
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
    let mut stage = Stage::rehearsal();
    let (server, stranger) = (socket(), socket());
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--say", "hello", "--connected"]);
    let (_, peer) = receive(&server);
    stranger.send_to(b"boo", peer).unwrap();
    server.send_to(b"the answer", peer).unwrap();
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success());
    assert!(!lines.concat().contains("boo"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "received 10 bytes: \"the answer\"");
}

#[test]
fn a_late_answer_is_taken_for_the_answer_to_the_next_message() {
    let mut stage = Stage::rehearsal();
    let server = socket();
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--timeout", "0.3"]);
    stage.tell(client, "first").unwrap();
    let (_, peer) = receive(&server);
    stage.wait_line(client, "timed out").unwrap();
    server.send_to(b"to the first", peer).unwrap();
    stage.tell(client, "second").unwrap();
    stage.wait_line(client, "\"second\"").unwrap();
    stage.wait_line(client, "\"to the first\"").unwrap();
}

#[test]
fn an_empty_message_is_an_empty_datagram() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &["--say", "", "--say", "x"]);
    assert!(ended(&mut stage, client).0.success());
    stage.wait_line(client, "received 0 bytes: \"\"").unwrap();
    stage.wait_line(server, "received 0 bytes").unwrap();
    stage.wait_line(server, "received 1 bytes").unwrap();
}

#[test]
fn what_is_said_is_sent_as_it_is() {
    let mut stage = Stage::rehearsal();
    let server = socket();
    let says = ["--no-answer", "--say", "quit", "--say", " a\nb "];
    let client = client(&mut stage, server.local_addr().unwrap(), &says);
    assert!(ended(&mut stage, client).0.success());
    assert_eq!(receive(&server).0, b"quit");
    assert_eq!(receive(&server).0, b" a\nb ");
}

/// What a client says and sends to this socket that reads what the shell prints.
#[cfg(unix)]
fn with_input(server: &UdpSocket, printed: &str, args: &[&str]) -> (Ending, Vec<String>) {
    let mut stage = Stage::rehearsal();
    let script = format!(r#"{printed} | "$0" "$@""#);
    let to = server.local_addr().unwrap().to_string();
    let program = Program::new("sh").args(["-c", &script, CLIENT, "--to", &to, "--no-answer"]);
    let client = stage.start("client", &program.args(args)).unwrap();
    ended(&mut stage, client)
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
    let mut stage = Stage::rehearsal();
    let (_, copied) = server_at(&mut stage, "0.0.0.0:0", &[]);
    assert!(copied.ip().is_unspecified());
    let client = client(&mut stage, copied, &["--say", "hello"]);
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success(), "{lines:?}");
    let expected = format!("  from 127.0.0.1:{}", copied.port());
    assert_eq!(*lines.last().unwrap(), expected);
}

#[rstest]
#[case::ipv6("[::1]:0")]
#[case::a_name("localhost:0")]
fn it_finds_the_server_at(#[case] addr: &str) {
    let mut stage = Stage::rehearsal();
    let (_, bound) = server_at(&mut stage, addr, &[]);
    let to = addr.replace(":0", &format!(":{}", bound.port()));
    for more in [&[][..], &["--connected"]] {
        let program = Program::new(CLIENT).args(["--say", "hello", "--to", &to]).args(more);
        let client = stage.start("client", &program).unwrap();
        let (ending, lines) = ended(&mut stage, client);
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
    let error = failure(
        CLIENT,
        &[args, &["--say", "hello", "--timeout", "0.1"]].concat(),
    );
    assert!(error.starts_with(beginning), "{error}");
}

#[test]
fn a_taken_port_is_in_use() {
    let other = socket();
    let taken = other.local_addr().unwrap().to_string();
    let error = failure(CLIENT, &["--bind", &taken, "--say", "hello"]);
    assert!(
        error.starts_with(&format!("bind {taken}: address already in use")),
        "{error}"
    );
    assert!(error.ends_with("pass another --addr or --bind"), "{error}");
}

#[rstest]
#[case::an_unknown_reply(SERVER, &["--reply", "shout"])]
#[case::an_unknown_encoding(SERVER, &["--encoding", "latin-1"])]
#[case::no_room_at_all(SERVER, &["--buffer", "0"])]
#[case::no_port(CLIENT, &["--to", "127.0.0.1"])]
#[case::bind_without_a_port(CLIENT, &["--bind", "127.0.0.1"])]
#[case::no_time_at_all(CLIENT, &["--timeout", "0"])]
#[case::a_time_before_now(CLIENT, &["--timeout=-1"])]
#[case::longer_than_a_clock_can_say(CLIENT, &["--timeout", "1e18"])]
#[case::no_number(CLIENT, &["--timeout", "NaN"])]
#[case::for_ever(CLIENT, &["--timeout", "inf"])]
fn wrong_usage_is_status_2(#[case] program: &str, #[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let wrong = stage.start("wrong", &Program::new(program).args(args)).unwrap();
    assert_eq!(ended(&mut stage, wrong).0, Ending::Status(2));
}
