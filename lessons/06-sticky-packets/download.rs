//! The client's side of the files: a body becomes a file, whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use crate::folder::file_name;
use crate::framing::header::hexadecimal;
use crate::message::{Incoming, PIECE};

/// A file that is being written, under a name of its own. It gets its real
/// name at the end. When it is dropped before that, it is removed.
pub struct Download {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    force: bool,
}

impl Download {
    /// Begins a file `name` in the folder `into`. If there is one already, it
    /// stays until [`Download::keep`], and beyond that without `force`.
    ///
    /// # Errors
    /// When `name` is more than a name, or the folder cannot be written to.
    pub fn begin(into: &Path, name: &str, force: bool) -> Result<Self> {
        // The name was ours, and the server accepted it. Still it must not
        // make us write somewhere else.
        file_name(name).map_err(|reason| anyhow!("save: {reason}"))?;
        let target = into.join(name);
        let temporary = into.join(format!(".lesson-6-{}.part", process::id()));
        let file = File::create_new(&temporary)
            .map_err(|error| failed("create", &temporary, &error, "pass another --into"))?;
        Ok(Self {
            file,
            temporary,
            target,
            force,
        })
    }

    /// The file is whole: give it its name. A rename is one step: whoever looks
    /// sees the old state or the new one, and never half a file.
    ///
    /// # Errors
    /// When there is such a file already and `force` was not asked for.
    pub fn keep(self) -> Result<()> {
        if !self.force {
            not_there(&self.target)?;
        }
        fs::rename(&self.temporary, &self.target)
            .map_err(|error| failed("save", &self.target, &error, "pass another --into"))
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // After a rename there is nothing under this name: no harm done.
        let _ = fs::remove_file(&self.temporary);
    }
}

impl Write for Download {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Is this name still free?
///
/// # Errors
/// When it is not, with the ways out.
pub fn not_there(target: &Path) -> Result<()> {
    if fs::symlink_metadata(target).is_ok() {
        let target = target.display();
        bail!("save {target}: it is there already; pass --force to replace it, or another --into");
    }
    Ok(())
}

/// Receives a body into a file or into memory, and checks its digest. Only one
/// piece of it is in memory at a time.
///
/// # Errors
/// When the connection ends or fails, when the sink takes no more, and when
/// the digest is wrong. What is in the sink then must not be used.
pub fn receive_body(incoming: Incoming, sink: &mut impl Write) -> io::Result<()> {
    let Incoming {
        size,
        sha256,
        mut body,
        ..
    } = incoming;
    let bar = progress(size);
    let mut digest = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut received = 0;
    while received < size {
        let length = body.read(&mut piece)?;
        if length == 0 {
            let reason = format!("end of stream after {received} of {size} bytes");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
        if sha256.is_some() {
            digest.update(&piece[..length]);
        }
        sink.write_all(&piece[..length])
            .map_err(|error| io::Error::other(format!("write: {error}")))?;
        received += length as u64;
        bar.inc(length as u64);
    }
    let actual = hexadecimal(&digest.finalize());
    match sha256 {
        Some(expected) if !expected.eq_ignore_ascii_case(&actual) => Err(io::Error::other(
            format!("wrong digest: SHA-256 {expected} was announced, {actual} came"),
        )),
        _ => Ok(()),
    }
}

/// A bar for a body that takes a while. It is drawn on stderr, and only if that
/// is a terminal.
fn progress(size: u64) -> ProgressBar {
    const LARGE: u64 = 4 * 1024 * 1024;
    if size < LARGE {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(size);
    let style =
        ProgressStyle::with_template("{bar:30} {binary_bytes} of {binary_total_bytes}, {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(indicatif::ProgressFinish::AndClear)
}

fn failed(operation: &str, path: &Path, error: &io::Error, way_out: &str) -> anyhow::Error {
    let reason = error.to_string().to_lowercase();
    anyhow!("{operation} {}: {reason}; {way_out}", path.display())
}
