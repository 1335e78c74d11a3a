//! Whether a program can be started at all. It is asked before anything is drawn
//! or started: exec(3) would find it too late.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The kernel looks no further for the interpreter of a script: execve(2).
const FIRST_LINE: u64 = 256;

/// That this is a program, found by its path or in the folders of PATH, and that
/// its interpreter is there if it is a script. Elsewhere than on Unix names have
/// endings that nobody writes: there everything may be one.
///
/// # Errors
/// When there is no such program, or it cannot be executed.
pub fn find(executable: &str) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let file = if executable.contains('/') {
        at_its_path(executable)?
    } else {
        in_path(executable)?
    };
    match script(&file) {
        Some(line) => interpreter(&line, &file),
        None => Ok(()),
    }
}

fn at_its_path(executable: &str) -> Result<PathBuf> {
    let path = Path::new(executable);
    if path.is_dir() {
        bail!("{executable:?} is a folder; name a program in it");
    } else if !path.is_file() {
        let folder = env::current_dir().context("find the folder in which we are")?;
        let folder = folder.display();
        bail!("there is no file {executable:?}; paths begin at {folder}, where you stand");
    } else if !is_executable(path) {
        bail!(
            "the file {executable:?} is not executable; name the program that runs it before it, \
             or use chmod +x"
        );
    }
    Ok(path.to_path_buf())
}

fn in_path(executable: &str) -> Result<PathBuf> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut files = env::split_paths(&folders).map(|folder| folder.join(executable));
    let found = files.find(|file| is_executable(file));
    found.with_context(|| {
        format!(
            "there is no program {executable:?} in the folders of PATH; one in this folder needs \
             \"./\" before its name"
        )
    })
}

fn interpreter(line: &str, file: &Path) -> Result<()> {
    let file = file.display();
    if line.ends_with('\r') {
        bail!(
            "its first line, \"#!{}\", ends as on Windows, and Linux takes \"\\r\" for a part of \
             the name; \"sed -i 's/\\r$//' {file}\" mends it",
            line.trim_end().escape_debug()
        );
    }
    let interpreter = line.split_ascii_whitespace().next().unwrap_or_default();
    // A name without a folder is one in this folder: the kernel knows no PATH.
    if !is_executable(&Path::new(".").join(interpreter)) {
        bail!(
            "its first line asks for \"{}\", and there is no such program; install it, or change \
             the first line of {file}",
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

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    path.is_file() && kernel::file::may_execute(path)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_in_path_and_a_path_from_here() {
        assert!(find("sh").is_ok());
        assert!(find("/bin/sh").is_ok());
        let said = |executable| find(executable).unwrap_err().to_string();
        assert!(said("nonexistent").contains("needs \"./\" before its name"));
        assert!(said("./nonexistent").contains("paths begin at /"));
        assert!(said("/").contains("is a folder"));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/find.rs");
        assert!(said(source).contains("is not executable"));
    }
}
