//! Time: what a timeout is, what it bounds, and what it leaves alone.

use std::{
    io::{ErrorKind, Write},
    mem::MaybeUninit,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use claims::{
    case, judge,
    lab::{MOMENT, PATIENCE, is_timeout, outcome, receive, tcp_pair},
};
use socket2::Socket;

#[test]
fn a_timeout_of_0_means_no_timeout() -> Result<()> {
    // The socket option takes zero for "forever"; socket2 hands it through.
    let (mut client, server) = tcp_pair()?;
    let server = Socket::from(server);
    server.set_read_timeout(Some(Duration::ZERO))?;
    let (tell, ended) = mpsc::channel();
    thread::spawn(move || tell.send(server.recv(&mut [MaybeUninit::uninit(); 16])));
    let waits = ended.recv_timeout(MOMENT).is_err();
    client.write_all(b"hello")?;
    ensure!(ended.recv_timeout(PATIENCE)?? == 5, "it can be ended");

    // std refuses to guess.
    let (_client, server) = tcp_pair()?;
    let refused = server.set_read_timeout(Some(Duration::ZERO));

    // Python's settimeout(0) makes the socket non-blocking.
    server.set_nonblocking(true)?;
    let at_once = receive(&server);

    judge!([
        case!(waits, "SO_RCVTIMEO of 0, recv waits: {waits}"),
        case!(
            refused.is_ok(),
            "std's set_read_timeout(0): {}",
            outcome(&refused)
        ),
        case!(
            !matches!(&at_once, Err(error) if error.kind() == ErrorKind::WouldBlock),
            "non-blocking, recv: {}",
            outcome(&at_once)
        ),
    ])
}

#[test]
fn a_receive_timeout_bounds_the_whole_request() -> Result<()> {
    const TIMEOUT: Duration = Duration::from_millis(800);
    let (mut client, server) = tcp_pair()?;
    server.set_read_timeout(Some(TIMEOUT))?;
    // A byte every 100 ms, until the server has heard enough. The pause is the
    // matter of this experiment, so it is one by the clock.
    let (enough, stop) = mpsc::channel::<()>();
    let drip = thread::spawn(move || {
        while stop.recv_timeout(TIMEOUT / 8) == Err(mpsc::RecvTimeoutError::Timeout) {
            client.write_all(b".")?;
        }
        Ok::<_, std::io::Error>(())
    });
    let start = Instant::now();
    let error = loop {
        match receive(&server) {
            Ok(_) if start.elapsed() > TIMEOUT => break None,
            Ok(_) => {}
            Err(error) => break Some(error),
        }
    };
    let waited = start.elapsed();
    drop(enough);
    drip.join().expect("the client does not panic")?;
    judge!([case!(
        error.is_some(),
        "timeout {TIMEOUT:?}, a byte every 100 ms: after {waited:?} {error:?}"
    )])
}

#[test]
fn a_timeout_ends_the_connection() -> Result<()> {
    let (mut client, server) = tcp_pair()?;
    server.set_read_timeout(Some(MOMENT))?;
    let timed_out = receive(&server);
    ensure!(
        matches!(&timed_out, Err(error) if is_timeout(error)),
        "nothing was sent, yet: {}",
        outcome(&timed_out)
    );
    server.set_read_timeout(Some(PATIENCE))?;
    client.write_all(b"hello")?;
    let later = receive(&server);
    judge!([case!(
        later.is_err(),
        "recv: {}; then data was sent, recv: {}",
        outcome(&timed_out),
        outcome(&later)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn a_receive_timeout_is_reported_as_timed_out() -> Result<()> {
    let (_client, server) = tcp_pair()?;
    server.set_read_timeout(Some(MOMENT))?;
    let error = receive(&server).expect_err("nothing was sent");
    judge!([case!(
        error.kind() == ErrorKind::TimedOut,
        "{:?}: {error}",
        error.kind()
    )])
}
