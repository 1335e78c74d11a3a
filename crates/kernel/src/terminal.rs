//! What the terminal allows, and whether somebody still reads.

#![allow(unsafe_code)]

use std::env;
use std::io::{self, ErrorKind, IsTerminal};

/// Where there is no terminal, as in a pipe.
const USUAL_WIDTH: usize = 80;

/// How many columns the terminal has; 80 where there is none.
pub fn width() -> usize {
    size().map_or(USUAL_WIDTH, |(columns, _)| columns.into())
}

/// Columns and rows of the terminal: of that of stdout, else of stderr, else of
/// stdin (ioctl_tty(2), TIOCGWINSZ). None where none of them is a terminal that
/// knows its size.
pub fn size() -> Option<(u16, u16)> {
    #[cfg(unix)]
    return unix::size();
    #[cfg(not(unix))]
    None
}

/// Whether colours are wanted on stdout: it is a terminal that knows them, and
/// NO_COLOR (<https://no-color.org>) is not set, or is empty.
pub fn colour() -> bool {
    io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && !is_dumb()
}

/// Whether a person sits there: stdin is a keyboard, and stdout a screen.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
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
mod unix {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

    pub(super) fn size() -> Option<(u16, u16)> {
        of(io::stdout().as_fd())
            .or_else(|| of(io::stderr().as_fd()))
            .or_else(|| of(io::stdin().as_fd()))
    }

    fn of(stream: BorrowedFd) -> Option<(u16, u16)> {
        let size = &mut libc::winsize {
            ws_row: 0,
            ws_col: 0,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the kernel writes one winsize to where the pointer points.
        let result = unsafe {
            libc::ioctl(
                stream.as_raw_fd(),
                libc::TIOCGWINSZ,
                std::ptr::from_mut(size),
            )
        };
        // A terminal that does not know its size says 0.
        let known = result == 0 && size.ws_col > 0 && size.ws_row > 0;
        known.then_some((size.ws_col, size.ws_row))
    }
}
