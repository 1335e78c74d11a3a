//! The keyboard of the terminal.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};

use crate::show::Input;

/// The keyboard of the terminal that stdin is.
#[derive(Clone, Copy, Debug)]
pub struct Keyboard;

impl Input for Keyboard {
    fn next(&mut self, wait: Duration) -> io::Result<Option<Event>> {
        let wait = wait_for_keys(wait)?;
        match event::poll(wait)? {
            true => event::read().map(Some),
            false => Ok(None),
        }
    }
}

/// Waits, and says how long is left to wait. When the terminal is gone,
/// crossterm 0.29 reads its end again and again, so we do not ask it then.
#[cfg(unix)]
fn wait_for_keys(wait: Duration) -> io::Result<Duration> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    let stdin = rustix::stdio::stdin();
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    let limit = Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: wait.subsec_nanos().into(),
    };
    match poll(&mut fds, Some(&limit)) {
        // A signal, such as that the size of the terminal is another one.
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    if fds[0].revents().intersects(gone) {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the terminal is gone",
        ));
    }
    Ok(Duration::ZERO)
}

#[cfg(not(unix))]
fn wait_for_keys(wait: Duration) -> io::Result<Duration> {
    Ok(wait)
}
