//! The client as a server meets it.

use std::io::{Read, Write};
use std::net::TcpListener;

use rstest::rstest;
use scene::{Actor, Ending, Program, Stage};

const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-1-client");

fn start(stage: &mut Stage, args: &[&str]) -> Actor {
    stage.start("client", &Program::new(CLIENT).args(args)).unwrap()
}

/// A client that calls a server of our own.
fn called(stage: &mut Stage, more: &[&str]) -> (Actor, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let client = start(stage, &[&["--addr", &addr], more].concat());
    (client, listener)
}

#[test]
fn it_says_hello_prints_the_answer_and_hangs_up() {
    let mut stage = Stage::rehearsal();
    let (client, listener) = called(&mut stage, &[]);
    let (mut connection, _) = listener.accept().unwrap();
    let mut heard = [0; 5];
    connection.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello");
    connection.write_all("你好".as_bytes()).unwrap();
    assert_eq!(connection.read(&mut heard).unwrap(), 0, "it hung up");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert!(stage.lines(client).contains(&"received 6 bytes: \"你好\"".to_string()));
}

#[test]
fn it_tells_the_address_of_both_ends() {
    let mut stage = Stage::rehearsal();
    let (client, listener) = called(&mut stage, &[]);
    let (_connection, peer) = listener.accept().unwrap();
    let connected = stage.wait_line(client, "connected").unwrap();
    assert_eq!(
        connected,
        format!("connected to {}", listener.local_addr().unwrap())
    );
    assert_eq!(
        stage.wait_line(client, "from").unwrap(),
        format!("  from {peer}")
    );
}

#[rstest]
#[case::colours(b"\x1b[31mred", r#"received 8 bytes: "\u{1b}[31mred""#)]
#[case::bytes_that_are_no_text(b"a\xff\x00", r#"received 3 bytes: "a\xff\0""#)]
#[case::a_line_end(b"a\nb", r#"received 3 bytes: "a\nb""#)]
#[case::no_half_character("你你你你你你你你你你你".as_bytes(), r#"received 33 bytes: "你你你你你你你你你你" …"#)]
fn what_no_screen_can_show_is_escaped(#[case] answer: &[u8], #[case] expected: &str) {
    let mut stage = Stage::rehearsal();
    let (client, listener) = called(&mut stage, &[]);
    let (mut connection, _) = listener.accept().unwrap();
    connection.write_all(answer).unwrap();
    assert_eq!(stage.wait_line(client, "received").unwrap(), expected);
}

#[test]
fn a_server_that_hangs_up_without_an_answer_is_the_end_of_the_stream_and_a_failure() {
    let mut stage = Stage::rehearsal();
    let (client, listener) = called(&mut stage, &[]);
    let (mut connection, _) = listener.accept().unwrap();
    connection.read_exact(&mut [0; 5]).unwrap();
    drop(connection);
    stage
        .wait_line(
            client,
            "end of stream before an answer; the server hung up: see what it said",
        )
        .unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn a_server_that_closes_with_bytes_unread_is_a_reset() {
    let mut stage = Stage::rehearsal();
    let (client, listener) = called(&mut stage, &[]);
    let (connection, _) = listener.accept().unwrap();
    connection.peek(&mut [0]).unwrap();
    drop(connection);
    stage.wait_line(client, "connection reset by peer").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn a_call_that_is_reset_at_once_is_one_line_with_a_way_out() {
    // Which call of the client meets the reset is not ours to say: it can be
    // any from getpeername on. So there are many clients.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    for _ in 0..20 {
        let mut stage = Stage::rehearsal();
        let client = start(&mut stage, &["--addr", &addr]);
        let (connection, _) = listener.accept().unwrap();
        let connection = socket2::Socket::from(connection);
        connection.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(connection);
        assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
        let lines = stage.lines(client);
        let error = lines.last().unwrap();
        assert!(error.contains(&addr) && error.contains("; "), "{lines:?}");
    }
}

#[test]
fn where_a_port_is_bound_but_not_listened_on_it_is_refused() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    fails_with(&addr, &format!("connect {addr}: connection refused"));
}

#[rstest]
#[case::unreachable("127.255.255.255:8081", "connect 127.255.255.255:8081: network is unreachable")]
// A name with two dots in a row is looked up nowhere: no network can answer it.
#[case::unresolvable(
    "local..host:8081",
    "resolve local..host:8081: failed to lookup address information: name or service not known"
)]
fn a_call_that_cannot_be_made_is_named(#[case] addr: &str, #[case] expected: &str) {
    fails_with(addr, expected);
}

fn fails_with(addr: &str, start_of_line: &str) {
    let mut stage = Stage::rehearsal();
    let client = start(&mut stage, &["--addr", addr]);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with(start_of_line) && lines[0].contains("; "),
        "{lines:?}"
    );
}

#[rstest]
#[case::no_port(&["--addr", "localhost"])]
#[case::nothing_to_say(&["--say", ""])]
#[case::two_things_to_say(&["--say", "a", "--say", "b"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let client = start(&mut stage, args);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(2));
}
