//! A lesson's wrong and right programs, held against its checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use crate::compare::difference;

/// With this variable set, the transcripts are written anew.
const UPDATE: &str = "DIALTONE_UPDATE";
/// What a reader of the checks would see, and which other checks fail.
const TRANSCRIPT: &str = "transcript.txt";

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

    /// Checks all of them.
    ///
    /// # Panics
    /// When a verdict is not the one that was foreseen, with all differences.
    pub fn check(&self) {
        let mut wrong = 0;
        let mut found = String::new();
        for kind in ["wrong", "right"] {
            for folder in folders(&self.folder.join(kind)) {
                wrong += usize::from(kind == "wrong");
                let checked = match kind {
                    "wrong" => self.wrong(&folder),
                    _ => self.right(&folder),
                };
                if let Err(error) = checked {
                    found += &format!("\n{}: {error:#}\n", folder.display());
                }
            }
        }
        assert!(found.is_empty(), "{found}");
        assert!(wrong >= 5, "a lesson needs at least five wrong programs");
    }

    fn right(&self, folder: &Path) -> Result<()> {
        let program = Program::in_folder(folder)?;
        let failed = self.failed(&program)?;
        if failed.is_empty() {
            return Ok(());
        }
        let report = self.report(&program, &failed.into_iter().collect::<Vec<_>>())?;
        bail!("a right program fails:\n{report}")
    }

    fn wrong(&self, folder: &Path) -> Result<()> {
        let program = Program::in_folder(folder)?;
        let caught = program.caught_by()?;
        let mut failed = self.failed(&program)?;
        let report = self.report(&program, std::slice::from_ref(&caught))?;
        ensure!(
            failed.remove(&caught),
            "it is not caught by {caught}, but by {failed:?}\n{report}"
        );
        let mut came: Vec<String> = report.lines().map(str::to_string).collect();
        if !failed.is_empty() {
            came.push("It fails these, too:".into());
            came.extend(failed.iter().map(|address| format!("  {address}")));
        }
        let path = folder.join(TRANSCRIPT);
        let written = fs::read_to_string(&path).unwrap_or_default();
        let written: Vec<String> = written.lines().map(str::to_string).collect();
        let Some(difference) = difference(&written, &came) else {
            return Ok(());
        };
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&path, came.join("\n") + "\n")?;
            return Ok(());
        }
        bail!("{TRANSCRIPT} says something else ({UPDATE}=1 writes it anew)\n{difference}")
    }

    /// The addresses of all checks that it fails.
    fn failed(&self, program: &Program) -> Result<BTreeSet<String>> {
        let output = self.run(program).arg("--json").output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let mut failed = BTreeSet::new();
        for check in report["checks"].as_array().into_iter().flatten() {
            let address = check["address"].as_str().unwrap_or_default();
            match check["verdict"].as_str() {
                Some("passed") => {}
                Some("failed") => drop(failed.insert(address.to_string())),
                _ => bail!("{address} could not be tested: {}", check["why"]),
            }
        }
        Ok(failed)
    }

    /// The report of some checks, without what differs from run to run.
    fn report(&self, program: &Program, checks: &[String]) -> Result<String> {
        let mut command = self.run(program);
        for check in checks {
            command.args(["--only", check]);
        }
        let output = command.output()?;
        let text = String::from_utf8(output.stdout).context("the report is no text")?;
        Ok(program.mask(&text))
    }

    fn run(&self, program: &Program) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(["check", &format!("--{}", program.side), &program.command]);
        let usual = std::env::var("PATH").unwrap_or_default();
        let place = program.place.path().display();
        command.env("PATH", format!("{place}:{usual}"));
        command.env_remove("RUST_BACKTRACE");
        command.current_dir(program.file.parent().unwrap_or(Path::new(".")));
        command
    }
}

/// One program, ready to be started.
struct Program {
    file: PathBuf,
    side: String,
    command: String,
    /// What was compiled, or the interpreter, by a short name.
    place: TempDir,
}

impl Program {
    fn in_folder(folder: &Path) -> Result<Self> {
        for side in ["server", "client"] {
            for ending in ["py", "rs", "c", "js"] {
                let file = folder.join(format!("{side}.{ending}"));
                if file.exists() {
                    return Self::prepare(file, side, ending);
                }
            }
        }
        bail!("there is no server.EXT and no client.EXT")
    }

    fn prepare(file: PathBuf, side: &str, ending: &str) -> Result<Self> {
        // Short words, the same on each machine, stand in the transcript.
        let place = TempDir::new()?;
        let name = file.file_name().context("no name")?;
        let name = name.to_str().context("the name is no text")?;
        let command = match ending {
            "py" => {
                std::os::unix::fs::symlink(python()?, place.path().join("python3"))?;
                format!("python3 {name}")
            }
            "js" => format!("node {name}"),
            _ => {
                compile(&file, ending, &place.path().join(side))?;
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

    /// The report as it is everywhere: paths, ports, and the stack traces of a
    /// particular Python are taken out.
    fn mask(&self, report: &str) -> String {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let mut text = report.replace(&format!("{}/", folder.display()), "");
        let thread = Regex::new(r"thread 'main' \(\d+\)").expect("a pattern");
        text = thread.replace_all(&text, "thread 'main'").into_owned();
        let own = Regex::new(r"127\.0\.0\.1:([3-6]\d{4})\b").expect("a pattern");
        text = own.replace_all(&text, "127.0.0.1:PORT").into_owned();
        let trace = Regex::new(r"(?ms)^( +\| )Traceback.*?^( +\| \w+Error)").expect("a pattern");
        text = trace
            .replace_all(&text, "$1(a stack trace)\n$2")
            .into_owned();
        // What stands in the X-ray depends on the moment.
        let xray = Regex::new(r"(?m)^( +the X-ray, at its end\n)( +[^\n]*\n)+").expect("a pattern");
        text = xray.replace_all(&text, "$1      (…)\n").into_owned();
        let temporary = Regex::new(r"/[^ ]*/dialtone-\w+").expect("a pattern");
        temporary.replace_all(&text, "TEMPORARY").into_owned()
    }
}

/// The interpreter itself: `python3` can be a script that takes longer to find it
/// than our programs run.
fn python() -> Result<String> {
    let asked = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .context("start python3")?;
    Ok(String::from_utf8(asked.stdout)?.trim().to_string())
}

fn compile(file: &Path, ending: &str, program: &Path) -> Result<()> {
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
