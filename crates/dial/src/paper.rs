//! What the terminal allows: its width, and whether colours are welcome.

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::{Context, Result};
use views::text::Paper;

/// In cells; 80 where there is no terminal, never more than is easy to read.
pub(crate) fn width() -> usize {
    let width = kernel::terminal::width();
    width.clamp(40, 100)
}

/// Cuts between words, with an indent on every row.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let spaces = " ".repeat(indent);
    let options = textwrap::Options::new(width())
        .initial_indent(&spaces)
        .subsequent_indent(&spaces);
    textwrap::fill(text, options)
}

/// To stdout; a reader that went away, as in `| head`, is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write to stdout")
        }
        _ => Ok(()),
    }
}

/// For the X-ray: as wide as the terminal, with colours if it is one.
pub(crate) fn paper() -> Paper {
    let width = kernel::terminal::width();
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let colour = wanted && io::stdout().is_terminal();
    // The paper has decided; the library is not to decide again.
    colored::control::set_override(colour);
    Paper {
        width,
        colour,
        ascii: false,
    }
}
