//! The client as one caller, and as a crowd.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{listener, patient, reset, server, stage, text};
use crate::our_client::{CLIENT, client, run_client};

// One caller.

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

#[test]
fn lines_that_are_no_text_are_messages_too() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let output = run_client(&["--addr", &addr.to_string()], b"\xff\xfe a\n");
    assert!(output.status.success());
    let said = text(&output.stdout);
    assert!(said.contains(r#"received 4 bytes: "\xff\xfe A""#), "{said}");
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
#[case::tcp(&[], "connect")]
#[case::udp(&["--udp"], "call to")]
fn a_crowd_that_nobody_answers_is_told_the_way_out(#[case] udp: &[&str], #[case] operation: &str) {
    let addr = closed_port();
    let to = addr.to_string();
    let args = [&["--addr", &to, "--clients", "2"], udp].concat();
    let output = run_client(&args, b"");
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    let reason = format!("client 1: {operation} {addr}: connection refused");
    assert!(line.contains(&reason), "{line}");
    assert!(line.contains("; nobody listens there: start the"), "{line}");
}

#[test]
fn a_time_below_zero_is_told_what_is_right() {
    let output = run_client(&["--think", "-1"], b"");
    assert_eq!(output.status.code(), Some(2));
    let line = text(&output.stderr);
    assert!(line.contains("write seconds from 0"), "{line}");
}

#[rstest]
#[case::no_port(&["--addr", "127.0.0.1"])]
#[case::nothing_to_say(&["--say", ""])]
#[case::a_crowd_of_nobody(&["--clients", "0"])]
#[case::messages_without_a_crowd(&["--messages", "3"])]
#[case::a_size_without_a_crowd(&["--size", "3"])]
#[case::empty_messages(&["--clients", "1", "--size", "0"])]
#[case::no_messages(&["--clients", "1", "--messages", "0"])]
#[case::a_crowd_that_says_something(&["--clients", "1", "--say", "hello"])]
#[case::a_deadline_of_zero(&["--say", "hello", "--deadline", "0"])]
#[case::a_deadline_below_zero(&["--deadline=-1"])]
#[case::a_deadline_that_is_no_number(&["--deadline", "NaN"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    assert_eq!(run_client(args, b"").status.code(), Some(2));
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

// A crowd.

#[rstest]
fn a_crowd_is_answered_by_every_model(
    #[values("one-at-a-time", "thread-per-client", "thread-pool", "event-loop", "async")]
    model: &str,
    #[values("upper", "echo")] reply: &str,
    #[values("1", "64", "70000")] size: &str,
) {
    let mut stage = stage();
    let args = ["--model", model, "--reply", reply, "--quiet"];
    let (server, addr) = server(&mut stage, &args);
    let crowd = ["--clients", "20", "--messages", "5", "--size", size];
    let crowd = client(
        &mut stage,
        addr,
        &[&crowd[..], &["--reply", reply]].concat(),
    );
    assert_eq!(stage.wait_exit(crowd).unwrap(), Ending::Status(0));
    let lines = stage.lines(crowd);
    let first = format!("clients: 20, with 5 messages of {size} bytes each");
    assert_eq!(lines[0], first);
    assert!(lines[1].starts_with("answered: 100 of 100 messages in "));
    assert!(lines[2].starts_with("rate: ") && lines[2].ends_with(" messages per second"));
    let parts = ["latency: p50 ", " ms, p99 ", " ms, max "];
    assert!(
        parts.iter().all(|part| lines[3].contains(part)),
        "{lines:?}"
    );
    assert_eq!(lines[4], failures(""));
    stage.interrupt(server).unwrap();
    let sum = stage.wait_line(server, "stopped: ").unwrap();
    let bytes = 100 * size.parse::<u64>().unwrap();
    assert_eq!(sum, format!("stopped: 20 calls, {bytes} bytes"));
}

/// The callers send and receive at the same time: nobody waits for ever.
#[test]
fn a_message_that_is_larger_than_all_buffers_is_no_deadlock() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--quiet"]);
    let args = ["--clients", "2", "--messages", "1", "--size", "20000000"];
    let crowd = client(&mut stage, addr, &args);
    assert_eq!(stage.wait_exit(crowd).unwrap(), Ending::Status(0));
}

#[test]
fn a_server_that_answers_byte_by_byte_is_slow_but_right() {
    let output = crowd_against(
        &["--clients", "1", "--messages", "3"],
        |call: &TcpStream| {
            while let Some(byte) = receive(call, 1) {
                send(call, &byte.to_ascii_uppercase());
            }
        },
    );
    let said = text(&output.stdout);
    assert!(said.contains("answered: 3 of 3 messages"), "{said}");
    assert!(output.status.success());
}

/// Two clients, of which each meets the same fault. Each kind is counted apart.
#[rstest]
#[case::one_wrong_byte("wrong bytes 2", |call: &TcpStream| {
    let mut answer = receive(call, 64).unwrap().to_ascii_uppercase();
    answer[41] ^= 1;
    send(call, &answer);
    receive(call, 1);
})]
#[case::the_answer_of_a_message_before("wrong bytes 2", |call: &TcpStream| {
    let answer = receive(call, 64).unwrap().to_ascii_uppercase();
    send(call, &answer);
    receive(call, 64);
    send(call, &answer);
    receive(call, 1);
})]
#[case::the_bytes_as_they_came("wrong bytes 2", |call: &TcpStream| {
    let answer = receive(call, 64).unwrap();
    send(call, &answer);
    receive(call, 1);
})]
#[case::a_byte_too_many_after_the_last_answer("wrong bytes 2", |call: &TcpStream| {
    for _ in 0..2 {
        let answer = receive(call, 64).unwrap().to_ascii_uppercase();
        send(call, &answer);
    }
    send(call, b"!");
    receive(call, 1);
})]
#[case::an_end_before_the_answer("end of stream 2", |call: &TcpStream| {
    receive(call, 64);
})]
#[case::an_end_in_the_middle_of_the_answer("end of stream 2", |call: &TcpStream| {
    let answer = receive(call, 64).unwrap().to_ascii_uppercase();
    send(call, &answer[..63]);
})]
#[case::no_answer("timed out 2", |call: &TcpStream| {
    while receive(call, 1).is_some() {}
})]
#[case::an_answer_that_is_not_complete("timed out 2", |call: &TcpStream| {
    let answer = receive(call, 64).unwrap().to_ascii_uppercase();
    send(call, &answer[..63]);
    while receive(call, 1).is_some() {}
})]
#[case::a_reset("reset 2", |call: &TcpStream| {
    receive(call, 64);
    reset(call.try_clone().unwrap());
})]
fn a_failure_is_counted_as_what_it_is(#[case] expected: &str, #[case] behave: fn(&TcpStream)) {
    // Where the server answers, a busy machine may take long for it.
    let deadline = match expected.starts_with("timed out") {
        true => "0.3",
        false => "20",
    };
    let args = ["--clients", "2", "--messages", "2", "--deadline", deadline];
    let output = crowd_against(&args, behave);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains(&failures(expected)), "{said}");
    let error = text(&output.stderr);
    assert!(error.starts_with("2 of 2 clients failed; the first was client "));
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_refused_connect_is_a_connect_failure() {
    let addr = closed_port().to_string();
    let output = run_client(&["--addr", &addr, "--clients", "3"], b"");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("answered: 0 of 30 messages"), "{said}");
    assert!(said.contains("latency: no message was answered"), "{said}");
    assert!(said.contains(&failures("connect 3")), "{said}");
    let error = text(&output.stderr);
    let reason = format!("connect {addr}: connection refused");
    assert!(error.contains(&reason), "{error}");
}

