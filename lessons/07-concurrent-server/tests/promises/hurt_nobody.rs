//! What one caller does, or what fails for one caller, hurts nobody else.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use house::raw::again;
use scene::{Actor, Ending, Stage};

use crate::common::{
    call, exchange, nothing_comes, nothing_comes_for, push_until_it_stalls, read, reset, server,
    server_with_limit, stage,
};

pub fn a_caller_that_never_writes(model: &str) {
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
pub fn a_caller_that_never_reads(model: &str) {
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
pub fn a_caller_that_sends_without_a_pause(model: &str) {
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

pub fn a_caller_that_resets_its_call(model: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let rude = call(addr);
    assert_eq!(exchange(&rude, b"hello"), b"HELLO");
    let other = call(addr);
    reset(rude);
    assert_eq!(exchange(&other, b"hello"), b"HELLO");
    stage.wait_line(server, "#1 connection reset by peer").unwrap();
    drop(other);
    stage.wait_line(server, "#2 closed").unwrap();
    assert_eq!(
        last_line(&mut stage, server),
        "stopped: 2 calls, 10 bytes, 1 broken"
    );
}

/// In the pool there are two workers, and both have to survive three panics.
pub fn a_panic_in_its_handler(model: &str) {
    let mut stage = stage();
    let args = ["--panic-on", "boom", "--model", model, "--workers", "2"];
    let (server, addr) = server(&mut stage, &args);
    let innocent = call(addr);
    assert_eq!(exchange(&innocent, b"before"), b"BEFORE");
    for _ in 0..3 {
        let mut caller = call(addr);
        caller.write_all(b"ka-boom").unwrap();
        assert_eq!(
            again(|| caller.read(&mut [0])).unwrap(),
            0,
            "the call is hung up"
        );
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

/// The one that finds no descriptor waits in the queue, and accept does not
/// spin. With the limit lowered this far the first few calls use them all up.
pub fn a_caller_for_whom_no_descriptor_is_left(model: &str) {
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
