//! A lesson's wrong and right programs, held against its checks.

mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::compare::difference;
use crate::mask::without_words_of_the_program;
use programs::Programs;

/// With this variable set, the transcripts are written anew.
const UPDATE: &str = "DIALTONE_UPDATE";
/// With this variable set to a number, all programs are checked so many times.
const RUNS: &str = "DIALTONE_RUNS";
/// What a reader of the checks would see of each wrong program, below its name, and
/// which other checks fail.
const TRANSCRIPTS: &str = "checks/transcripts.txt";
/// With this the name of a program begins there.
const NAME: &str = "=== ";
/// So many programs are checked at the same time.
const AT_ONCE: usize = 3;

/// The folders `checks/wrong/NAME` and `checks/right/NAME` of a lesson.
///
/// A wrong program is one file, `server.EXT` or `client.EXT`, or a pair of both,
/// of which neither is wrong alone. Its first line is a comment that ends in
/// `caught by ADDRESS`: that check must fail, for the reason that stands in
/// `checks/transcripts.txt`, together with the checks that stand there, and no
/// other. A right program must pass all checks.
#[derive(Debug)]
pub struct Matrix {
    folder: PathBuf,
    executable: String,
    /// What is written of each wrong program, by its name.
    transcripts: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Matrix {
    /// The programs in a lesson's folder, and the program `lesson-N`.
    pub fn of(folder: impl Into<PathBuf>, executable: &str) -> Self {
        let folder = folder.into();
        let text = fs::read_to_string(folder.join(TRANSCRIPTS)).unwrap_or_default();
        Self {
            folder,
            executable: executable.to_string(),
            transcripts: Mutex::new(transcripts(&text)),
        }
    }

    /// Checks all of them, some at the same time: most of a check is waiting.
    ///
    /// # Panics
    /// When a verdict is not the one that was foreseen, with all differences.
    pub fn check(&self) {
        let wrong = folders(&self.folder.join("checks/wrong"));
        let right = folders(&self.folder.join("checks/right"));
        assert!(
            wrong.len() >= 5,
            "a lesson needs at least five wrong programs"
        );
        let runs = std::env::var(RUNS).map_or(1, |text| text.parse().expect("a number of runs"));
        let mut found = String::new();
        for run in 1..=runs {
            let started = Instant::now();
            let differs = self.check_once(&wrong, &right);
            if runs > 1 {
                let seconds = started.elapsed().as_secs_f64();
                eprintln!("run {run} of {runs}: {seconds:.1} s");
                eprint!("{differs}");
            }
            found += &differs;
        }
        let mut transcripts = self.transcripts.lock().expect("all have ended");
        let names: BTreeSet<String> = wrong.iter().map(|folder| name(folder)).collect();
        for gone in transcripts.keys().filter(|name| !names.contains(*name)) {
            found += &format!("\n{TRANSCRIPTS} has {gone}, which is no wrong program\n");
        }
        if std::env::var_os(UPDATE).is_some() {
            transcripts.retain(|name, _| names.contains(name));
            let texts = transcripts.iter().map(|(name, lines)| text(name, lines));
            let texts: Vec<String> = texts.collect();
            fs::write(self.folder.join(TRANSCRIPTS), texts.join("\n")).expect(TRANSCRIPTS);
            return;
        }
        assert!(found.is_empty(), "{found}");
    }

    /// Checks all of them once: what was not as it was foreseen.
    fn check_once(&self, wrong: &[PathBuf], right: &[PathBuf]) -> String {
        let programs: Vec<&PathBuf> = wrong.iter().chain(right).collect();
        let next = AtomicUsize::new(0);
        let found = Mutex::new(String::new());
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(folder) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let checked = match wrong.contains(folder) {
                            true => self.wrong(folder),
                            false => self.right(folder),
                        };
                        if let Err(error) = checked {
                            let text = format!("\n{}: {error:#}\n", folder.display());
                            found.lock().expect("the other goes on").push_str(&text);
                        }
                    }
                });
            }
        });
        found.into_inner().expect("all have ended")
    }

    fn right(&self, folder: &Path) -> Result<()> {
        let programs = self.programs(folder)?;
        let report = self.run(&programs)?;
        let fails = !report.failed.is_empty();
        ensure!(!fails, "a right program fails:\n{}", report.text);
        Ok(())
    }

    fn wrong(&self, folder: &Path) -> Result<()> {
        let programs = self.programs(folder)?;
        let caught = programs.caught_by()?;
        let mut report = self.run(&programs)?;
        ensure!(
            report.failed.remove(&caught),
            "it is not caught by {caught}, but by {:?}\n{}",
            report.failed,
            report.text
        );
        let came = programs.mask(&report.story(&caught));
        let mut came: Vec<String> = came.trim_end().lines().map(str::to_string).collect();
        if !report.failed.is_empty() {
            came.extend([String::new(), "It fails these, too:".into()]);
            came.extend(report.failed.iter().map(|address| format!("  {address}")));
        }
        let name = name(folder);
        let mut transcripts = self.transcripts.lock().expect("the other goes on");
        let written = transcripts.get(&name).cloned().unwrap_or_default();
        let both = [&written, &came].map(|text| without_words_of_the_program(text));
        let Some(difference) = difference(&both[0], &both[1]) else {
            return Ok(());
        };
        if std::env::var_os(UPDATE).is_some() {
            transcripts.insert(name, came);
            return Ok(());
        }
        bail!("{TRANSCRIPTS} says something else ({UPDATE}=1 writes it anew)\n{difference}")
    }

    /// All checks of a program, or of a pair.
    fn run(&self, programs: &Programs) -> Result<Report> {
        let path = programs.place.join("report.json");
        let output = self.command(programs).arg("--report").arg(&path).output()?;
        let report = fs::read_to_string(&path)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        fs::remove_file(&path)?;
        let report: Value = serde_json::from_str(&report)?;
        let mut failed = BTreeSet::new();
        for check in report["checks"].as_array().into_iter().flatten() {
            let address = check["address"].as_str().unwrap_or_default();
            match check["verdict"].as_str() {
                Some("passed") => {}
                Some("failed") => drop(failed.insert(address.to_string())),
                _ => bail!("{address} could not be tested: {}", check["why"]),
            }
        }
        let text = String::from_utf8(output.stdout).context("the report is no text")?;
        Ok(Report { failed, text })
    }

    /// The programs of a folder, compiled if they have to be. What is compiled
    /// stays in the folder for temporary files of this build.
    fn programs(&self, folder: &Path) -> Result<Programs> {
        let target = Path::new(&self.executable).ancestors().nth(2);
        let lesson = self.folder.file_name().context("a lesson has a name")?;
        let mut place = target.context("a folder of the build")?.join("tmp");
        place.push(lesson);
        place.push(folder.strip_prefix(self.folder.join("checks"))?);
        fs::create_dir_all(&place)?;
        Programs::in_folder(folder, place)
    }

    fn command(&self, programs: &Programs) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg("check");
        for program in &programs.sides {
            command.args([&format!("--{}", program.side), &program.command]);
        }
        // What stands in the X-ray depends on the moment. Who reads a report sees it.
        command.arg("--once");
        let usual = std::env::var("PATH").unwrap_or_default();
        let place = programs.place.display();
        command.env("PATH", format!("{place}:{usual}"));
        command.env_remove("RUST_BACKTRACE");
        command.current_dir(&programs.folder);
        command
    }
}

