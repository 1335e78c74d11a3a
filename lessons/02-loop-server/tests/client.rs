//! What the client does, seen by raw sockets that play the server.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Actor, Ending, Program, Stage};

use crate::common::{
    self, CLIENT, Lone, accept, client, drain, listener, nothing_comes, read, reset, run, server,
    stage, text,
};

/// A client with these arguments calls a raw socket.
fn called_by(stage: &mut Stage, args: &[&str]) -> (Actor, TcpStream) {
    let (listener, addr) = listener();
    let client = client(stage, addr, args);
    (client, accept(&listener))
}

#[test]
fn it_says_what_happened_in_order() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--say", "hello"]);
    assert_eq!(text(&read(&stream, 5)), "hello");
    stream.write_all(b"HELLO").unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
    assert_eq!(
        stage.lines(client),
        [
            format!("connected to {}", stream.local_addr().unwrap()),
            format!("  from {}", stream.peer_addr().unwrap()),
            "sending 5 bytes: \"hello\"".to_string(),
            "  taken by the kernel".to_string(),
            "received 5 bytes: \"HELLO\"".to_string(),
            "closed the connection".to_string(),
        ]
    );
}

#[test]
fn it_waits_until_the_whole_answer_has_arrived() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--say", "hello", "--say", "next"]);
    assert_eq!(text(&read(&stream, 5)), "hello");
    for part in ["H", "E", "LL"] {
        stream.write_all(part.as_bytes()).unwrap();
        // A client that takes one receive for the answer would go on now.
        assert!(nothing_comes(&stream));
    }
    stream.write_all(b"O").unwrap();
    assert_eq!(text(&read(&stream, 4)), "next");
    stream.write_all(b"NEXT").unwrap();
    assert_eq!(
        received(&mut stage, client),
        [r#"5 bytes: "HELLO""#, r#"4 bytes: "NEXT""#]
    );
}

#[test]
fn it_takes_no_more_than_the_answer() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--say", "hello", "--say", "next"]);
    assert_eq!(text(&read(&stream, 5)), "hello");
    stream.write_all(b"HELLONEXT").unwrap();
    assert_eq!(text(&read(&stream, 4)), "next");
    assert_eq!(
        received(&mut stage, client),
        [r#"5 bytes: "HELLO""#, r#"4 bytes: "NEXT""#]
    );
}

/// What the client received, said at its end.
fn received(stage: &mut Stage, client: Actor) -> Vec<String> {
    assert!(stage.wait_exit(client).unwrap().success());
    let lines = stage.lines(client).into_iter();
    lines.filter_map(|line| Some(line.strip_prefix("received ")?.to_string())).collect()
}

#[rstest]
#[case::before_the_answer("", "end of stream after 0 of 5 bytes")]
#[case::in_the_middle_of_the_answer("HE", "end of stream after 2 of 5 bytes")]
fn a_server_that_hangs_up_is_reported_as_end_of_stream(
    #[case] answer: &str,
    #[case] outcome: &str,
) {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--say", "hello"]);
    read(&stream, 5);
    stream.write_all(answer.as_bytes()).unwrap();
    drop(stream);
    fails_with(&mut stage, client, outcome, "reset");
}

#[rstest]
#[case::before_the_answer("")]
#[case::in_the_middle_of_the_answer("HE")]
fn a_server_that_resets_is_reported_as_a_reset(#[case] answer: &str) {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--say", "hello"]);
    read(&stream, 5);
    stream.write_all(answer.as_bytes()).unwrap();
    reset(stream);
    fails_with(
        &mut stage,
        client,
        "connection reset by peer",
        "end of stream",
    );
}

#[test]
fn a_server_that_closes_with_unread_bytes_is_reported_as_a_reset() {
    let mut stage = stage();
    let (client, stream) = called_by(&mut stage, &["--say", "hello"]);
    read(&stream, 4);
    stream.peek(&mut [0]).unwrap();
    drop(stream);
    fails_with(
        &mut stage,
        client,
        "connection reset by peer",
        "end of stream",
    );
}

/// The last line is an error of recv with the one outcome and not the other.
fn fails_with(stage: &mut Stage, client: Actor, outcome: &str, other: &str) {
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    let error = lines.last().unwrap();
    assert!(error.starts_with("recv from 127.0.0.1:"), "{error}");
    assert!(error.contains(outcome), "{error}");
    assert!(!error.contains(other), "{error}");
}

#[test]
fn with_listen_first_it_does_not_speak_before_the_server_has() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--listen-first", "--say", "hello"]);
    stage.wait_line(client, "from").unwrap();
    assert!(nothing_comes(&stream));
    stream.write_all("成功连接服务器!".as_bytes()).unwrap();
    assert_eq!(text(&read(&stream, 5)), "hello");
    stream.write_all(b"HELLO").unwrap();
    assert_eq!(
        received(&mut stage, client),
        [r#"22 bytes: "成功连接服务器!""#, r#"5 bytes: "HELLO""#]
    );
}

