//! The folder in which a learner works.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::aside::put_aside;
use crate::number::Number;
use crate::progress::Progress;
use crate::sources::{Part, Sources};

/// The variable that names another folder than `my/`.
const VARIABLE: &str = "DIALTONE_MY";

/// `my/` in the folder of the course, or what DIALTONE_MY names.
#[derive(Clone, Debug)]
pub struct My {
    folder: PathBuf,
}

impl My {
    /// That of the course that begins at `root`.
    ///
    /// # Errors
    /// When DIALTONE_MY is set and empty.
    pub fn of(root: &Path) -> Result<Self> {
        let folder = match env::var_os(VARIABLE) {
            None => root.join("my"),
            Some(named) => std::path::absolute(named).context("DIALTONE_MY names no folder")?,
        };
        Ok(Self { folder })
    }

    /// Where the work on a lesson stands.
    pub fn lesson(&self, number: Number) -> PathBuf {
        self.folder.join(format!("lesson-{number}"))
    }

    /// What was begun and passed.
    pub fn progress(&self) -> Progress {
        Progress::at(self.folder.join("progress.json"))
    }

    /// Puts a starter into the folder of a lesson. It is there as a whole or not
    /// at all, and work that is there is not touched.
    ///
    /// # Errors
    /// When there is work already, or a file cannot be written.
    pub fn begin(&self, number: Number, sources: &Sources) -> Result<PathBuf> {
        let folder = self.lesson(number);
        if is_taken(&folder) {
            bail!(
                "{} is there already, with your work in it; go on with it, or put it aside and \
                 begin anew: cargo dial start {number} --again",
                folder.display()
            );
        }
        let new = self.folder.join(format!(".lesson-{number}.new"));
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("remove {}", new.display()))?;
        }
        sources.write(Part::Starter, &new)?;
        fs::rename(&new, &folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(folder)
    }

    /// Moves the work on a lesson to a name with a number, if there is any.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn put_aside(&self, number: Number) -> Result<Option<PathBuf>> {
        let folder = self.lesson(number);
        if !is_taken(&folder) {
            return Ok(None);
        }
        let name = |count| self.folder.join(format!("lesson-{number}.old-{count}"));
        put_aside(&folder, name).map(Some)
    }
}

/// Whether something is there that could be lost: an empty folder is nothing.
fn is_taken(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => folder.symlink_metadata().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    struct Course {
        root: tempfile::TempDir,
        my: My,
        sources: Sources,
    }

    fn course(source: &str) -> Course {
        let root = tempfile::tempdir().unwrap();
        let lesson = root.path().join("lessons/01");
        let exercise = lesson.join("exercise/python");
        fs::create_dir_all(&exercise).unwrap();
        fs::write(exercise.join("server.py"), source).unwrap();
        let sources = Sources::new(root.path(), &lesson, Language::Python);
        let folder = root.path().join("my");
        let my = My { folder };
        Course { root, my, sources }
    }

    const SOURCE: &str = "# gap: Do it\nit()\n# end of gap\n";

    #[test]
    fn a_starter_is_put_into_the_folder_of_its_lesson_and_work_there_is_not_touched() {
        let course = course(SOURCE);
        let folder = course.my.begin(Number(1), &course.sources).unwrap();
        let file = folder.join("server.py");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("# GAP 1: Do it\nraise "), "{text}");
        let all = fs::read_dir(course.root.path().join("my")).unwrap();
        assert_eq!(all.count(), 1);
        fs::write(&file, "mine").unwrap();
        let refused = course.my.begin(Number(1), &course.sources).unwrap_err();
        assert!(refused.to_string().contains("--again"), "{refused}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }

    #[test]
    fn what_is_put_aside_keeps_all_of_its_versions() {
        let course = course(SOURCE);
        for version in ["one", "two"] {
            let folder = course.my.begin(Number(1), &course.sources).unwrap();
            fs::write(folder.join("server.py"), version).unwrap();
            course.my.put_aside(Number(1)).unwrap().unwrap();
        }
        let old = |name: &str| fs::read_to_string(course.my.folder.join(name)).unwrap();
        assert_eq!(old("lesson-1.old-1/server.py"), "one");
        assert_eq!(old("lesson-1.old-2/server.py"), "two");
        assert_eq!(course.my.put_aside(Number(1)).unwrap(), None);
    }

    #[test]
    fn a_starter_whose_marks_are_wrong_is_named_with_its_line_and_leaves_nothing() {
        let course = course("x\n# gap: Do it\n");
        let error = course.my.begin(Number(1), &course.sources).unwrap_err();
        assert!(error.to_string().contains("server.py: line 2"), "{error}");
        assert!(!course.my.lesson(Number(1)).exists());
    }
}