/// What came of all checks of a program.
struct Report {
    /// The addresses of those that it failed.
    failed: BTreeSet<String>,
    /// What a reader sees.
    text: String,
}

impl Report {
    /// What a reader sees of one check that failed, below the head of the report.
    fn story(&self, address: &str) -> String {
        let head = self.text.lines().take_while(|line| !line.is_empty());
        let title = format!("  FAILED  {address}");
        // What belongs to a check stands further right than its title.
        let of_another = |line: &&str| !line.is_empty() && !line.starts_with("      ");
        let mut lines = self.text.lines().skip_while(|line| **line != title);
        let first = lines.next();
        let rest = lines.take_while(|line| !of_another(line));
        let story: Vec<&str> = head.chain([""]).chain(first).chain(rest).collect();
        story.join("\n")
    }
}

/// The file of transcripts, apart: the lines below each name.
fn transcripts(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines() {
        match line.strip_prefix(NAME) {
            Some(begins) => name = begins.to_string(),
            None => found.entry(name.clone()).or_default().push(line.into()),
        }
    }
    for lines in found.values_mut() {
        // The empty line before the next name.
        lines.pop_if(|last| last.is_empty());
    }
    found
}

/// A transcript as it stands in the file.
fn text(name: &str, lines: &[String]) -> String {
    format!("{NAME}{name}\n{}\n", lines.join("\n"))
}

/// The name of a program: that of its folder.
fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The folders in a folder, sorted; none when it does not exist.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}
