//! Ctrl-C, where a model differs from the others.
#![cfg(unix)]

use std::io::{ErrorKind, Read, Write};

use rstest::rstest;
use scene::Ending;

use crate::common::{call, exchange, server, server_with_limit, stage};

/// The thread that would close the listener is talking. Who waits in the queue
/// is reset when it does.
#[test]
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
    let end = queued.read(&mut [0]).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    let lines = stage.lines(server);
    assert_eq!(lines.last().unwrap(), "stopped: 1 call, 11 bytes");
}

/// The caller has gone before the server waits for the next one. So accept
/// waits with the last descriptor in its hands when the stop comes.
#[rstest]
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
