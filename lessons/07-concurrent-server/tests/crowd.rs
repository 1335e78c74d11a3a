//! The client as a crowd.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Output;
use std::thread;

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{accept, closed_port, listener, reset, server, stage, text};
use crate::our_client::{CLIENT, client, run_client};

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

#[rstest]
#[case::tcp(&[], "connect", "connect 2")]
#[case::udp(&["--udp"], "call to", "other 2")]
fn a_crowd_that_nobody_answers_is_told_the_way_out(
    #[case] udp: &[&str],
    #[case] operation: &str,
    #[case] counted: &str,
) {
    let addr = closed_port();
    let to = addr.to_string();
    let args = [&["--addr", &to, "--clients", "2"], udp].concat();
    let output = run_client(&args, b"");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("answered: 0 of 20 messages"), "{said}");
    assert!(said.contains("latency: no message was answered"), "{said}");
    assert!(said.contains(&failures(counted)), "{said}");
    let line = text(&output.stderr);
    let reason = format!("client 1: {operation} {addr}: connection refused");
    assert!(line.contains(&reason), "{line}");
    assert!(line.contains("; nobody listens there: start the"), "{line}");
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
