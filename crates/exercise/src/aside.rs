//! Nothing of a learner is removed: it is put aside.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Moves it to the first of these names that nothing has, counted from 1.
pub(crate) fn put_aside(path: &Path, name: impl Fn(u32) -> PathBuf) -> Result<PathBuf> {
    let mut names = (1..).map(name);
    let free = names.find(|path| path.symlink_metadata().is_err());
    let free = free.expect("some number is free");
    fs::rename(path, &free).with_context(|| format!("move {}", path.display()))?;
    Ok(free)
}
