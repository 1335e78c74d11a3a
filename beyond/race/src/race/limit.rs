//! The line that nobody crosses: what the kernel itself costs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::machine::own_cpu;

/// What one message costs without a server, both its ends together.
#[derive(Clone, Copy)]
pub struct Limit {
    pub time: Duration,
    /// By the clock of the thread, which stands still while others run. The
    /// thread never waits, so on a quiet machine both are the same.
    pub cpu: Duration,
}

impl Limit {
    /// What disturbs makes it longer, so the shorter one is right.
    pub fn least(self, other: Self) -> Self {
        Self {
            time: self.time.min(other.time),
            cpu: self.cpu.min(other.cpu),
        }
    }
}

/// One thread holds both ends of one connection, and plays both parts: send,
/// receive, send back, receive. Nobody waits, nobody is woken, there is no
/// server and no choice of whom to serve.
pub fn one_thread_one_pair(size: usize, time: Duration) -> Result<Limit> {
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
    let mut best: Option<Limit> = None;
    for _ in 0..8 {
        let (began, cpu) = (Instant::now(), own_cpu()?);
        let mut messages = 0;
        while began.elapsed() < time / 8 {
            for _ in 0..50 {
                exchange()?;
            }
            messages += 50;
        }
        // Within the time, so that it is no longer.
        let cpu = (own_cpu()? - cpu) / messages;
        let time = began.elapsed() / messages;
        let run = Limit { time, cpu };
        best = Some(best.map_or(run, |best| best.least(run)));
    }
    best.context("no run")
}
