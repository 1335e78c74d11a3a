//! The client as a server meets it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{self, CLIENT, PATIENCE, client, finish, run, server, stage};

/// A server of our own, for the client to call.
fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let connection = loop {
        match listener.accept() {
            Ok((connection, _)) => break connection,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
        assert!(Instant::now() < deadline, "nobody has called");
        std::thread::park_timeout(Duration::from_millis(2));
    };
    connection.set_nonblocking(false).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection
}

fn hear(mut connection: &TcpStream, length: usize) -> Vec<u8> {
    let mut heard = vec![0; length];
    connection.read_exact(&mut heard).unwrap();
    heard
}

#[test]
fn it_makes_one_call_per_message() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--calls", "3"]);
    let said = ["--say", "one", "--say", "two", "--say", "quit"];
    let client = client(&mut stage, addr, &said);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    for answer in ["ONE", "TWO", "QUIT"] {
        let expected = format!("received {} bytes: {answer:?}", answer.len());
        assert!(stage.lines(client).contains(&expected));
    }
}

#[test]
fn without_messages_it_takes_the_lines_of_its_input_until_quit() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--calls", "3"]);
    let client = client(&mut stage, addr, &[]);
    // In one piece, because after "quit" nobody reads any more.
    stage.tell(client, "one\n\ntwo\r\nquit\nthree").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    let lines = stage.lines(client);
    let said = lines.iter().filter(|line| line.starts_with("sending"));
    let said: Vec<&String> = said.collect();
    assert_eq!(
        said,
        [r#"sending 3 bytes: "one""#, r#"sending 3 bytes: "two""#]
    );
}

#[test]
fn the_end_of_its_input_ends_it() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &[]);
    stage.end_input(client);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert!(stage.lines(client).is_empty());
}

#[test]
fn no_character_is_shown_in_halves() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    // The 32 bytes that are shown end in the middle of the eleventh character.
    let client = client(&mut stage, addr, &["--say", &"你".repeat(17)]);
    stage.wait_exit(client).unwrap();
    let shown = format!("51 bytes: \"{}\" …", "你".repeat(10));
    let sending = stage.wait_line(client, "sending").unwrap();
    assert_eq!(sending, format!("sending {shown}"));
    let received = stage.wait_line(server, "received").unwrap();
    assert_eq!(received, format!("received {shown}"));
}

