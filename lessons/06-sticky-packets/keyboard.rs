//! Requests, line by line: those of the command line, or else what is typed.

use std::io::{self, BufRead, IsTerminal, Write};
use std::iter;

use anyhow::{Context, Result};

use crate::say;

/// The lines of `--say`; where there are none, those of the standard input.
pub fn lines(said: &[String]) -> Box<dyn Iterator<Item = Result<Vec<u8>>> + '_> {
    if said.is_empty() {
        return Box::new(iter::from_fn(|| next_line().transpose()));
    }
    Box::new(said.iter().map(|text| Ok(text.clone().into_bytes())))
}

/// The next line of the input that is not empty. `quit` ends the input.
fn next_line() -> Result<Option<Vec<u8>>> {
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
