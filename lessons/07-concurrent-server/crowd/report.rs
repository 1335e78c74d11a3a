//! What the crowd has seen: the rate, the latencies, and who has failed.

use std::convert::Infallible;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::Called;

/// Why a caller failed.
pub enum Failure {
    Connect(io::Error),
    WrongBytes(String),
    Reset,
    EndOfStream,
    TimedOut,
    Other(io::Error),
}

/// The failed callers, each kind counted apart.
#[derive(Default)]
pub struct Failures {
    connect: usize,
    wrong_bytes: usize,
    reset: usize,
    end_of_stream: usize,
    timed_out: usize,
    other: usize,
    first: Option<String>,
}

impl Failures {
    pub fn add(&mut self, number: usize, addr: SocketAddr, failure: Failure) {
        let told = |operation, error: io::Error| {
            let Err(line) = Err::<Infallible, _>(error).called(operation, addr);
            line.to_string()
        };
        let ended = |how| format!("call to {addr}: {how}");
        let (counter, what) = match failure {
            Failure::Connect(error) => (&mut self.connect, told("connect", error)),
            Failure::WrongBytes(what) => (&mut self.wrong_bytes, format!("wrong bytes: {what}")),
            Failure::Reset => (&mut self.reset, ended("connection reset")),
            Failure::EndOfStream => (&mut self.end_of_stream, ended("end of stream")),
            Failure::TimedOut => (&mut self.timed_out, ended("timed out")),
            Failure::Other(error) => (&mut self.other, told("call to", error)),
        };
        *counter += 1;
        self.first.get_or_insert_with(|| format!("client {}: {what}", number + 1));
    }

    fn all(&self) -> usize {
        let Self {
            connect,
            wrong_bytes,
            reset,
            end_of_stream,
            timed_out,
            other,
            ..
        } = self;
        connect + wrong_bytes + reset + end_of_stream + timed_out + other
    }
}

/// What the crowd has seen.
pub struct Report {
    pub clients: usize,
    pub messages: usize,
    pub size: usize,
    pub took: Duration,
    pub idle: Duration,
    /// Of all answered messages, sorted.
    pub latencies: Vec<Duration>,
    pub failures: Failures,
}

impl Report {
    /// A crowd in which one caller failed has failed.
    pub fn verdict(&self) -> Result<()> {
        let (failed, clients) = (self.failures.all(), self.clients);
        match &self.failures.first {
            None => Ok(()),
            Some(first) => bail!("{failed} of {clients} clients failed; the first was {first}"),
        }
    }

    /// The latency that so many percent of the messages did not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.latencies.len() * percent).div_ceil(100);
        self.latencies[rank.max(1) - 1]
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            clients,
            messages,
            size,
            ..
        } = self;
        let answered = self.latencies.len();
        let all = clients.saturating_mul(*messages);
        let seconds = self.took.as_secs_f64();
        let per_second = answered as f64 / seconds;
        let busy = 100.0 - 100.0 * self.idle.as_secs_f64() / seconds;
        writeln!(
            out,
            "clients: {clients}, with {messages} messages of {size} bytes each"
        )?;
        writeln!(
            out,
            "answered: {answered} of {all} messages in {seconds:.3} s"
        )?;
        writeln!(out, "rate: {per_second:.0} messages per second")?;
        match answered {
            0 => writeln!(out, "latency: no message was answered")?,
            _ => {
                let [p50, p99, max] = [50, 99, 100].map(|percent| millis(self.percentile(percent)));
                writeln!(out, "latency: p50 {p50}, p99 {p99}, max {max}")?;
            }
        }
        let Failures {
            connect,
            wrong_bytes,
            reset,
            end_of_stream,
            timed_out,
            other,
            ..
        } = &self.failures;
        writeln!(
            out,
            "failures: connect {connect}, wrong bytes {wrong_bytes}, reset {reset}, \
             end of stream {end_of_stream}, timed out {timed_out}, other {other}"
        )?;
        write!(out, "the crowd was busy for {busy:.0} % of the time")?;
        if busy > 90.0 && answered > 0 {
            write!(out, ": it may be what limits the rate")?;
        }
        Ok(())
    }
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(milliseconds: &[u64]) -> Report {
        Report {
            clients: 1,
            messages: milliseconds.len(),
            size: 1,
            took: Duration::from_secs(2),
            idle: Duration::from_millis(500),
            latencies: milliseconds.iter().copied().map(Duration::from_millis).collect(),
            failures: Failures::default(),
        }
    }

    #[test]
    fn a_percentile_is_the_latency_that_so_many_percent_did_not_exceed() {
        let hundred: Vec<u64> = (1..=100).collect();
        for percent in [1, 50, 99, 100] {
            let latency = report(&hundred).percentile(percent);
            assert_eq!(latency, Duration::from_millis(percent as u64));
        }
        assert_eq!(report(&[7]).percentile(50), Duration::from_millis(7));
        assert_eq!(report(&[1, 2]).percentile(99), Duration::from_millis(2));
    }

    #[test]
    fn the_report_tells_the_rate_the_latencies_and_how_busy_it_was() {
        let text = report(&[10, 20, 30, 40]).to_string();
        assert!(
            text.contains("answered: 4 of 4 messages in 2.000 s\n"),
            "{text}"
        );
        assert!(text.contains("rate: 2 messages per second\n"), "{text}");
        assert!(
            text.contains("p50 20.00 ms, p99 40.00 ms, max 40.00 ms\n"),
            "{text}"
        );
        assert!(
            text.ends_with("the crowd was busy for 75 % of the time"),
            "{text}"
        );
    }
}
