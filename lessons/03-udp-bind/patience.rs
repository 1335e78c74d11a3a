//! Patience: a wait for an answer that has an end. Lesson 5 explains it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::Called;

/// A time to wait, which has begun.
pub struct Patience {
    time: Duration,
    end: Instant,
}

impl Patience {
    /// This much from now on.
    pub fn of(time: Duration) -> Self {
        let end = Instant::now() + time;
        Self { time, end }
    }

    /// setsockopt(SO_RCVTIMEO): lets the next receive give up when the time is
    /// over. False when it is over already.
    pub fn lasts(&self, socket: &UdpSocket) -> Result<bool> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        socket.set_read_timeout(Some(left)).called("SO_RCVTIMEO of", "the socket")?;
        Ok(true)
    }
}

/// What there is to say when it is over.
impl fmt::Display for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waited = self.time.as_secs_f64();
        write!(
            f,
            "timed out after {waited} s; nobody is bound there, or it does not answer, \
             or a datagram was lost: does the server run?"
        )
    }
}

/// Whether a receive ended before there was anything to receive: by the clock, or
/// by a signal that stopped the program for a while. A timeout is named
/// differently by different systems.
pub fn ended_early(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// A time to wait: more than nothing, at most a day.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() && seconds <= 86_400.0 => Ok(time),
        _ => Err("write a number of seconds, such as 2 or 0.5".into()),
    }
}
