//! Messages from the keyboard, or from whatever the standard input is.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, Result};

use crate::say;

/// The next line that is not empty, without its line end; none at the end of the
/// input, and at "quit". The bytes are taken as they are: whether they are text
/// is for their reader to say.
pub fn next_line() -> Result<Option<Vec<u8>>> {
    let mut input = io::stdin().lock();
    let prompt = input.is_terminal() && io::stdout().is_terminal();
    loop {
        if prompt {
            let _ = write!(io::stdout(), ">>: ").and_then(|()| io::stdout().flush());
        }
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).context("stdin")?;
        if prompt && !line.ends_with(b"\n") {
            say(""); // Ctrl-D leaves the cursor where it was.
        }
        if line.is_empty() {
            return Ok(None);
        }
        while line.ends_with(b"\n") || line.ends_with(b"\r") {
            line.pop();
        }
        match line.as_slice() {
            b"" => {}
            b"quit" => return Ok(None),
            _ => return Ok(Some(line)),
        }
    }
}
