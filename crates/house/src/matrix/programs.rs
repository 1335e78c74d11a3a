//! The programs in a folder of a matrix, ready to be started.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::mask::mask;

/// What a folder has: a server, a client, or a pair of both.
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    /// The folder of what was compiled, or of the interpreter, by a short name.
    pub(super) place: PathBuf,
    pub(super) sides: Vec<Program>,
}

/// One program.
pub(super) struct Program {
    /// Its source.
    file: PathBuf,
    pub(super) side: &'static str,
    pub(super) command: String,
}

impl Programs {
    pub(super) fn in_folder(folder: &Path, place: PathBuf) -> Result<Self> {
        let mut sides = Vec::new();
        for side in ["server", "client"] {
            for ending in ["py", "rs", "c", "js"] {
                let file = folder.join(format!("{side}.{ending}"));
                if file.exists() {
                    sides.push(Program::prepare(file, &place, side, ending)?);
                }
            }
        }
        ensure!(
            !sides.is_empty(),
            "there is no server.EXT and no client.EXT"
        );
        let folder = folder.to_path_buf();
        Ok(Self {
            folder,
            place,
            sides,
        })
    }

    /// The check that catches them; both programs of a pair name it.
    pub(super) fn caught_by(&self) -> Result<String> {
        let named: Result<Vec<String>> = self.sides.iter().map(Program::caught_by).collect();
        let mut named = named?;
        named.dedup();
        ensure!(
            named.len() == 1,
            "its programs are caught by different checks: {named:?}"
        );
        Ok(named.remove(0))
    }

    /// The report as it is everywhere.
    pub(super) fn mask(&self, report: &str) -> String {
        mask(&report.replace(&format!("{}/", self.folder.display()), ""))
    }
}

impl Program {
    fn prepare(file: PathBuf, place: &Path, side: &'static str, ending: &str) -> Result<Self> {
        // Short words, the same on each machine, stand in the transcript.
        let name = file.file_name().context("no name")?;
        let name = name.to_str().context("the name is no text")?;
        let command = match ending {
            "py" => {
                python(place)?;
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
            side,
            command,
        })
    }

    fn caught_by(&self) -> Result<String> {
        let text = fs::read_to_string(&self.file)?;
        let first = text.lines().next().unwrap_or_default();
        let address = first.split("caught by ").nth(1);
        let address = address.context("the first line has no \"caught by ADDRESS\"")?;
        Ok(address.trim().to_string())
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
    let python = fs::canonicalize(exercise::python()).context("find python3")?;
    let home = python.parent().context("python3 is in a folder")?;
    let _ = fs::remove_file(&python3);
    symlink(&python, &python3)?;
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

#[cfg(not(unix))]
fn symlink(_: &Path, link: &Path) -> Result<()> {
    anyhow::bail!("make {}: links are made on Unix only", link.display())
}
