//! What the terminal allows, and whether somebody still reads.

#![allow(unsafe_code)]

use std::env;
use std::io::{self, ErrorKind, IsTerminal};

/// In a pipe, and where the terminal does not say.
const USUAL_WIDTH: usize = 80;

/// How many columns the terminal has: that of stdout, else that of stderr, else
/// that of stdin (`ioctl` TIOCGWINSZ); 80 where none of them is a terminal.
pub fn width() -> usize {
    columns().unwrap_or(USUAL_WIDTH)
}

/// Whether colours are wanted on stdout: it is a terminal that knows them, and
/// NO_COLOR (<https://no-color.org>) is not set, or is empty.
pub fn colour() -> bool {
    io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && !is_dumb()
}

/// Whether the cursor can be moved: TERM names a terminal that is not dumb.
pub fn moves() -> bool {
    env::var_os("TERM").is_some_and(|term| !term.is_empty()) && !is_dumb()
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether the reader of what we write went away, as in `| head`: EPIPE. A program
/// ends then, and has nothing to complain about.
pub fn is_reader_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}

#[cfg(unix)]
fn columns() -> Option<usize> {
    use std::os::fd::AsRawFd;
    let streams = [
        io::stdout().as_raw_fd(),
        io::stderr().as_raw_fd(),
        io::stdin().as_raw_fd(),
    ];
    streams.into_iter().find_map(|stream| {
        let mut size = libc::winsize {
            ws_row: 0,
            ws_col: 0,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the kernel writes one winsize to where the pointer points.
        let result = unsafe { libc::ioctl(stream, libc::TIOCGWINSZ, &raw mut size) };
        // A terminal that does not know its size says 0.
        (result == 0 && size.ws_col > 0 && size.ws_row > 0).then(|| size.ws_col.into())
    })
}

#[cfg(not(unix))]
fn columns() -> Option<usize> {
    None
}
