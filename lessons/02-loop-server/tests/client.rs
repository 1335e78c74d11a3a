//! What the client says and does that its checks do not ask for.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use house::Rehearsal;
use house::raw::{again, closed_port, nothing_comes, read, reset};
use rstest::rstest;
use scene::{Actor, Ending};

use crate::lesson::{client, stage};

#[test]
fn it_says_what_happened_in_order() {
    let mut stage = stage();
    let (client, mut stream) = stage.called_by(&["--say", "hello"]);
    assert_eq!(read(&stream, 5), b"hello");
    stream.write_all(b"HELLO").unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
    assert_eq!(
        stage.lines(client),
        [
            &format!("connected to {}", stream.local_addr().unwrap()),
            &format!("  from {}", stream.peer_addr().unwrap()),
            r#"sending 5 bytes: "hello""#,
            "  taken by the kernel",
            r#"received 5 bytes: "HELLO""#,
            "closed the connection",
        ]
    );
}

#[rstest]
#[case::a_hang_up("", drop, "end of stream after 0 of 5 bytes")]
#[case::a_hang_up_in_the_middle("HE", drop, "end of stream after 2 of 5 bytes")]
#[case::a_reset("", reset, "connection reset by peer")]
#[case::a_reset_in_the_middle("HE", reset, "connection reset by peer")]
fn how_the_server_ended_the_call_is_said(
    #[case] answer: &str,
    #[case] end: fn(TcpStream),
    #[case] outcome: &str,
) {
    let mut stage = stage();
    let (client, mut stream) = stage.called_by(&["--say", "hello"]);
    read(&stream, 5);
    stream.write_all(answer.as_bytes()).unwrap();
    end(stream);
    fails_with(&mut stage, client, outcome);
}

/// Its last line is an error of recv with this outcome.
fn fails_with(stage: &mut Rehearsal, client: Actor, outcome: &str) {
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let error = stage.lines(client).pop().unwrap();
    assert!(error.starts_with("recv from 127.0.0.1:"), "{error}");
    assert!(error.contains(outcome), "{error}");
}

