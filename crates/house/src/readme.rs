//! A lesson's README, held against the lesson.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::compare::difference;
use crate::group::{Command, Group, Run};
use crate::markdown::{Part, parts, region};

/// With this variable set, the README is written anew from the run.
const UPDATE: &str = "DIALTONE_UPDATE";

/// A README whose commands are run and whose quotes are looked up.
///
/// Each fence with the info string `console` holds a command and its whole
/// output. The commands of a section run together: `server` commands and those
/// that end in `&` in the background, the others one after the other. Servers
/// get port 0, clients the port that came of it, and what a client saves with
/// `--into` goes to a folder of the section's own. In the output, ports,
/// durations and rates are masked, and a line `[…]` stands for any lines.
///
/// A comment `<!-- quote FILE#NAME -->` stands before a fence that quotes the
/// function of that name, or what stands in the file between `// ANCHOR: NAME` and
/// `// ANCHOR_END: NAME`.
#[derive(Debug)]
pub struct Readme {
    folder: PathBuf,
    executable: String,
}

/// Lines to put in place of others.
type Edit = (Range<usize>, Vec<String>);

impl Readme {
    /// The README.md of a lesson's folder.
    pub fn of(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            executable: String::new(),
        }
    }

    /// The program that `cargo run -p lesson-N` runs.
    #[must_use]
    pub fn lesson(mut self, executable: &str) -> Self {
        self.executable = executable.to_string();
        self
    }

    /// Runs what is to be run and compares.
    ///
    /// # Panics
    /// When the README does not keep its word, with all the differences.
    pub fn check(&self) {
        if let Err(error) = self.try_check() {
            panic!("{error:#}");
        }
    }

    fn try_check(&self) -> Result<()> {
        let path = self.folder.join("README.md");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let lines: Vec<String> = text.lines().map(str::to_string).collect();
        let mut faults = Vec::new();
        let edits = self.run_parts(&lines, &mut faults)?;
        if faults.is_empty() {
            return Ok(());
        }
        if env::var_os(UPDATE).is_some() {
            return write(&path, lines, edits);
        }
        let hint = format!("{UPDATE}=1 writes the README anew from the run");
        bail!(
            "{} does not keep its word ({hint}):\n\n{}",
            path.display(),
            faults.join("\n")
        )
    }

    fn run_parts(&self, lines: &[String], faults: &mut Vec<String>) -> Result<Vec<Edit>> {
        let mut edits = Vec::new();
        let update = env::var_os(UPDATE).is_some();
        let mut group = Group::new(&self.executable);
        let mut runs = Vec::new();
        for part in parts(lines).into_iter().chain([Part::Heading]) {
            match part {
                Part::Heading => {
                    let ended = std::mem::replace(&mut group, Group::new(&self.executable));
                    runs.extend(ended.end(lines, update)?);
                }
                Part::Console { command, output } => {
                    let what = format!("line {}: {command}", output.start);
                    let parsed = Command::parse(&command).with_context(|| what.clone())?;
                    let run = group.run(parsed, output.clone(), &lines[output]);
                    runs.extend(run.context(what)?);
                }
                Part::Quote { file, region, code } => {
                    let quoted = self.quote(&file, &region)?;
                    if lines[code.clone()] != quoted {
                        faults.push(format!(
                            "line {}: {file}#{region} reads otherwise",
                            code.start
                        ));
                        edits.push((code, quoted));
                    }
                }
            }
        }
        for Run { came, output, .. } in runs {
            if let Some(difference) = difference(&lines[output.clone()], &came) {
                faults.push(format!("line {}:\n{difference}", output.start));
                edits.push((output, came));
            }
        }
        Ok(edits)
    }

    fn quote(&self, file: &str, name: &str) -> Result<Vec<String>> {
        let path = self.folder.join(file);
        let source =
            fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        region(&source, name).with_context(|| format!("{file} has no region {name}"))
    }
}

/// From the last edit to the first, so that the earlier ranges stay right.
fn write(path: &Path, mut lines: Vec<String>, mut edits: Vec<Edit>) -> Result<()> {
    edits.sort_by_key(|(range, _)| range.start);
    for (range, new) in edits.into_iter().rev() {
        lines.splice(range, new);
    }
    fs::write(path, lines.join("\n") + "\n").with_context(|| format!("write {}", path.display()))
}
