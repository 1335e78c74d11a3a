//! A lesson's wrong and right programs, held against its checks.

use std::collections::BTreeSet;
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
use crate::mask::{mask, without_words_of_the_program};

/// With this variable set, the transcripts are written anew.
const UPDATE: &str = "DIALTONE_UPDATE";
/// With this variable set to a number, all programs are checked so many times.
const RUNS: &str = "DIALTONE_RUNS";
/// What a reader of the checks would see, and which other checks fail.
const TRANSCRIPT: &str = "transcript.txt";
/// So many programs are checked at the same time.
const AT_ONCE: usize = 3;

/// The folders `wrong/NAME` and `right/NAME` of a lesson.
///
/// A wrong program is one file, `server.EXT` or `client.EXT`. Its first line is
/// a comment that ends in `caught by ADDRESS`: that check must fail, for the
/// reason that stands in `transcript.txt`, together with the checks that stand
/// there, and no other. A right program must pass all checks.
#[derive(Debug)]
pub struct Matrix {
    folder: PathBuf,
    executable: String,
}

impl Matrix {
    /// The programs in a lesson's folder, and the program `lesson-N`.
    pub fn of(folder: impl Into<PathBuf>, executable: &str) -> Self {
        Self {
            folder: folder.into(),
            executable: executable.to_string(),
        }
    }

    /// Checks all of them, some at the same time: most of a check is waiting.
    ///
    /// # Panics
    /// When a verdict is not the one that was foreseen, with all differences.
    pub fn check(&self) {
        let wrong = folders(&self.folder.join("wrong"));
        let right = folders(&self.folder.join("right"));
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
        let program = self.program(folder)?;
        let report = self.run(&program)?;
        ensure!(
            report.failed.is_empty(),
            "a right program fails:\n{}",
            report.text
        );
        Ok(())
    }

    fn wrong(&self, folder: &Path) -> Result<()> {
        let program = self.program(folder)?;
        let caught = program.caught_by()?;
        let mut report = self.run(&program)?;
        ensure!(
            report.failed.remove(&caught),
            "it is not caught by {caught}, but by {:?}\n{}",
            report.failed,
            report.text
        );
        let came = program.mask(&report.story(&caught));
        let mut came: Vec<String> = came.trim_end().lines().map(str::to_string).collect();
        if !report.failed.is_empty() {
            came.extend([String::new(), "It fails these, too:".into()]);
            came.extend(report.failed.iter().map(|address| format!("  {address}")));
        }
        let path = folder.join(TRANSCRIPT);
        let written = fs::read_to_string(&path).unwrap_or_default();
        let written: Vec<String> = written.lines().map(str::to_string).collect();
        let both = [&written, &came].map(|text| without_words_of_the_program(text));
        let Some(difference) = difference(&both[0], &both[1]) else {
            return Ok(());
        };
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&path, came.join("\n") + "\n")?;
            return Ok(());
        }
        bail!("{TRANSCRIPT} says something else ({UPDATE}=1 writes it anew)\n{difference}")
    }

    /// All checks of a program.
    fn run(&self, program: &Program) -> Result<Report> {
        let path = program.place.join("report.json");
        let output = self.command(program).arg("--report").arg(&path).output()?;
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

    /// The program of a folder, compiled if it has to be. What is compiled stays
    /// in the folder for temporary files of this build.
    fn program(&self, folder: &Path) -> Result<Program> {
        let target = Path::new(&self.executable).ancestors().nth(2);
        let lesson = self.folder.file_name().context("a lesson has a name")?;
        let mut place = target.context("a folder of the build")?.join("tmp");
        place.push(lesson);
        place.extend(
            folder
                .components()
                .rev()
                .take(2)
                .collect::<Vec<_>>()
                .iter()
                .rev(),
        );
        fs::create_dir_all(&place)?;
        Program::in_folder(folder, place)
    }

    fn command(&self, program: &Program) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["check", &format!("--{}", program.side), &program.command]);
        // What stands in the X-ray depends on the moment. Who reads a report sees it.
        command.arg("--once");
        let usual = std::env::var("PATH").unwrap_or_default();
        let place = program.place.display();
        command.env("PATH", format!("{place}:{usual}"));
        command.env_remove("RUST_BACKTRACE");
        command.current_dir(program.file.parent().unwrap_or(Path::new(".")));
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

