//! What one caller does, or what fails for one caller, hurts nobody else.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rstest::rstest;
use scene::{Actor, Ending, Stage};

use crate::common::{
    self, call, exchange, nothing_comes, nothing_comes_for, push_until_it_stalls, read, reset,
    server, server_with_limit, stage,
};

#[rstest]
fn a_caller_that_never_writes(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let silent = call(addr);
    stage.wait_line(server, "#1 accepted").unwrap();
    for _ in 0..3 {
        assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
    }
    assert_eq!(exchange(&silent, b"at last"), b"AT LAST");
}

/// It is not read from while it does not read, and gets each byte afterwards.
#[rstest]
fn a_caller_that_never_reads(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let args = ["--model", model, "--quiet", "--reply", "echo"];
    let (_, addr) = server(&mut stage, &args);
    let piece: Vec<u8> = (0..=250).cycle().take(251 * 1000).collect();
    let deaf = call(addr);
    let sent = push_until_it_stalls(&deaf, &piece);
    for _ in 0..3 {
        assert_eq!(exchange(&call(addr), b"hello"), b"hello");
    }
    let expected: Vec<u8> = piece.iter().copied().cycle().take(sent).collect();
    assert!(read(&deaf, sent) == expected);
    assert!(nothing_comes(&deaf));
}

/// Two of its threads send and receive as fast as they can.
#[rstest]
fn a_caller_that_sends_without_a_pause(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", model, "--quiet"]);
    let loud = call(addr);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if (&loud).write_all(&[b'x'; 65_536]).is_err() {
                    return;
                }
            }
            let _ = loud.shutdown(Shutdown::Write);
        });
        scope.spawn(|| {
            let mut buffer = vec![0; 65_536];
            while matches!((&loud).read(&mut buffer), Ok(1..)) {}
        });
        // The scope waits for both, also when something in here fails.
        let _over = SetWhenDropped(&over);
        let other = call(addr);
        for _ in 0..20 {
            assert_eq!(exchange(&other, b"hello"), b"HELLO");
        }
    });
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
    let before = said
        .iter()
        .take_while(|line| !line.contains("#2 received 20"));
    let turns = before.filter(|line| line.contains("#1 received")).count();
    assert!(turns < 50, "it was heard {turns} times before the other");
}

#[rstest]
fn a_caller_that_resets_its_call(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let rude = call(addr);
    assert_eq!(exchange(&rude, b"hello"), b"HELLO");
    let other = call(addr);
    reset(rude);
    assert_eq!(exchange(&other, b"hello"), b"HELLO");
    stage
        .wait_line(server, "#1 connection reset by peer")
        .unwrap();
    drop(other);
    stage.wait_line(server, "#2 closed").unwrap();
    assert_eq!(
        last_line(&mut stage, server),
        "stopped: 2 calls, 10 bytes, 1 broken"
    );
}

#[rstest]
fn a_client_that_is_killed(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let victim = common::client(&mut stage, addr, &[]);
    stage.tell(victim, "hello").unwrap();
    stage.wait_line(victim, "received 5 bytes").unwrap();
    stage.kill(victim).unwrap();
    stage.wait_line(server, "#1 closed").unwrap();
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
}

/// In the pool there are two workers, and both have to survive three panics.
#[rstest]
fn a_panic_in_its_handler(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let args = ["--panic-on", "boom", "--model", model, "--workers", "2"];
    let (server, addr) = server(&mut stage, &args);
    let innocent = call(addr);
    assert_eq!(exchange(&innocent, b"before"), b"BEFORE");
    for _ in 0..3 {
        let mut caller = call(addr);
        caller.write_all(b"ka-boom").unwrap();
        assert_eq!(caller.read(&mut [0]).unwrap(), 0, "the call is hung up");
        stage.wait_line(server, "the handler panicked").unwrap();
    }
    assert_eq!(exchange(&innocent, b"after"), b"AFTER");
    let other = call(addr);
    assert_eq!(exchange(&other, b"hello"), b"HELLO");
    drop((innocent, other));
    stage.wait_line(server, "closed the connection").unwrap();
    let line = last_line(&mut stage, server);
    assert_eq!(line, "stopped: 5 calls, 16 bytes, 3 panicked");
    let said = stage.lines(server);
    let panics = said.iter().filter(|line| line.contains("panic at "));
    assert_eq!(panics.count(), 3, "each takes one line");
    assert!(!said.iter().any(|line| line.contains("RUST_BACKTRACE")));
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

/// The one that finds no descriptor waits in the queue, and accept does not
/// spin. With the limit lowered this far the first few calls use them all up.
#[rstest]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc and a limit by ulimit")]
fn a_caller_for_whom_no_descriptor_is_left(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let args = ["--model", model, "--workers", "30"];
    let (server, addr) = server_with_limit(&mut stage, "-n 20", &args);
    let mut callers: Vec<TcpStream> = (0..30).map(|_| call(addr)).collect();
    for caller in &mut callers {
        caller.write_all(b"x").unwrap();
    }
    let line = stage.wait_line(server, "too many open files").unwrap();
    assert!(line.starts_with(&format!("accept on {addr}: ")), "{line}");
    assert!(line.contains("ulimit -n"), "{line}");
    assert_eq!(read(&callers[0], 1), b"X");

    let before = processor_time(stage.pid(server));
    assert!(nothing_comes_for(Duration::from_secs(1), &callers[29]));
    let spent = processor_time(stage.pid(server)) - before;
    assert!(
        spent < Duration::from_millis(200),
        "in one second: {spent:?}"
    );
    assert_eq!(exchange(&callers[0], b"still here"), b"STILL HERE");

    stage.wait_line(server, "#1 sending 10 bytes").unwrap();
    // A thread that begins may open a file for a moment. So there can be two
    // complaints, but not two with no call accepted between them.
    let mut complained = false;
    for line in stage.lines(server) {
        if line.contains("too many") {
            assert!(!complained, "not one for each try");
            complained = true;
        } else if line.contains("accepted a call") {
            complained = false;
        }
    }
    let last = callers.pop().unwrap();
    drop(callers);
    assert_eq!(read(&last, 1), b"X");
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

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn last_line(stage: &mut Stage, server: Actor) -> String {
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    stage.lines(server).pop().unwrap()
}

/// What a process has used of a processor so far, in user and kernel mode.
fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name before it may contain anything, but it ends with the last ")".
    let (_, numbers) = stat.rsplit_once(") ").unwrap();
    let mut numbers = numbers.split(' ').skip(11);
    let mut ticks = || numbers.next().unwrap().parse::<u64>().unwrap();
    // A tick is a hundredth of a second.
    Duration::from_millis((ticks() + ticks()) * 10)
}