#[test]
fn with_listen_first_it_does_not_speak_before_the_server_has() {
    let mut stage = stage();
    let (client, mut stream) = stage.called_by(&["--listen-first", "--say", "hello"]);
    stage.wait_line(client, "from").unwrap();
    assert!(nothing_comes(&stream));
    stream.write_all("成功连接服务器!".as_bytes()).unwrap();
    assert_eq!(read(&stream, 5), b"hello");
    stage.wait_line(client, r#"received 22 bytes: "成功连接服务器!""#).unwrap();
}

#[test]
fn with_listen_first_and_no_message_it_prints_the_greeting_and_hangs_up() {
    let mut stage = stage();
    let (client, mut stream) = stage.called_by(&["--listen-first"]);
    stage.end_input(client);
    stream.write_all(b"welcome").unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
    stage.wait_line(client, r#"received 7 bytes: "welcome""#).unwrap();
    assert_eq!(again(|| stream.read(&mut [0])).unwrap(), 0);
}

#[test]
fn with_listen_first_a_server_without_a_word_is_the_end_of_the_stream() {
    let mut stage = stage();
    let (client, stream) = stage.called_by(&["--listen-first", "--say", "hello"]);
    drop(stream);
    fails_with(&mut stage, client, "end of stream before a greeting");
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
fn it_takes_its_messages_from_the_input(#[case] input: &[u8], #[case] messages: &[u8]) {
    let mut stage = stage();
    let (client, stream) = stage.called_by(&[]);
    // After "quit" nobody reads the rest.
    let _ = stage.take_input(client).unwrap().write_all(input);
    assert_eq!(echoed(stream), messages);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    let lines = stage.lines(client).join("\n");
    assert!(!lines.contains("sending 0 bytes"), "{lines}");
    assert!(!lines.contains(">>:"), "{lines}");
}

#[test]
fn what_is_said_by_flag_goes_out_in_order_and_the_input_is_left_alone() {
    let mut stage = stage();
    let args = ["--say", "one", "--say", "quit", "--say", "three"];
    let (client, stream) = stage.called_by(&args);
    let _ = stage.tell(client, "from the input");
    assert_eq!(echoed(stream), b"onequitthree");
}

#[rstest]
#[case::far("60000")]
#[case::one_byte("1")]
fn however_far_it_sends_ahead_a_long_message_arrives_whole(#[case] ahead: &str) {
    let mut stage = stage();
    let message = "abcdefghi\x7f".repeat(1000);
    let (client, stream) = stage.called_by(&["--ahead", ahead, "--say", &message]);
    assert_eq!(echoed(stream), message.as_bytes());
    stage.wait_line(client, "received 10000 bytes").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[test]
fn an_empty_message_sends_nothing_and_gets_no_answer() {
    let mut stage = stage();
    let (client, stream) = stage.called_by(&["--send-empty", "--say", "hello"]);
    // The first bytes that the server hears are those of the next message.
    assert_eq!(echoed(stream), b"hello");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(
        stage.lines(client)[2..],
        [
            r#"sending 0 bytes: """#,
            "  0 bytes taken by the kernel",
            "gave up after 0.5 s: no answer",
            r#"sending 5 bytes: "hello""#,
            "  taken by the kernel",
            r#"received 5 bytes: "hello""#,
            "closed the connection",
        ]
    );
}

/// Answers each receive with what it brought, until the client hangs up; gives
/// all that it heard.
fn echoed(mut stream: TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut buffer = [0; 700];
    loop {
        let length = again(|| stream.read(&mut buffer)).unwrap();
        if length == 0 {
            return heard;
        }
        heard.extend(&buffer[..length]);
        stream.write_all(&buffer[..length]).unwrap();
    }
}

#[test]
fn after_it_has_given_up_it_waits_for_the_next_answer_as_long_as_it_takes() {
    let mut stage = stage();
    let (client, mut stream) = stage.called_by(&["--send-empty", "--say", "hello"]);
    assert_eq!(read(&stream, 5), b"hello");
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_millis(600) {
        assert!(nothing_comes(&stream));
    }
    stream.write_all(b"HELLO").unwrap();
    stage.wait_line(client, r#"received 5 bytes: "HELLO""#).unwrap();
}

#[test]
fn bytes_that_come_after_an_empty_message_are_not_taken_for_its_answer() {
    let mut stage = stage();
    let (_, addr) = stage.server(&["--greeting", "hi"]);
    let client = stage.client(addr, &["--send-empty", "--say", "hello"]);
    stage.wait_line(client, "bytes came that answer nothing").unwrap();
    // Without --listen-first the greeting is taken for the answer.
    stage.wait_line(client, "received 5 bytes: \"hi").unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
}

#[rstest]
#[case::with_a_close(&[], "closed the connection", None)]
#[case::with_a_reset(&["--reset"], "reset the connection", Some(ErrorKind::ConnectionReset))]
fn it_ends_the_call_as_it_says(
    #[case] more: &[&str],
    #[case] said: &str,
    #[case] error: Option<ErrorKind>,
) {
    let mut stage = stage();
    let (client, mut stream) = stage.called_by(&[&["--say", "hello"], more].concat());
    read(&stream, 5);
    stream.write_all(b"HELLO").unwrap();
    stage.wait_line(client, said).unwrap();
    assert!(stage.wait_exit(client).unwrap().success());
    assert_eq!(
        again(|| stream.read(&mut [0])).err().map(|error| error.kind()),
        error
    );
}

#[test]
fn a_call_that_cannot_be_made_is_an_error_of_one_line_with_a_way_out() {
    let mut stage = stage();
    let addr = closed_port();
    let client = stage.client(addr, &[]);
    let error = stage.failure(client);
    assert!(error.starts_with(&format!("connect {addr}: connection refused")));
    assert!(error.contains("start the server first"), "{error}");
}

#[rstest]
#[case::an_empty_message(&["--say", ""], "--say")]
#[case::nothing_ahead(&["--ahead", "0"], "--ahead")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    client().refuses(args, named);
}
