//! What hurts nobody else, where a model differs from the others.

use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::thread;

use rstest::rstest;

use crate::common::{call, exchange, push_until_it_stalls, read, server, server_with_limit, stage};
use crate::our_client::client;

/// The server is stopped until both have something to say, the loud one first.
/// A thread or a task would be interrupted; the event loop has to stop itself.
#[test]
#[cfg(unix)]
fn a_caller_with_a_long_speech_in_the_event_loop() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", "event-loop"]);
    let (loud, mut other) = (call(addr), call(addr));
    assert_eq!(exchange(&loud, b"hello"), b"HELLO");
    assert_eq!(exchange(&other, b"hello"), b"HELLO");
    let signal = |name: &str| {
        let pid = stage.pid(server).to_string();
        let kill = Command::new("kill").args([name, pid.as_str()]).status();
        assert!(kill.unwrap().success());
    };
    signal("-STOP");
    let sent = push_until_it_stalls(&loud, &[b'x'; 100_000]);
    assert!(sent > 100 * 4096, "{sent}");
    other.write_all(b"let me say something").unwrap();
    signal("-CONT");
    thread::scope(|scope| {
        scope.spawn(|| read(&loud, sent));
        assert_eq!(read(&other, 20), b"LET ME SAY SOMETHING");
    });
    stage.wait_line(server, "#2 received 20 bytes").unwrap();
    let said = stage.lines(server);
    let before = said.iter().take_while(|line| !line.contains("#2 received 20"));
    let turns = before.filter(|line| line.contains("#1 received")).count();
    assert!(turns < 50, "it was heard {turns} times before the other");
}

#[rstest]
fn a_client_that_is_killed(
    #[values("one-at-a-time", "thread-per-client", "thread-pool", "event-loop", "async")]
    model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let victim = client(&mut stage, addr, &[]);
    stage.tell(victim, "hello").unwrap();
    stage.wait_line(victim, "received 5 bytes").unwrap();
    stage.kill(victim).unwrap();
    stage.wait_line(server, "#1 closed").unwrap();
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
}

#[test]
fn a_panic_of_one_at_a_time_ends_the_call_and_not_the_server() {
    let mut stage = stage();
    let args = ["--panic-on", "boom", "--model", "one-at-a-time"];
    let (_, addr) = server(&mut stage, &args);
    let mut caller = call(addr);
    caller.write_all(b"boom").unwrap();
    assert_eq!(caller.read(&mut [0]).unwrap(), 0);
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
}

/// A new thread needs memory for its stack. Whoever gets none is turned away.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs a limit by ulimit")]
fn a_caller_for_whom_no_thread_is_left() {
    let mut stage = stage();
    let (server, addr) = server_with_limit(&mut stage, "-v 60000", &[]);
    let first = call(addr);
    assert_eq!(exchange(&first, b"hello"), b"HELLO");
    let mut others = Vec::new();
    let refused = loop {
        let mut caller = call(addr);
        caller.write_all(b"x").unwrap();
        match caller.read(&mut [0]) {
            Ok(1) => others.push(caller),
            Ok(_) => break None,
            Err(error) => break Some(error.kind()),
        }
        assert!(others.len() < 1000, "there was always a thread");
    };
    // What it sent may have been unread when it was hung up on.
    assert!(matches!(refused, None | Some(ErrorKind::ConnectionReset)));
    stage.wait_line(server, "thread for 127.0.0.1:").unwrap();
    let said = stage.lines(server);
    assert!(said.iter().any(|line| line.ends_with("turned away")));
    assert_eq!(exchange(&first, b"again"), b"AGAIN");
    drop(others);
}
