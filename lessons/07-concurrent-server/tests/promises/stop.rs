//! Ctrl-C: what is running may finish, within a deadline, and it says so.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use house::raw::again;
use scene::Ending;

use crate::common::{
    PATIENCE, call, exchange, push_until_it_stalls, read, server, server_with_limit, stage,
};

pub fn a_running_call_may_finish_while_nobody_new_is_connected(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model, "--grace", "60"]);
    let caller = call(addr);
    assert_eq!(exchange(&caller, b"before"), b"BEFORE");
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "asked to stop: 1 running call, 60 s left").unwrap();
    stage.wait_line(server, "closed the listener").unwrap();
    let refused = TcpStream::connect(addr).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(exchange(&caller, b"after"), b"AFTER");
    drop(caller);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let lines = stage.lines(server);
    assert_eq!(lines.last().unwrap(), "stopped: 1 call, 11 bytes");
}

pub fn a_silent_call_is_cut_off_at_once_without_a_grace(model: &str) {
    a_silent_call_is_cut_off(model, "0");
}

pub fn a_silent_call_is_cut_off_at_the_deadline(model: &str) {
    a_silent_call_is_cut_off(model, "0.2");
}

fn a_silent_call_is_cut_off(model: &str, grace: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model, "--grace", grace]);
    let mut caller = call(addr);
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    let asked = Instant::now();
    stage.interrupt(server).unwrap();
    assert_eq!(
        again(|| caller.read(&mut [0])).unwrap(),
        0,
        "the end of the stream"
    );
    assert!(asked.elapsed() >= Duration::from_secs_f64(grace.parse().unwrap()));
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let lines = stage.lines(server);
    assert!(lines.contains(&"#1 cut off: the time was over".to_string()));
    assert!(
        !lines.iter().any(|line| line.contains("hung up")),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap(), "stopped: 1 call, 5 bytes, 1 cut off");
}

/// Its handler does not wait in read, but in write.
pub fn a_call_whose_client_never_reads_is_cut_off_too(model: &str) {
    let mut stage = stage();
    let args = ["--model", model, "--grace", "0.1", "--quiet"];
    let (server, addr) = server(&mut stage, &args);
    let deaf = call(addr);
    push_until_it_stalls(&deaf, &[b'x'; 100_000]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let line = stage.lines(server).pop().unwrap();
    assert!(line.ends_with(", 1 cut off"), "{line}");
}

pub fn a_second_ctrl_c_ends_it_at_once_with_status_130(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model, "--grace", "3600"]);
    let caller = call(addr);
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "asked to stop").unwrap();
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "asked a second time").unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(130));
}

pub fn sigterm_is_a_request_to_stop_like_ctrl_c(model: &str) {
    let mut stage = stage();
    let (server, _) = server(&mut stage, &["--model", model]);
    let pid = stage.pid(server).to_string();
    let kill = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(kill.unwrap().success());
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let lines = stage.lines(server);
    assert_eq!(
        lines[1..],
        [
            "asked to stop",
            "closed the listener",
            "stopped: 0 calls, 0 bytes"
        ]
    );
}

pub fn it_stops_also_while_it_waits_for_a_place(model: &str) {
    let mut stage = stage();
    let args = ["--model", model, "--max-clients", "1", "--grace", "60"];
    let (server, addr) = server(&mut stage, &args);
    let caller = call(addr);
    stage.wait_line(server, "1 call running: no accept").unwrap();
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "closed the listener").unwrap();
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    drop(caller);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

pub fn it_stops_also_when_it_has_no_descriptor_left(model: &str) {
    let mut stage = stage();
    let args = ["--model", model, "--workers", "30", "--grace", "60"];
    let (server, addr) = server_with_limit(&mut stage, "-n 20", &args);
    let callers: Vec<TcpStream> = (0..30).map(|_| call(addr)).collect();
    stage.wait_line(server, "too many open files").unwrap();
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "closed the listener").unwrap();
    assert_eq!(exchange(&callers[0], b"hello"), b"HELLO");
    drop(callers);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

/// Bytes that the deadline overtakes: what the caller has got is whole.
pub fn what_was_sent_before_the_end_arrives(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model, "--grace", "60"]);
    let mut caller = call(addr);
    assert_eq!(exchange(&caller, b"before"), b"BEFORE");
    stage.interrupt(server).unwrap();
    stage.wait_line(server, "closed the listener").unwrap();
    caller.write_all(b"last words").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    assert_eq!(read(&caller, 10), b"LAST WORDS");
    caller.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(again(|| caller.read(&mut [0])).unwrap(), 0);
}
