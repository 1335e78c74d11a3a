//! A folder of its own for each check.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder among the temporary ones of the system. It is gone, with all that is
/// in it, when this is dropped. `tempfile` does the same, and three more crates
/// with it, which every lesson would wait for.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// mkdir(2) makes a folder or fails: what somebody else has put there, a
    /// link for instance, is never taken for ours.
    pub(crate) fn new() -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("dialtone-{}_{number}", process::id());
            let path = env::temp_dir().join(name);
            match builder.create(&path) {
                // A process of the same number has left it.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(|()| Self(path)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It fails when a program has taken away our right to it: then it stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_folder_of_our_own_and_is_gone_with_what_is_in_it() {
        let (one, other) = (Scratch::new().unwrap(), Scratch::new().unwrap());
        assert_ne!(one.path(), other.path());
        fs::create_dir(one.path().join("inner")).unwrap();
        fs::write(one.path().join("inner/file"), "x").unwrap();
        let path = one.path().to_path_buf();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        drop(one);
        assert!(!path.exists() && other.path().is_dir());
    }

    #[test]
    fn what_is_there_already_is_left_alone() {
        let next = NEXT.load(Ordering::Relaxed) + 50;
        let taken: Vec<PathBuf> = (next..next + 3)
            .map(|number| env::temp_dir().join(format!("dialtone-{}_{number}", process::id())))
            .collect();
        taken.iter().for_each(|path| fs::create_dir(path).unwrap());
        let ours: Vec<Scratch> = (0..60).map(|_| Scratch::new().unwrap()).collect();
        assert!(ours.iter().all(|scratch| !taken.contains(&scratch.0)));
        assert!(taken.iter().all(|path| fs::remove_dir(path).is_ok()));
    }
}
