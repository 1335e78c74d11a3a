//! The server as a client meets it, also a client that means harm.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Actor, Ending, Program, Stage};

use crate::common::{SERVER, ask, dial, message, receive, serve};

const LIST: &str = r#"{"request":"list"}"#;

/// The server is well: it takes a call and answers.
fn lives_on(stage: &mut Stage, server: Actor) {
    let mut call = dial(stage, server);
    let answer = ask(&mut call, LIST);
    assert!(
        answer.starts_with(r#"{"status":"ok","name":"list","size":"#),
        "{answer}"
    );
}

#[test]
fn it_finds_its_sample_from_wherever_it_is_started() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut server = Command::new(SERVER);
    server.args(["--addr", "127.0.0.1:0"]).current_dir(elsewhere.path());
    let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
    let mut call = TcpStream::connect(first_line(&mut server)).unwrap();
    let answer = ask(&mut call, r#"{"request":"get","name":"short.txt"}"#);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(answer.starts_with(r#"{"status":"ok""#), "{answer}");
}

/// The address in a server's first line. What it says later, nobody reads.
fn first_line(server: &mut Child) -> String {
    let mut stdout = server.stdout.take().unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1);
        line.push(byte[0]);
    }
    server.stdout = Some(stdout);
    let line = String::from_utf8(line).unwrap();
    line.trim().rsplit(' ').next().unwrap().to_string()
}

