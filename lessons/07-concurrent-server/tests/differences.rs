//! Where a model differs from the others: who waits, what hurts nobody, and Ctrl-C.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;

use house::raw::again;
use rstest::rstest;
use scene::Ending;

use crate::common::{
    call, exchange, nothing_comes, push_until_it_stalls, read, server, server_with_limit, stage,
};
use crate::our_client::client;

#[test]
fn one_at_a_time_means_that_the_second_waits_until_the_first_has_hung_up() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", "one-at-a-time"]);
    let first = call(addr);
    assert_eq!(exchange(&first, b"first"), b"FIRST");
    let mut second = call(addr);
    second.write_all(b"second").unwrap();
    assert!(nothing_comes(&second));
    assert!(!stage.lines(server).iter().any(|line| line.contains("#2")));
    drop(first);
    assert_eq!(read(&second, 6), b"SECOND");
}

#[test]
fn the_third_caller_of_a_pool_of_two_waits_for_a_worker() {
    let mut stage = stage();
    let args = ["--model", "thread-pool", "--workers", "2"];
    let (server, addr) = server(&mut stage, &args);
    let (first, second) = (call(addr), call(addr));
    assert_eq!(exchange(&first, b"first"), b"FIRST");
    assert_eq!(exchange(&second, b"second"), b"SECOND");
    stage.wait_line(server, "2 calls running").unwrap();
    let mut third = call(addr);
    third.write_all(b"third").unwrap();
    assert!(nothing_comes(&third));
    drop(first);
    assert_eq!(read(&third, 5), b"THIRD");
}

/// The accept queue of Linux is cut to net.core.somaxconn: 4,096 since 5.4.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the accept queue of Linux")]
fn three_hundred_callers_are_connected_while_one_is_being_served() {
    let mut stage = stage();
    let args = ["--model", "one-at-a-time", "--quiet"];
    let (_, addr) = server(&mut stage, &args);
    let mut callers: Vec<TcpStream> = (0..300).map(|_| call(addr)).collect();
    for caller in &mut callers {
        caller.write_all(b"x").unwrap();
    }
    for caller in callers {
        assert_eq!(read(&caller, 1), b"X");
    }
}

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
    assert_eq!(again(|| caller.read(&mut [0])).unwrap(), 0);
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
        match again(|| caller.read(&mut [0])) {
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

/// The thread that would close the listener is talking. Who waits in the queue
/// is reset when it does.
#[test]
#[cfg(unix)]
fn one_at_a_time_finishes_its_call_and_serves_nobody_from_the_queue() {
    let mut stage = stage();
    let args = ["--model", "one-at-a-time", "--grace", "60"];
    let (server, addr) = server(&mut stage, &args);
    let caller = call(addr);
    assert_eq!(exchange(&caller, b"before"), b"BEFORE");
    let mut queued = call(addr);
    queued.write_all(b"and me?").unwrap();
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "asked to stop").unwrap();
    assert_eq!(exchange(&caller, b"after"), b"AFTER");
    drop(caller);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let end = again(|| queued.read(&mut [0])).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    let lines = stage.lines(server);
    assert_eq!(lines.last().unwrap(), "stopped: 1 call, 11 bytes");
}

/// The caller has gone before the server waits for the next one. So accept
/// waits with the last descriptor in its hands when the stop comes.
#[rstest]
#[cfg(unix)]
#[cfg_attr(not(target_os = "linux"), ignore = "needs a limit by ulimit")]
fn it_stops_also_when_accept_has_taken_the_last_descriptor(
    #[values("thread-per-client", "thread-pool")] model: &str,
) {
    let mut stage = stage();
    let args = ["--model", model, "--workers", "30", "--grace", "60"];
    let (server, addr) = server_with_limit(&mut stage, "-n 20", &args);
    let mut callers = Vec::new();
    loop {
        callers.push(call(addr));
        let number = callers.len();
        stage.wait_line(server, &format!("#{number} accepted")).unwrap();
        let descriptors = format!("/proc/{}/fd", stage.pid(server));
        if std::fs::read_dir(descriptors).unwrap().count() == 19 {
            break;
        }
    }
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "closed the listener").unwrap();
    drop(callers);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}
