//! A folder for the program under test.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::fault::Verdict;

/// A folder that is gone with the check. The program is told it as `{folder}`
/// and FOLDER.
#[derive(Debug)]
pub struct Folder {
    // It is left alone, so that a name can lead out of the inner one.
    outer: PathBuf,
}

impl Folder {
    /// Makes one in `outer`, which need not exist yet.
    pub(crate) fn new(outer: PathBuf) -> Verdict<Self> {
        fs::create_dir_all(outer.join("folder"))?;
        Ok(Self { outer })
    }

    /// The folder that the program is told.
    pub fn path(&self) -> PathBuf {
        self.outer.join("folder")
    }

    /// What lies around the folder, and is none of the program's business.
    pub fn outside(&self) -> &Path {
        &self.outer
    }

    /// Puts a file into it.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Verdict {
        Ok(fs::write(self.path().join(name), bytes)?)
    }

    /// What is in a file; None where there is none.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn read(&self, name: &str) -> Verdict<Option<Vec<u8>>> {
        match fs::read(self.path().join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it, sorted.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn names(&self) -> Verdict<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Puts a symbolic link into it.
    ///
    /// # Errors
    /// A fault of ours only; also on a system where we cannot make one.
    pub fn link(&self, name: &str, target: &Path) -> Verdict {
        #[cfg(target_os = "linux")]
        return Ok(std::os::unix::fs::symlink(target, self.path().join(name))?);
        #[cfg(not(target_os = "linux"))]
        Err(anyhow::anyhow!("a link {name} to {target:?} is made on Linux only").into())
    }

    /// Puts a FIFO into it: whoever opens it waits for a writer.
    ///
    /// # Errors
    /// A fault of ours only; also on a system where we cannot make one.
    pub fn fifo(&self, name: &str) -> Verdict {
        #[cfg(target_os = "linux")]
        return Ok(kernel::file::make_fifo(&self.path().join(name))?);
        #[cfg(not(target_os = "linux"))]
        Err(anyhow::anyhow!("a FIFO {name} is made on Linux only").into())
    }
}
