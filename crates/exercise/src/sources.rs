//! The files of an exercise in one language, as a starter or as a solution.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use crate::cut;
use crate::language::Language;

/// Which of the two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// With gaps.
    Starter,
    /// Without.
    Solution,
}

/// `lessons/NN/exercise/LANGUAGE`.
#[derive(Clone, Debug)]
pub struct Sources {
    folder: PathBuf,
    language: Language,
    /// The versions of the course, so that a package needs no network.
    lock: PathBuf,
}

impl Sources {
    /// Those of a lesson's folder, in the course that begins at `root`.
    pub fn new(root: &Path, lesson: &Path, language: Language) -> Self {
        Self {
            folder: lesson.join("exercise").join(language.folder()),
            language,
            lock: root.join("Cargo.lock"),
        }
    }

    /// The files by name, in order, with their text.
    ///
    /// # Errors
    /// When there are none, one cannot be read, or has wrong marks.
    pub fn files(&self, part: Part) -> Result<Vec<(String, String)>> {
        let subject = || format!("read the exercise in {}", self.folder.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).with_context(subject)? {
            let path = entry.with_context(subject)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // What tools leave in the folder is none of ours.
            let ours = !name.starts_with('.') && name != "Cargo.lock";
            if path.is_file() && ours {
                files.push((name.clone().into_owned(), text(&path, part)?));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Writes the files into a folder, and what a package needs beside them. What
    /// is there already and right is left alone, so that nothing is built anew.
    ///
    /// # Errors
    /// As [`Sources::files`], and when a file cannot be written.
    pub fn write(&self, part: Part, into: &Path) -> Result<()> {
        let mut files = self.files(part)?;
        if self.language == Language::Rust {
            let lock = fs::read_to_string(&self.lock);
            let lock = lock.with_context(|| format!("read {}", self.lock.display()))?;
            files.push(("Cargo.lock".into(), lock));
        }
        fs::create_dir_all(into).with_context(|| format!("make {}", into.display()))?;
        for (name, text) in files {
            let path = into.join(name);
            if !fs::read_to_string(&path).is_ok_and(|there| there == text) {
                fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn text(path: &Path, part: Part) -> Result<String> {
    let source = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let cut = match (Language::of_file(path), part) {
        (None, _) => Ok(source),
        (Some(language), Part::Starter) => cut::starter(&source, language),
        (Some(language), Part::Solution) => cut::solution(&source, language),
    };
    cut.map_err(|wrong| anyhow!("{}: {wrong}", path.display()))
}
