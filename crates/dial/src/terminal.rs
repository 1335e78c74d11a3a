//! What the terminal is and allows.

use std::env;
use std::io::{self, ErrorKind, IsTerminal};

/// Its width in cells; 80 where there is no terminal.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| width.0.into())
}

/// Whether colours are welcome: stdout is a terminal, and NO_COLOR is not set.
pub(crate) fn colour() -> bool {
    let unwelcome = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !unwelcome && io::stdout().is_terminal()
}

/// Whether there are a keyboard and a screen.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Whether whoever read our output went away, as in `| head`: that is no error of
/// ours, and needs no message.
pub(crate) fn is_reader_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe
}