#[test]
fn it_lists_and_hands_out_its_sample() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    let header = ask(&mut call, LIST);
    assert!(header.contains(r#""name":"list""#), "{header}");
    let mut list = vec![0; size(&header)];
    call.read_exact(&mut list).unwrap();
    let list = String::from_utf8(list).unwrap();
    assert!(list.contains("\n3200 long.txt\n"), "{list}");

    let header = ask(&mut call, r#"{"request":"get","name":"short.txt"}"#);
    assert!(
        header.contains(r#""name":"short.txt","size":21,"sha256":""#),
        "{header}"
    );
    let mut file = [0; 21];
    call.read_exact(&mut file).unwrap();
    assert_eq!(&file, b"Hello from lesson 6!\n");
}

fn size(header: &str) -> usize {
    let (_, rest) = header.split_once("\"size\":").unwrap();
    rest.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn requests_that_are_sent_at_once_are_answered_one_after_the_other() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    let request = message(r#"{"request":"get","name":"nothing"}"#);
    call.write_all(&request.repeat(50)).unwrap();
    for _ in 0..50 {
        assert_eq!(
            receive(&mut call),
            r#"{"status":"error","reason":"\"nothing\": no such file"}"#
        );
    }
}

#[test]
fn a_request_that_comes_byte_by_byte_is_a_request() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    call.set_nodelay(true).unwrap();
    for byte in message(LIST) {
        call.write_all(&[byte]).unwrap();
    }
    assert!(receive(&mut call).starts_with(r#"{"status":"ok""#));
}

#[rstest]
#[case::no_json("list", "the header is no request: expected value")]
#[case::nothing("", "the header is no request: EOF")]
#[case::cut_json(r#"{"request":"#, "the header is no request: EOF")]
#[case::another_request(r#"{"request":"put"}"#, "the header is no request: unknown variant `put`")]
#[case::no_name(r#"{"request":"get"}"#, "the header is no request: missing field `name`")]
#[case::up(r#"{"request":"get","name":"../Cargo.toml"}"#, "leads out of the folder")]
#[case::absolute(r#"{"request":"get","name":"/etc/passwd"}"#, "is an absolute name")]
#[case::not_there(r#"{"request":"get","name":"no"}"#, "no such file")]
fn a_wrong_request_is_answered_with_the_reason_and_the_call_goes_on(
    #[case] request: &str,
    #[case] reason: &str,
) {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    let answer = ask(&mut call, request);
    assert!(
        answer.starts_with(r#"{"status":"error","reason":""#),
        "{answer}"
    );
    assert!(answer.contains(reason), "{answer}");
    assert!(ask(&mut call, LIST).starts_with(r#"{"status":"ok""#));
}

#[rstest]
#[case::nothing_more(&[])]
#[case::much_more(&[b'x'; 100_000])]
fn a_header_over_64_kib_is_answered_with_the_reason_and_ends_the_call(#[case] more: &[u8]) {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    call.write_all(&65537_u32.to_be_bytes()).unwrap();
    call.write_all(more).unwrap();
    let reason = "a header of 65537 bytes is announced, and 65536 is the limit";
    let answer = receive(&mut call);
    assert_eq!(
        answer,
        format!(r#"{{"status":"error","reason":"{reason}"}}"#)
    );
    assert_eq!(call.read(&mut [0]).unwrap(), 0, "an orderly end, no reset");
    drop(call);
    stage.wait_line(server, reason).unwrap();
    stage.wait_line(server, "closed the connection").unwrap();
    lives_on(&mut stage, server);
}

#[rstest]
#[case::in_the_length(&[0, 0], "end of stream after 2 of 4 bytes; the client has hung up")]
#[case::in_the_header(
    b"\0\0\0\x12{",
    "end of stream after 1 of 18 bytes of a header; the client has hung up"
)]
fn a_client_that_hangs_up_in_mid_message_ends_only_its_call(
    #[case] said: &[u8],
    #[case] line: &str,
) {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    call.write_all(said).unwrap();
    drop(call);
    stage.wait_line(server, line).unwrap();
    lives_on(&mut stage, server);
}

#[test]
fn a_client_that_hangs_up_between_messages_is_an_end_of_stream() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    ask(&mut call, r#"{"request":"get","name":"empty.txt"}"#);
    drop(call);
    stage.wait_line(server, "end of stream: the client hung up").unwrap();
    stage.wait_line(server, "closed the connection").unwrap();
    lives_on(&mut stage, server);
}

#[test]
fn a_client_that_only_stops_sending_still_gets_its_answer() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    call.write_all(&message(LIST)).unwrap();
    call.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    call.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(b"\n"));
}

#[test]
fn a_client_that_is_gone_in_mid_body_ends_only_its_call() {
    let root = tempfile::tempdir().unwrap();
    let big = fs::File::create(root.path().join("big")).unwrap();
    big.set_len(64 << 20).unwrap();
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--root", root.path().to_str().unwrap()]);
    let mut call = dial(&mut stage, server);
    ask(&mut call, r#"{"request":"get","name":"big"}"#);
    // The body is on its way. Bytes lie unread here, so this is a reset.
    drop(call);
    let said = stage.wait_line(server, "serve 127.0.0.1:").unwrap();
    assert!(
        said.contains("reset") || said.contains("broken pipe"),
        "{said}"
    );
    lives_on(&mut stage, server);
}

#[test]
fn a_client_that_says_nothing_times_out() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--timeout", "0.2"]);
    let mut call = dial(&mut stage, server);
    assert_eq!(call.read(&mut [0]).unwrap(), 0, "the server hung up");
    stage.wait_line(server, "timed out; a longer --timeout has more patience").unwrap();
    lives_on(&mut stage, server);
}

#[test]
fn a_client_that_never_receives_times_out() {
    let root = tempfile::tempdir().unwrap();
    let big = fs::File::create(root.path().join("big")).unwrap();
    big.set_len(64 << 20).unwrap();
    let mut stage = Stage::rehearsal();
    let root = root.path().to_str().unwrap();
    let server = serve(&mut stage, &["--root", root, "--timeout", "0.2"]);
    let mut call = dial(&mut stage, server);
    ask(&mut call, r#"{"request":"get","name":"big"}"#);
    stage.wait_line(server, "timed out").unwrap();
    lives_on(&mut stage, server);
}

#[cfg(unix)]
#[test]
fn a_fifo_in_the_folder_does_not_stop_the_server() {
    let root = tempfile::tempdir().unwrap();
    let fifo = root.path().join("fifo");
    assert!(Command::new("mkfifo").arg(fifo).status().unwrap().success());
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--root", root.path().to_str().unwrap()]);
    let mut call = dial(&mut stage, server);
    let answer = ask(&mut call, r#"{"request":"get","name":"fifo"}"#);
    assert_eq!(
        answer,
        r#"{"status":"error","reason":"\"fifo\" is no regular file"}"#
    );
    assert!(ask(&mut call, LIST).contains(r#""size":0"#));
}

#[test]
fn one_client_is_served_at_a_time_and_the_next_waits() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let first = dial(&mut stage, server);
    stage.wait_line(server, "accepted a call from").unwrap();
    let mut second = dial(&mut stage, server);
    second.write_all(&message(LIST)).unwrap();
    drop(first);
    assert!(receive(&mut second).starts_with(r#"{"status":"ok""#));
}

// The other framings.

#[test]
fn without_framing_a_request_is_one_receive_and_the_answer_bare_bytes() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--framing", "none"]);
    let mut call = dial(&mut stage, server);
    call.write_all(b"get short.txt").unwrap();
    let mut file = [0; 21];
    call.read_exact(&mut file).unwrap();
    assert_eq!(&file, b"Hello from lesson 6!\n");
    call.write_all(b"get nothing").unwrap();
    let mut error = [0; 30];
    call.read_exact(&mut error).unwrap();
    assert_eq!(&error, b"error: \"nothing\": no such file");
}

#[rstest]
#[case::as_usual(&[])]
#[case::with_nodelay(&["--nodelay"])]
fn without_framing_two_requests_that_have_arrived_are_taken_for_one(#[case] more: &[&str]) {
    let mut stage = Stage::rehearsal();
    let args = [&["--framing", "none", "--wait-for", "16"], more].concat();
    let server = serve(&mut stage, &args);
    let mut call = dial(&mut stage, server);
    call.set_nodelay(!more.is_empty()).unwrap();
    call.write_all(b"list").unwrap();
    stage.deadline(Duration::from_millis(200));
    let early = stage.wait_line(server, "received");
    assert!(early.is_err(), "it does not wait: {early:?}");
    stage.deadline(Duration::from_secs(10));
    call.write_all(b"get long.txt").unwrap();
    let line = stage.wait_line(server, "received").unwrap();
    assert_eq!(line, "received 16 bytes: \"listget long.txt\"");
    let expected = b"error: unknown request \"listget long.txt\": say list or get NAME";
    let mut error = vec![0; expected.len()];
    call.read_exact(&mut error).unwrap();
    assert_eq!(error, expected);
}

#[test]
fn with_a_header_two_requests_that_have_arrived_are_two() {
    let mut stage = Stage::rehearsal();
    let both = [
        message(LIST),
        message(r#"{"request":"get","name":"empty.txt"}"#),
    ]
    .concat();
    let length = both.len().to_string();
    let server = serve(&mut stage, &["--wait-for", &length]);
    let mut call = dial(&mut stage, server);
    call.write_all(&both).unwrap();
    let header = receive(&mut call);
    let mut list = vec![0; size(&header)];
    call.read_exact(&mut list).unwrap();
    assert!(receive(&mut call).contains(r#""name":"empty.txt""#));
}

#[test]
fn with_ack_the_body_waits_for_ready() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--framing", "ack"]);
    let mut call = dial(&mut stage, server);
    call.write_all(b"get short.txt").unwrap();
    let mut digits = [0; 2];
    call.read_exact(&mut digits).unwrap();
    assert_eq!(&digits, b"21");
    let waiting = Some(Duration::from_millis(100));
    call.set_read_timeout(waiting).unwrap();
    let early = call.read(&mut [0]).unwrap_err();
    assert!([ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&early.kind()));
    call.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    call.write_all(b"ready").unwrap();
    let mut file = [0; 21];
    call.read_exact(&mut file).unwrap();
    assert_eq!(&file, b"Hello from lesson 6!\n");
}

#[test]
fn with_ack_anything_but_ready_ends_the_call() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--framing", "ack"]);
    let mut call = dial(&mut stage, server);
    call.write_all(b"list").unwrap();
    call.read_exact(&mut [0; 2]).unwrap();
    call.write_all(b"hello").unwrap();
    stage.wait_line(server, "\"hello\" came where \"ready\" belongs").unwrap();
    assert_eq!(call.read(&mut [0]).unwrap(), 0);
    let mut next = dial(&mut stage, server);
    next.write_all(b"list").unwrap();
    next.read_exact(&mut [0; 2]).unwrap();
}

#[rstest]
#[case::none("none", b"\xff\xfe\x00\x1b[31m", r#"received 8 bytes: "\xff\xfe\0\u{1b}[31m""#)]
#[case::header(
    "header",
    b"\0\0\0\x08\xff\xfe\x00\x1b[31m",
    r"received 4 + 8 bytes: \xff\xfe\0\u{1b}[31m"
)]
fn bytes_that_are_no_text_are_shown_escaped(
    #[case] framing: &str,
    #[case] said: &[u8],
    #[case] line: &str,
) {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--framing", framing]);
    let mut call = dial(&mut stage, server);
    call.write_all(said).unwrap();
    assert_eq!(stage.wait_line(server, "received").unwrap(), line);
}

// The program.

#[rstest]
#[case::a_name("localhost:0", "127.0.0.1:")]
#[case::ipv6("[::1]:0", "[::1]:")]
fn it_takes_names_and_ipv6(#[case] addr: &str, #[case] expected: &str) {
    let mut stage = Stage::rehearsal();
    let program = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &program).unwrap();
    let listening = stage.ready(server).unwrap();
    assert!(listening.to_string().starts_with(expected), "{listening}");
    assert_ne!(listening.port(), 0);
    lives_on(&mut stage, server);
}

#[test]
fn an_address_in_use_is_said_in_one_line_with_a_way_out() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let mut stage = Stage::rehearsal();
    let server = stage.start("server", &Program::new(SERVER).args(["--addr", &addr])).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with(&format!("bind {addr}: address already in use")));
    assert!(lines[0].ends_with("or pass --addr"), "{lines:?}");
}

#[test]
fn a_folder_that_is_not_there_is_said_in_one_line_with_a_way_out() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &["--root", "/nowhere/at/all"]);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("open the folder /nowhere/at/all: no such file"));
    assert!(lines[0].ends_with("; pass another --root"), "{lines:?}");
}

#[rstest]
#[case::no_port(&["--addr", "localhost"])]
#[case::no_such_framing(&["--framing", "both"])]
#[case::no_time(&["--timeout", "0"])]
#[case::negative_time(&["--timeout", "-1"])]
#[case::nothing_to_receive(&["--receive", "0"])]
#[case::nothing_to_wait_for(&["--wait-for", "0"])]
#[case::too_much_to_wait_for(&["--wait-for", "65537"])]
#[case::an_argument_too_many(&["hello"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let server = stage.start("server", &Program::new(SERVER).args(args)).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

#[test]
fn the_help_shows_an_example() {
    let help = Command::new(SERVER).arg("--help").output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Example:"));
}

/// A pipe whose reader has gone, as in `| head -1`.
#[test]
fn a_closed_stdout_is_no_panic() {
    let mut server = Command::new(SERVER);
    server.args(["--addr", "127.0.0.1:0"]);
    let mut server = server.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let addr = first_line(&mut server);
    drop(server.stdout.take());
    // With each call it says something, and nobody reads it. Why more than one
    // call? A test next door may start a program at this moment, and until that
    // runs, it holds a copy of our end of the pipe.
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it talks to nobody");
        let _ = TcpStream::connect(&addr);
    }
    let output = server.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// A client that drips goes on with it while the server hangs up.
#[test]
fn a_client_that_drips_does_not_hold_the_end_of_its_call() {
    let mut stage = Stage::rehearsal();
    let server = serve(&mut stage, &[]);
    let mut call = dial(&mut stage, server);
    call.write_all(&[0xff; 4]).unwrap();
    let start = Instant::now();
    stage.deadline(Duration::from_millis(20));
    while stage.wait_line(server, "closed the connection").is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        let _ = call.write_all(b"x");
    }
    stage.deadline(Duration::from_secs(10));
    lives_on(&mut stage, server);
}
