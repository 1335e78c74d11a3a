//! Text on the terminal.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use views::text::Paper;

use kernel::terminal;

/// Cuts between words, with an indent on every row; no row is longer than is easy
/// to read.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let spaces = " ".repeat(indent);
    let options = textwrap::Options::new(terminal::width().clamp(40, 100))
        .initial_indent(&spaces)
        .subsequent_indent(&spaces);
    textwrap::fill(text, options)
}

/// A path as one would type it here.
pub(crate) fn short(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(here).unwrap_or(path);
    path.display().to_string()
}

/// To stdout; a reader that went away, as in `| head`, is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if !terminal::is_reader_gone(&error) => Err(error).context("write to stdout"),
        _ => Ok(()),
    }
}

/// For the X-ray: as wide as the terminal, with colours if it is one.
pub(crate) fn paper() -> Paper {
    let colour = terminal::colour();
    // The paper has decided; the library is not to decide again.
    colored::control::set_override(colour);
    Paper {
        width: terminal::width(),
        colour,
        ascii: false,
    }
}
