//! The client as one caller.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::Ending;

use crate::common::{accept, closed_port, listener, nothing_comes, read, server, stage, text};
use crate::lesson;
use crate::our_client::{CLIENT, client, run_client};

#[test]
fn it_sends_each_message_of_the_command_line() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &["--say", "hello", "--say", "world"]);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    let lines = stage.lines(client);
    assert_eq!(lines[0], format!("connected to {addr}"));
    assert!(lines[1].starts_with("  from 127.0.0.1:"), "{lines:?}");
    let said = [
        "sending 5 bytes: \"hello\"",
        "received 5 bytes: \"HELLO\"",
        "sending 5 bytes: \"world\"",
        "received 5 bytes: \"WORLD\"",
        "closed the connection",
    ];
    assert_eq!(lines[2..], said);
}

#[rstest]
#[case::until_the_end(b"one\n\ntwo\n")]
#[case::until_quit(b"one\r\n\n\ntwo\nquit\nthree\n")]
#[case::without_a_last_line_end(b"one\ntwo")]
fn it_sends_each_line_of_its_input(#[case] input: &[u8]) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let output = run_client(&["--addr", &addr.to_string()], input);
    assert!(output.status.success());
    let said = text(&output.stdout).lines().skip(2).collect::<Vec<_>>();
    let expected = [
        "sending 3 bytes: \"one\"",
        "received 3 bytes: \"ONE\"",
        "sending 3 bytes: \"two\"",
        "received 3 bytes: \"TWO\"",
        "closed the connection",
    ];
    assert_eq!(said, expected);
}

/// More than all buffers on the way can hold.
#[test]
fn a_line_of_many_megabytes_gets_its_answer() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--quiet"]);
    let line = vec![b'x'; 20 << 20];
    let output = run_client(&["--addr", &addr.to_string()], &line);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("received 20971520 bytes"));
}

#[test]
fn it_thinks_before_each_message() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let start = Instant::now();
    let think = ["--think", "0.1", "--say", "one", "--say", "two"];
    let client = client(&mut stage, addr, &think);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn an_end_of_the_stream_before_the_answer_is_an_error_and_named_so() {
    let (listener, addr) = listener();
    let addr = addr.to_string();
    let server = thread::spawn(move || {
        let mut call = accept(&listener);
        call.read_exact(&mut [0; 5]).unwrap();
        call.write_all(b"HE").unwrap();
    });
    let output = run_client(&["--addr", &addr, "--say", "hello"], b"");
    server.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    let start = format!("recv from {addr}: end of stream after 2 of 5 bytes; ");
    assert!(line.starts_with(&start), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn it_waits_for_an_answer_no_longer_than_its_deadline() {
    let (_listener, addr) = listener();
    let addr = addr.to_string();
    let args = ["--addr", &addr, "--say", "hello", "--deadline", "0.1"];
    let output = run_client(&args, b"");
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    let words = ": timed out; no answer within the deadline";
    assert!(line.contains(words), "{line}");
}

#[test]
fn where_nobody_listens_it_is_refused() {
    let addr = closed_port();
    let output = run_client(&["--addr", &addr.to_string(), "--say", "hello"], b"");
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    let start = format!("connect {addr}: connection refused");
    assert!(line.starts_with(&start), "{line}");
}

#[rstest]
#[case::a_time_below_zero(&["--think", "-1"], "write seconds from 0")]
#[case::nothing_to_say(&["--say", ""], "--say")]
#[case::a_crowd_of_nobody(&["--clients", "0"], "--clients")]
#[case::messages_without_a_crowd(&["--messages", "3"], "--messages")]
#[case::a_size_without_a_crowd(&["--size", "3"], "--size")]
#[case::empty_messages(&["--clients", "1", "--size", "0"], "--size")]
#[case::no_messages(&["--clients", "1", "--messages", "0"], "--messages")]
#[case::a_crowd_that_says_something(&["--clients", "1", "--say", "hello"], "--say")]
#[case::a_deadline_of_zero(&["--say", "hello", "--deadline", "0"], "--deadline")]
#[case::a_deadline_below_zero(&["--deadline=-1"], "--deadline")]
#[case::a_deadline_that_is_no_number(&["--deadline", "NaN"], "--deadline")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    lesson::client().refuses(args, named);
}

#[rstest]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_closed_stdout_ends_it_without_a_panic(
    #[values(&["--say", "hello"][..], &["--clients", "2"][..])] args: &[&str],
) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    // A pipe that nobody reads would do, too; but for a moment a process that
    // another test is starting may hold its other end.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(CLIENT);
    let command = command.args(["--addr", &addr.to_string()]).args(args);
    let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn with_listen_first_it_hears_a_greeting_before_it_speaks() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let client = client(&mut stage, addr, &["--listen-first", "--say", "hello"]);
    let mut call = accept(&listener);
    assert!(nothing_comes(&call));
    call.write_all("成功连接服务器!".as_bytes()).unwrap();
    stage.wait_line(client, "received 22 bytes: \"成功连接服务器!\"").unwrap();
    assert_eq!(read(&call, 5), b"hello");
}