/// One program, ready to be started.
struct Program {
    file: PathBuf,
    side: String,
    command: String,
    /// The folder of what was compiled, or of the interpreter, by a short name.
    place: PathBuf,
}

impl Program {
    fn in_folder(folder: &Path, place: PathBuf) -> Result<Self> {
        for side in ["server", "client"] {
            for ending in ["py", "rs", "c", "js"] {
                let file = folder.join(format!("{side}.{ending}"));
                if file.exists() {
                    return Self::prepare(file, place, side, ending);
                }
            }
        }
        bail!("there is no server.EXT and no client.EXT")
    }

    fn prepare(file: PathBuf, place: PathBuf, side: &str, ending: &str) -> Result<Self> {
        // Short words, the same on each machine, stand in the transcript.
        let name = file.file_name().context("no name")?;
        let name = name.to_str().context("the name is no text")?;
        let command = match ending {
            "py" => {
                python(&place)?;
                format!("python3 {name}")
            }
            "js" => format!("node {name}"),
            _ => {
                compile(&file, ending, &place.join(side))?;
                side.to_string()
            }
        };
        Ok(Self {
            file,
            side: side.to_string(),
            command,
            place,
        })
    }

    fn caught_by(&self) -> Result<String> {
        let text = fs::read_to_string(&self.file)?;
        let first = text.lines().next().unwrap_or_default();
        let address = first.split("caught by ").nth(1);
        let address = address.context("the first line has no \"caught by ADDRESS\"")?;
        Ok(address.trim().to_string())
    }

    /// The report as it is everywhere.
    fn mask(&self, report: &str) -> String {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        mask(&report.replace(&format!("{}/", folder.display()), ""))
    }
}

/// An environment of its own for Python (PEP 405): the interpreter itself, because
/// `python3` can be a script that looks for it, and no packages, because some are
/// loaded at each start. Both would take longer than our programs run.
fn python(place: &Path) -> Result<()> {
    let (python3, settings) = (place.join("python3"), place.join("pyvenv.cfg"));
    if python3.exists() && settings.exists() {
        return Ok(());
    }
    let asked = Command::new("python3")
        .args([
            "-c",
            "import os, sys; print(os.path.realpath(sys.executable))",
        ])
        .output()
        .context("start python3")?;
    let python = PathBuf::from(String::from_utf8(asked.stdout)?.trim());
    let home = python.parent().context("python3 is in a folder")?;
    let _ = fs::remove_file(&python3);
    std::os::unix::fs::symlink(&python, &python3)?;
    let home = home.display();
    let text = format!("home = {home}\ninclude-system-site-packages = false\n");
    Ok(fs::write(settings, text)?)
}

/// Compiles what has changed since the last time.
fn compile(file: &Path, ending: &str, program: &Path) -> Result<()> {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
    if changed(program).is_ok_and(|compiled| changed(file).is_ok_and(|file| file < compiled)) {
        return Ok(());
    }
    let mut compiler = match ending {
        "rs" => {
            let mut rustc = Command::new("rustc");
            rustc.args(["--edition", "2024", "-o"]).arg(program);
            rustc
        }
        _ => {
            let mut cc = Command::new("cc");
            cc.args(["-Wall", "-pthread", "-o"]).arg(program);
            cc
        }
    };
    // By its name alone: a panic says where it stands.
    compiler.arg(file.file_name().context("no name")?);
    compiler.current_dir(file.parent().context("no folder")?);
    let output = compiler
        .output()
        .with_context(|| format!("start {compiler:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{compiler:?}\n{said}");
    Ok(())
}

/// The folders in a folder, sorted; none when it does not exist.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}
