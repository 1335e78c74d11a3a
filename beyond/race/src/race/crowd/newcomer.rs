//! Whoever comes while all others are there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Crowd;

impl Crowd<'_> {
    /// A new caller beside all others: how long from its connect to its answer.
    pub fn newcomer(&self, patience: Duration) -> Result<Duration> {
        let began = Instant::now();
        let mut line = TcpStream::connect_timeout(&self.addr, patience).context("connect")?;
        line.set_read_timeout(Some(patience))
            .context("setsockopt")?;
        let mut asked = Vec::new();
        let message = self.text.asked(usize::MAX, 1, &mut asked);
        line.write_all(message).context("send")?;
        let mut wanted = Vec::new();
        let wanted = self.text.wanted(usize::MAX, 1, &mut wanted);
        let mut answer = vec![0; wanted.len()];
        line.read_exact(&mut answer).context("recv")?;
        ensure!(answer == wanted, "wrong bytes for the newcomer");
        Ok(began.elapsed())
    }
}