/// On Linux two callers fit into a queue of length 1: the others get no answer.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the accept queue of Linux")]
fn a_connect_that_is_not_answered_is_a_connect_failure_too() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(1).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap().to_string();
    let args = ["--addr", &addr, "--clients", "6", "--deadline", "0.3"];
    let output = run_client(&args, b"");
    let said = text(&output.stdout);
    let counts = "connect 4, wrong bytes 0, reset 0, end of stream 0, timed out 2";
    assert!(said.contains(counts), "{said}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs a limit by ulimit")]
fn too_few_descriptors_are_a_clear_error_before_anybody_calls() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let script = "ulimit -n 20; exec \"$0\" \"$@\"";
    let addr = addr.to_string();
    let program = Program::new("sh").args(["-c", script, CLIENT]);
    let program = program.args(["--addr", &addr, "--clients", "100"]);
    let crowd = stage.start("crowd", &program).unwrap();
    assert_eq!(stage.wait_exit(crowd).unwrap(), Ending::Status(1));
    let lines = stage.lines(crowd);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains(" of 100: too many open files"),
        "{lines:?}"
    );
    assert!(lines[0].contains("\"ulimit -n 150\""), "{lines:?}");
    assert_eq!(stage.lines(server).len(), 1, "nobody has called");
}

