//! Which lessons there are: read from the packages' manifests.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use cargo_metadata::MetadataCommand;
use exercise::My;
use serde::Deserialize;

/// What a lesson's manifest says in `[package.metadata.dialtone]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lesson {
    /// Its number, by which the lessons are ordered.
    pub(crate) lesson: u32,
    pub(crate) title: String,
    /// What it is about, in one line.
    pub(crate) idea: String,
    /// How long it takes a learner.
    pub(crate) minutes: u32,
    /// The calls and words that no lesson before it has used.
    pub(crate) new: Vec<String>,
    /// Crates that no other lesson needs, because this one is about them.
    #[serde(default, rename = "about")]
    _about: Vec<String>,
    /// The package.
    #[serde(skip)]
    pub(crate) package: String,
    /// Its folder.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    /// Where the course begins.
    #[serde(skip)]
    pub(crate) root: PathBuf,
}

/// A lesson's number on the command line.
pub(crate) fn number(text: &str) -> Result<u32, &'static str> {
    let said = "write the number of a lesson, such as 1: see \"cargo dial list\"";
    text.parse().map_err(|_| said)
}

/// All lessons, by number.
pub(crate) fn all() -> Result<Vec<Lesson>> {
    let metadata = MetadataCommand::new().no_deps().exec();
    let metadata = metadata.context("ask cargo for the packages; run this inside the course")?;
    let mut lessons = Vec::new();
    for package in metadata.packages {
        let said = &package.metadata["dialtone"];
        if !said.is_null() {
            let lesson = Lesson::deserialize(said);
            let place = || format!("[package.metadata.dialtone] in {}", package.manifest_path);
            let manifest = package.manifest_path.as_std_path();
            lessons.push(Lesson {
                package: package.name.to_string(),
                folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
                root: metadata.workspace_root.clone().into(),
                ..lesson.with_context(place)?
            });
        }
    }
    lessons.sort_by_key(|lesson| lesson.lesson);
    Ok(lessons)
}

/// The lesson with this number.
pub(crate) fn one(number: u32) -> Result<Lesson> {
    let all = all()?;
    let last = all.last().map_or(0, |lesson| lesson.lesson);
    let found = all.into_iter().find(|lesson| lesson.lesson == number);
    found.ok_or_else(|| anyhow!("there is no lesson {number}: they go from 1 to {last}"))
}

/// The folder in which the learner works, whichever lesson it is.
pub(crate) fn my() -> Result<My> {
    let lessons = all()?;
    let lesson = lessons.first().context("there is no lesson")?;
    My::of(&lesson.root)
}

/// The programs of a lesson such as `lesson-2`, which is built now: its server
/// and its client.
#[cfg(target_os = "linux")]
pub(crate) fn programs(name: &str) -> Result<Vec<(String, ::xray::Program)>> {
    let number = name
        .strip_prefix("lesson-")
        .and_then(|number| number.parse().ok());
    let number = number.with_context(|| {
        format!("\"{name}\" is no lesson: write lesson-2, or -- and two programs")
    })?;
    let package = one(number)?.package;
    let mut build = std::process::Command::new(cargo());
    build.args(["build", "--quiet", "--package", &package, "--bin", &package]);
    let built = build.status().context("start cargo")?;
    anyhow::ensure!(built.success(), "{package} does not compile");
    let metadata = MetadataCommand::new().no_deps().exec();
    let metadata = metadata.context("ask cargo where programs are")?;
    let executable = metadata.target_directory.join("debug").join(&package);
    let side = |side: &str| {
        let program = ::xray::Program::new(executable.as_std_path()).args([side]);
        (side.to_string(), program)
    };
    Ok(vec![side("server"), side("client")])
}

/// The cargo that runs us, or the one in the PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