#[test]
fn a_line_that_is_no_text_is_sent_as_it_is() {
    let (listener, addr) = listener();
    let mut client = Command::new(CLIENT)
        .args(["--addr", &addr.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"a\xff\xe5\n").unwrap();
    drop(stdin);
    let connection = accept(&listener);
    assert_eq!(hear(&connection, 3), b"a\xff\xe5");
    (&connection).write_all(b"A\xff\xe5").unwrap();
    drop(connection);
    let output = finish(client);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r#"sending 3 bytes: "a\xff\xe5""#), "{text}");
}

#[test]
fn when_the_server_is_to_close_first_it_waits_for_the_end_of_the_stream() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let client = client(&mut stage, addr, &["--say", "hello"]);
    let mut connection = accept(&listener);
    hear(&connection, 5);
    connection.write_all(b"HELLO").unwrap();
    stage.wait_line(client, "received 5 bytes").unwrap();
    connection.write_all(b"and more").unwrap();
    stage.wait_line(client, "received 8 bytes").unwrap();
    drop(connection);
    stage.wait_line(client, "end of stream: the server hung up").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[test]
fn when_it_is_to_close_first_it_closes_once_its_answer_is_complete() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let said = ["--close-first", "client", "--say", "hello"];
    let client = client(&mut stage, addr, &said);
    let mut connection = accept(&listener);
    hear(&connection, 5);
    connection.write_all(b"HE").unwrap();
    stage.wait_line(client, "received 2 bytes").unwrap();
    connection.write_all(b"LLO").unwrap();
    stage.wait_line(client, "received 3 bytes").unwrap();
    stage.wait_line(client, "closing the connection").unwrap();
    assert_eq!(connection.read(&mut [0]).unwrap(), 0, "it hung up");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[rstest]
#[case::without_an_answer_and_it_was_to_close_first("server", "", 0)]
#[case::without_an_answer_and_the_client_was_to_close_first("client", "", 0)]
#[case::in_mid_answer_and_it_was_to_close_first("server", "HE", 2)]
#[case::in_mid_answer_and_the_client_was_to_close_first("client", "HE", 2)]
fn a_server_that_hangs_up_early_is_the_end_of_the_stream_and_a_failure(
    #[case] first: &str,
    #[case] answer: &str,
    #[case] length: usize,
) {
    let mut stage = stage();
    let (listener, addr) = listener();
    let said = ["--close-first", first, "--say", "hello"];
    let client = client(&mut stage, addr, &said);
    let mut connection = accept(&listener);
    hear(&connection, 5);
    connection.write_all(answer.as_bytes()).unwrap();
    drop(connection);
    let expected =
        format!("recv from {addr}: end of stream after {length} of 5 bytes; the server hung up");
    stage.wait_line(client, &expected).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn of_more_than_the_server_receives_it_waits_for_no_answer_before_it_closes_first() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--close-first", "client"]);
    let long = "x".repeat(2000);
    let said = ["--close-first", "client", "--say", &long];
    let client = client(&mut stage, addr, &said);
    stage.wait_line(client, "closing the connection").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[test]
fn a_server_that_closes_with_bytes_unread_is_a_reset() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let client = client(&mut stage, addr, &["--say", "hello"]);
    let connection = accept(&listener);
    connection.peek(&mut [0]).unwrap();
    drop(connection);
    stage.wait_line(client, "connection reset").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn where_nobody_listens_it_is_refused_in_one_line() {
    let mut stage = stage();
    // Bound, so nobody else gets the port, but not listening.
    let bound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    bound.bind(&common::fresh().into()).unwrap();
    let addr = bound.local_addr().unwrap().as_socket().unwrap();
    let client = client(&mut stage, addr, &["--say", "hello"]);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let start = format!("connect {addr}: connection refused");
    assert!(lines[0].starts_with(&start), "{lines:?}");
    assert!(lines[0].contains("start the server first"), "{lines:?}");
}

#[rstest]
#[case::no_port(&["--addr", "localhost"])]
#[case::nothing_to_say(&["--say", ""])]
#[case::a_side_that_is_none(&["--close-first", "nobody"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let mut stage = stage();
    let client = stage.start("client", &Program::new(CLIENT).args(args)).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(2));
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_closed_stdout_ends_it_without_a_panic() {
    let (_listener, addr) = listener();
    // A pipe that nobody reads would do, too; but for a moment a process that
    // another test is starting may hold its other end.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(CLIENT);
    command.args(["--addr", &addr.to_string(), "--say", "hello"]);
    let output = run(command.stdout(full));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(1));
}

/// A terminal is needed for a prompt. Python gives it one.
#[test]
#[ignore = "needs python3"]
fn ctrl_d_at_the_prompt_ends_the_line() {
    let mut stage = stage();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let terminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
    let script = ["sh", "-c", "\"$0\" --addr \"$1\"; echo status $?"];
    let program = Program::new("python3").args(terminal).args(script);
    let client = stage.start("client", &program.args([CLIENT, &addr])).unwrap();
    stage.tell(client, "\u{4}").unwrap(); // Ctrl-D
    stage.wait_line(client, "status 0").unwrap();
    let lines = stage.lines(client);
    let prompts = lines.iter().filter(|line| line.starts_with(">>:"));
    let prompts: Vec<&str> = prompts.map(|line| line.trim_end()).collect();
    assert_eq!(prompts, [">>:"], "{lines:?}");
}
