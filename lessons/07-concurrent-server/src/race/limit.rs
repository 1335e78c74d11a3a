//! The line that nobody crosses: what the kernel itself costs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

// ANCHOR: limit
/// One thread holds both ends of one connection, and plays both parts: send,
/// receive, send back, receive. Nobody waits, nobody is woken, there is no
/// server and no choice of whom to serve. Gives back the time of one message.
pub fn one_thread_one_pair(size: usize, time: Duration) -> Result<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").context("bind")?;
    let addr = listener.local_addr().context("getsockname")?;
    let mut caller = TcpStream::connect(addr).context("connect")?;
    let (mut server, _) = listener.accept().context("accept")?;
    for end in [&caller, &server] {
        end.set_nodelay(true).context("setsockopt")?;
        end.set_read_timeout(Some(Duration::from_secs(5)))?;
    }
    let (message, mut buffer) = (vec![b'X'; size], vec![0; size]);
    let mut exchange = || -> Result<()> {
        caller.write_all(&message)?;
        server.read_exact(&mut buffer)?;
        server.write_all(&buffer)?;
        caller.read_exact(&mut buffer)?;
        Ok(())
    };
    let mut best = Duration::MAX;
    // The best of some short runs: what disturbs makes it longer, never shorter.
    for _ in 0..8 {
        let began = Instant::now();
        let mut messages = 0;
        while began.elapsed() < time / 8 {
            for _ in 0..50 {
                exchange()?;
            }
            messages += 50;
        }
        best = best.min(began.elapsed() / messages);
    }
    Ok(best)
}
// ANCHOR_END: limit
