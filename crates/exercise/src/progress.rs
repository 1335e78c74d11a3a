//! What was begun and passed: `my/progress.json`, for people to read, too.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use crate::aside::put_aside;
use crate::language::Language;
use crate::number::Number;

/// One lesson in one language.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Its number.
    pub lesson: Number,
    /// What it was begun in.
    pub language: Language,
    /// When it was begun last.
    pub begun: Timestamp,
    /// When all checks were passed for the first time.
    pub passed: Option<Timestamp>,
}

/// The file. It is read anew each time, and written as a whole.
#[derive(Clone, Debug)]
pub struct Progress {
    path: PathBuf,
}

impl Progress {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All that was begun, by lesson and language. Without a file: nothing.
    ///
    /// # Errors
    /// When the file cannot be read or understood. It is left as it is.
    pub fn rows(&self) -> Result<Vec<Standing>> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.broken(&error)),
        };
        serde_json::from_str(&text).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> anyhow::Error {
        anyhow!(
            "read {}: {error}; mend it (docs/exercises.md says what is in it), or put it aside \
             with \"cargo dial progress --reset\"",
            self.path.display()
        )
    }

    /// The lesson begun last.
    ///
    /// # Errors
    /// As [`Progress::rows`].
    pub fn last(&self) -> Result<Option<Standing>> {
        Ok(self.rows()?.into_iter().max_by_key(|row| row.begun))
    }

    /// A language in which this lesson was passed.
    ///
    /// # Errors
    /// As [`Progress::rows`].
    pub fn passed(&self, lesson: Number) -> Result<Option<Language>> {
        let mut rows = self.rows()?.into_iter();
        let passed = rows.find(|row| row.lesson == lesson && row.passed.is_some());
        Ok(passed.map(|row| row.language))
    }

    /// Writes down that a lesson was begun, now. When it was passed is kept.
    ///
    /// # Errors
    /// As [`Progress::rows`], and when the file cannot be written.
    pub fn begin(&self, lesson: Number, language: Language) -> Result<()> {
        let mut rows = self.rows()?;
        let now = now();
        row(&mut rows, lesson, language, now).begun = now;
        self.write(rows)
    }

    /// Writes down that a lesson was passed, now; says whether it is the first time.
    ///
    /// # Errors
    /// As [`Progress::begin`].
    pub fn pass(&self, lesson: Number, language: Language) -> Result<bool> {
        let mut rows = self.rows()?;
        let now = now();
        let row = row(&mut rows, lesson, language, now);
        let first = row.passed.is_none();
        row.passed.get_or_insert(now);
        if first {
            self.write(rows)?;
        }
        Ok(first)
    }

    /// Begins a new file, or forgets one lesson. The old file is put aside.
    ///
    /// # Errors
    /// When a file cannot be moved or written; for one lesson as
    /// [`Progress::rows`], too.
    pub fn reset(&self, lesson: Option<Number>) -> Result<Option<PathBuf>> {
        if self.path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let mut rows = match lesson {
            None => Vec::new(),
            Some(_) => self.rows()?,
        };
        rows.retain(|row| Some(row.lesson) != lesson);
        let name = |count| self.path.with_extension(format!("old-{count}.json"));
        let aside = put_aside(&self.path, name)?;
        if !rows.is_empty() {
            self.write(rows)?;
        }
        Ok(Some(aside))
    }

    /// Under another name first: a file that is half written is never there.
    fn write(&self, mut rows: Vec<Standing>) -> Result<()> {
        rows.sort_by_key(|row| (row.lesson, row.language));
        let subject = || format!("write {}", self.path.display());
        let text = serde_json::to_string_pretty(&rows).with_context(subject)?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(subject)?;
        }
        let new = self.path.with_extension("json.new");
        fs::write(&new, text + "\n").with_context(subject)?;
        fs::rename(&new, &self.path).with_context(subject)
    }
}

/// To the microsecond: two that follow each other differ.
fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Microsecond).unwrap_or(now)
}

/// The row of a lesson. One that was written without a starter begins now.
fn row(
    rows: &mut Vec<Standing>,
    lesson: Number,
    language: Language,
    begun: Timestamp,
) -> &mut Standing {
    let is_it = |row: &Standing| (row.lesson, row.language) == (lesson, language);
    let at = rows.iter().position(is_it).unwrap_or(rows.len());
    if at == rows.len() {
        rows.push(Standing {
            lesson,
            language,
            begun,
            passed: None,
        });
    }
    &mut rows[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> (tempfile::TempDir, Progress) {
        let folder = tempfile::tempdir().unwrap();
        let progress = Progress::at(folder.path().join("my/progress.json"));
        (folder, progress)
    }

    #[test]
    fn what_is_begun_and_passed_is_read_back() {
        let (_folder, progress) = progress();
        assert_eq!(progress.rows().unwrap(), []);
        progress.begin(Number(2), Language::Rust).unwrap();
        progress.begin(Number(1), Language::Python).unwrap();
        assert!(progress.pass(Number(2), Language::Rust).unwrap());
        let rows = progress.rows().unwrap();
        let seen = rows.iter().map(|row| (row.lesson.0, row.passed.is_some()));
        assert!(seen.eq([(1, false), (2, true)]), "{rows:?}");
        assert_eq!(progress.last().unwrap().unwrap().lesson, Number(1));
    }

    #[test]
    fn a_lesson_that_is_begun_again_stays_passed_since_the_first_time() {
        let (_folder, progress) = progress();
        progress.begin(Number(1), Language::Rust).unwrap();
        progress.pass(Number(1), Language::Rust).unwrap();
        let passed = progress.rows().unwrap()[0].passed;
        progress.begin(Number(1), Language::Rust).unwrap();
        assert!(!progress.pass(Number(1), Language::Rust).unwrap());
        assert_eq!(progress.rows().unwrap()[0].passed, passed);
    }

    #[test]
    fn a_broken_file_is_an_error_with_a_way_out_and_is_never_written_over() {
        let (_folder, progress) = progress();
        progress.begin(Number(1), Language::Rust).unwrap();
        let broken = "[\n  {\"lesson\": 1, oops\n";
        fs::write(progress.path(), broken).unwrap();
        for error in [
            progress.rows().unwrap_err(),
            progress.begin(Number(2), Language::Rust).unwrap_err(),
            progress.pass(Number(1), Language::Rust).unwrap_err(),
            progress.reset(Some(Number(1))).unwrap_err(),
        ] {
            let error = error.to_string();
            let says_all = error.contains("line 2") && error.contains("--reset");
            assert!(says_all, "{error}");
        }
        assert_eq!(fs::read_to_string(progress.path()).unwrap(), broken);
        let aside = progress.reset(None).unwrap().unwrap();
        assert_eq!(fs::read_to_string(aside).unwrap(), broken);
        assert_eq!(progress.rows().unwrap(), []);
    }

    #[test]
    fn one_lesson_is_forgotten_and_the_others_are_kept() {
        let (_folder, progress) = progress();
        progress.begin(Number(1), Language::Rust).unwrap();
        progress.begin(Number(2), Language::Rust).unwrap();
        progress.reset(Some(Number(1))).unwrap();
        let rows = progress.rows().unwrap();
        assert!(rows.iter().map(|row| row.lesson).eq([Number(2)]));
    }
}
