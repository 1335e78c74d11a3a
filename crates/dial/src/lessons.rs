//! Which lessons there are: read from the packages' manifests.

use std::env;
use std::ffi::OsString;

use anyhow::{Context, Result, anyhow};
use cargo_metadata::MetadataCommand;
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
            lessons.push(Lesson {
                package: package.name.to_string(),
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

/// The cargo that runs us, or the one in the PATH.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