/// The line of the failures, of which at most one kind is not zero.
fn failures(expected: &str) -> String {
    let kinds = [
        "connect",
        "wrong bytes",
        "reset",
        "end of stream",
        "timed out",
        "other",
    ];
    let counts = kinds.map(|kind| match expected.strip_prefix(kind) {
        Some(count) => format!("{kind}{count}"),
        None => format!("{kind} 0"),
    });
    format!("failures: {}", counts.join(", "))
}

/// The crowd calls a server that behaves like this in each call.
fn crowd_against(args: &[&str], behave: fn(&TcpStream)) -> Output {
    let (listener, addr) = listener();
    thread::spawn(move || {
        loop {
            let call = accept(&listener);
            thread::spawn(move || behave(&call));
        }
    });
    let addr = addr.to_string();
    run_client(&[&["--addr", &addr], args].concat(), b"")
}

/// Exactly so many bytes; none when the stream ends before.
fn receive(mut call: &TcpStream, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    call.read_exact(&mut bytes).ok().map(|()| bytes)
}

fn send(mut call: &TcpStream, bytes: &[u8]) {
    call.write_all(bytes).unwrap();
}

fn accept(listener: &TcpListener) -> TcpStream {
    patient(listener.accept().unwrap().0)
}

/// A port that is ours until the program ends, and that nobody listens on.
fn closed_port() -> SocketAddr {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    std::mem::forget(socket);
    addr
}

/// A program at a terminal, which a prompt needs. Python gives it one.
fn at_a_terminal(words: &[&str]) -> Program {
    let terminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
    Program::new("python3").args(terminal).args(words)
}

#[test]
#[ignore = "needs python3"]
fn ctrl_d_behind_a_word_ends_the_line_too() {
    let mut stage = stage();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let program = at_a_terminal(&[CLIENT, "--addr", &addr]);
    let client = stage.start("client", &program).unwrap();
    stage.tell(client, "word\u{4}\u{4}").unwrap(); // twice Ctrl-D
    stage.wait_line(client, "sending 4 bytes").unwrap();
    let lines = stage.lines(client);
    let sending = lines.iter().find(|line| line.contains("sending"));
    assert!(sending.unwrap().starts_with("sending"), "{lines:?}");
}

#[test]
#[ignore = "needs python3"]
fn ctrl_d_at_the_prompt_ends_the_line() {
    let mut stage = stage();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let script = "\"$0\" --addr \"$1\"; echo status $?";
    let program = at_a_terminal(&["sh", "-c", script, CLIENT, &addr]);
    let client = stage.start("client", &program).unwrap();
    stage.tell(client, "\u{4}").unwrap(); // Ctrl-D
    stage.wait_line(client, "status 0").unwrap();
    let lines = stage.lines(client);
    let prompts = lines.iter().filter(|line| line.starts_with(">>:"));
    let prompts: Vec<&str> = prompts.map(|line| line.trim_end()).collect();
    assert_eq!(prompts, [">>:"], "{lines:?}");
}
