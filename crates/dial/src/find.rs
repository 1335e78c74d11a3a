//! Whether a program can be started at all. It is asked before anything is drawn
//! or started: exec(3) would find it too late.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail};

/// The kernel looks no further for the interpreter of a script: execve(2).
const FIRST_LINE: u64 = 256;

/// That this is a program, and that its interpreter is there if it is a script.
pub(crate) fn find(executable: &str) -> Result<()> {
    let Ok(file) = which::which(executable) else {
        if executable.contains('/') {
            bail!(
                "start {executable}: no program that may be executed; \"ls -l {executable}\" \
                 shows it"
            );
        }
        bail!(
            "start {executable}: no such program in the folders of PATH; \
             one in this folder needs \"./\" before its name"
        )
    };
    let Some(line) = script(&file) else {
        return Ok(());
    };
    let file = file.display();
    if line.ends_with('\r') {
        bail!(
            "start {executable}: its first line, \"#!{}\", ends as on Windows, and Linux takes \
             \"\\r\" for a part of the name; \"sed -i 's/\\r$//' {file}\" mends it",
            line.trim_end().escape_debug()
        );
    }
    let interpreter = line.split_ascii_whitespace().next().unwrap_or_default();
    // A name without a folder is one in this folder: the kernel knows no PATH.
    if which::which(Path::new(".").join(interpreter)).is_err() {
        bail!(
            "start {executable}: its first line asks for \"{}\", and there is no such program; \
             install it, or change the first line of {file}",
            interpreter.escape_debug()
        );
    }
    Ok(())
}

/// The first line of a script, behind `#!`. None for other programs, and for what
/// may be executed and not read.
fn script(file: &Path) -> Option<String> {
    let mut first = Vec::new();
    let file = File::open(file).ok()?;
    file.take(FIRST_LINE).read_to_end(&mut first).ok()?;
    let line = first.split(|byte| *byte == b'\n').next()?;
    let line = line.strip_prefix(b"#!")?;
    Some(String::from_utf8_lossy(line).into_owned())
}