#[test]
fn with_listen_first_and_no_message_it_prints_the_greeting_and_hangs_up() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--listen-first"]);
    stage.end_input(client);
    stream.write_all(b"welcome").unwrap();
    assert_eq!(received(&mut stage, client), [r#"7 bytes: "welcome""#]);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn with_listen_first_a_server_without_a_word_is_reported_as_end_of_stream() {
    let mut stage = stage();
    let (client, stream) = called_by(&mut stage, &["--listen-first", "--say", "hello"]);
    drop(stream);
    fails_with(
        &mut stage,
        client,
        "end of stream before a greeting",
        "reset",
    );
}

/// What a server hears of a client with this input; it answers in upper case.
fn heard_from(args: &[&str], input: &[u8]) -> (Vec<u8>, std::process::Output) {
    let (listener, addr) = listener();
    let server = thread::spawn(move || upper_case_server(&listener));
    let addr = addr.to_string();
    let args: Vec<&str> = ["--addr", &addr].iter().chain(args).copied().collect();
    let output = run(CLIENT, &args, input);
    (server.join().unwrap(), output)
}

/// Serves one caller; gives all that it heard.
fn upper_case_server(listener: &TcpListener) -> Vec<u8> {
    let mut stream = accept(listener);
    let mut heard = Vec::new();
    let mut buffer = [0; 700];
    loop {
        match stream.read(&mut buffer).unwrap() {
            0 => return heard,
            length => {
                heard.extend(&buffer[..length]);
                let answer = buffer[..length].to_ascii_uppercase();
                stream.write_all(&answer).unwrap();
            }
        }
    }
}

#[rstest]
#[case::each_line_is_a_message(b"one\ntwo\n", b"onetwo")]
#[case::empty_lines_are_skipped(b"\n\none\n\n\r\ntwo\n\n", b"onetwo")]
#[case::line_ends_of_windows_are_no_part_of_it(b"one\r\ntwo\r\n", b"onetwo")]
#[case::the_last_line_needs_no_end(b"one\ntwo", b"onetwo")]
#[case::quit_ends_it(b"one\nquit\ntwo\n", b"one")]
#[case::quit_is_a_line_of_its_own(b"quit it\n", b"quit it")]
#[case::no_input_is_no_message(b"", b"")]
#[case::spaces_are_bytes_too(b" one \n", b" one ")]
#[case::bytes_that_are_no_text_pass(b"a\xff\xfe\0b\n", b"a\xff\xfe\0b")]
fn it_takes_its_messages_from_the_input(#[case] input: &[u8], #[case] message: &[u8]) {
    let (heard, output) = heard_from(&[], input);
    assert_eq!(heard, message);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
    assert!(!text(&output.stdout).contains("sending 0 bytes"));
    assert!(!text(&output.stdout).contains(">>:"));
}

#[test]
fn what_is_said_by_flag_goes_out_in_order_and_the_input_is_left_alone() {
    let args = ["--say", "one", "--say", "quit", "--say", "three"];
    let (heard, output) = heard_from(&args, b"from the input\n");
    assert_eq!(text(&heard), "onequitthree");
    assert_eq!(output.status.code(), Some(0));
}

#[rstest]
#[case::as_usual(&[])]
#[case::far_ahead(&["--ahead", "60000"])]
#[case::one_byte_ahead(&["--ahead", "1"])]
fn a_message_much_longer_than_a_buffer_arrives_whole(#[case] args: &[&str]) {
    let length = if args.contains(&"1") { 3000 } else { 300_000 };
    let mut message: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
    message.push(b'\n');
    let (heard, output) = heard_from(args, &message);
    message.pop();
    assert!(heard == message);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(total("received ", &output.stdout), length);
}

#[test]
fn a_mebibyte_passes_through_the_real_server() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let mut message = vec![b'm'; 1 << 20];
    message.extend(b"\nshort\n");
    let output = run(CLIENT, &["--addr", &addr.to_string()], &message);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(total("sending ", &output.stdout), (1 << 20) + 5);
    assert_eq!(total("received ", &output.stdout), (1 << 20) + 5);
    assert!(text(&output.stdout).contains(r#"received 5 bytes: "SHORT""#));
}

#[test]
fn a_message_that_no_buffer_can_hold_makes_neither_side_wait_for_ever() {
    let (listener, addr) = listener();
    let echo = thread::spawn(move || {
        let mut stream = accept(&listener);
        std::io::copy(&mut stream.try_clone().unwrap(), &mut stream).unwrap()
    });
    let message = vec![b'm'; 1 << 25];
    let output = run(CLIENT, &["--addr", &addr.to_string()], &message);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(total("received ", &output.stdout), 1 << 25);
    assert_eq!(echo.join().unwrap(), 1 << 25);
}

/// The sum of the bytes in the lines that begin so.
fn total(beginning: &str, output: &[u8]) -> usize {
    let lines = text(output).lines();
    let rests = lines.filter_map(|line| line.strip_prefix(beginning));
    let counts = rests.map(|rest| rest.split(' ').next().unwrap());
    counts.map(|count| count.parse::<usize>().unwrap()).sum()
}

#[test]
fn an_empty_message_sends_nothing_and_gets_no_answer() {
    let (heard, output) = heard_from(&["--send-empty", "--say", "hello"], b"");
    // The first bytes that the server heard are those of the next message.
    assert_eq!(text(&heard), "hello");
    assert_eq!(output.status.code(), Some(0));
    let said: Vec<&str> = text(&output.stdout).lines().skip(2).collect();
    assert_eq!(
        said,
        [
            "sending 0 bytes: \"\"",
            "  0 bytes taken by the kernel",
            "gave up after 0.5 s: no answer",
            "sending 5 bytes: \"hello\"",
            "  taken by the kernel",
            "received 5 bytes: \"HELLO\"",
            "closed the connection",
        ]
    );
}

#[test]
fn after_it_has_given_up_it_waits_for_the_next_answer_as_long_as_it_takes() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--send-empty", "--say", "hello"]);
    stage.wait_line(client, "taken by the kernel").unwrap();
    assert_eq!(text(&read(&stream, 5)), "hello");
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_millis(600) {
        assert!(nothing_comes(&stream));
    }
    stream.write_all(b"HELLO").unwrap();
    assert_eq!(received(&mut stage, client), [r#"5 bytes: "HELLO""#]);
}

#[test]
fn bytes_that_come_after_an_empty_message_are_not_taken_for_its_answer() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--greeting", "hi"]);
    let client = client(&mut stage, addr, &["--send-empty", "--say", "hello"]);
    stage.wait_line(client, "bytes came that answer nothing").unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
    // Without --listen-first the greeting is taken for the answer.
    let lines = stage.lines(client);
    let received = lines.iter().find(|line| line.starts_with("received"));
    assert!(received.unwrap().starts_with("received 5 bytes: \"hi"));
}

#[rstest]
#[case::with_a_close(&[], "closed the connection", None)]
#[case::with_a_reset(&["--reset"], "reset the connection", Some(ErrorKind::ConnectionReset))]
fn it_ends_the_call_as_it_says(
    #[case] args: &[&str],
    #[case] said: &str,
    #[case] error: Option<ErrorKind>,
) {
    let mut stage = stage();
    let args: Vec<&str> = ["--say", "hello"].iter().chain(args).copied().collect();
    let (client, mut stream) = called_by(&mut stage, &args);
    read(&stream, 5);
    stream.write_all(b"HELLO").unwrap();
    stage.wait_line(client, said).unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
    assert_eq!(stream.read(&mut [0]).err().map(|error| error.kind()), error);
}

#[test]
fn a_server_that_is_not_there_is_an_error_of_one_line_with_a_way_out() {
    // A socket that is bound and does not listen keeps the port closed.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    let output = run(CLIENT, &["--addr", &addr.to_string()], b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let error = text(&output.stderr);
    assert!(
        error.starts_with(&format!("connect {addr}: connection refused")),
        "{error}"
    );
    assert!(error.contains("start the server first"));
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_name_without_an_address_is_an_error_of_one_line() {
    let output = run(CLIENT, &["--addr", "local..host:8080"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("resolve local..host:8080: "));
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

#[test]
fn it_calls_a_name() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let name = format!("localhost:{}", addr.port());
    let output = run(CLIENT, &["--addr", &name, "--say", "hello"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("received 5 bytes: \"HELLO\""));
}

#[test]
#[ignore = "needs IPv6 loopback"]
fn it_calls_an_ipv6_address_in_brackets() {
    let mut stage = stage();
    let server = Program::new(common::SERVER).args(["--addr", "[::1]:0"]);
    let server = stage.start("server", &server).unwrap();
    let addr = stage.ready(server).unwrap().to_string();
    assert!(addr.starts_with("[::1]:"));
    let output = run(CLIENT, &["--addr", &addr, "--say", "hello"], b"");
    assert!(text(&output.stdout).starts_with(&format!("connected to {addr}\n")));
    assert!(text(&output.stdout).contains("received 5 bytes: \"HELLO\""));
}

#[test]
fn what_is_no_text_is_shown_escaped() {
    let mut stage = stage();
    let (client, mut stream) = called_by(&mut stage, &["--say", "hello!"]);
    read(&stream, 6);
    stream.write_all(b"\x1b[2J\0\xff").unwrap();
    assert_eq!(
        received(&mut stage, client),
        [r#"6 bytes: "\u{1b}[2J\0\xff""#]
    );
}

#[test]
fn a_closed_stdout_is_no_panic() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let mut child = Command::new(CLIENT)
        .args(["--addr", &addr.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let errors = drain(child.stderr.take().unwrap());
    drop(child.stdout.take());
    // A process that another test is starting may hold the pipe for a moment.
    let status = Lone(child).wait_while(|| drop(stdin.write_all(b"hello\n")));
    assert_eq!(status.code(), Some(1));
    assert_eq!(text(&errors.join().unwrap()), "");
}

#[test]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = stage();
    let (client, _stream) = called_by(&mut stage, &[]);
    stage.wait_line(client, "from").unwrap();
    stage.interrupt(client).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Signal(2));
}
