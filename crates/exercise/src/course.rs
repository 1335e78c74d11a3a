//! Which lessons there are: read from the packages' manifests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cargo_metadata::MetadataCommand;
use serde::Deserialize;

use crate::cargo::{cargo, executable};
use crate::language::Language;
use crate::my::My;
use crate::number::Number;
use crate::sources::Sources;

/// What a lesson's manifest says in `[package.metadata.dialtone]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its number.
    #[serde(rename = "lesson")]
    pub number: Number,
    /// Its name.
    pub title: String,
    /// What it is about, in one line.
    pub idea: String,
    /// How long it takes a learner.
    pub minutes: u32,
    /// The calls and words that no lesson before it has used.
    pub new: Vec<String>,
    /// Crates that no other lesson needs, because this one is about them.
    #[serde(default, rename = "about")]
    _about: Vec<String>,
    /// The package.
    #[serde(skip)]
    pub package: String,
    /// Its folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// All lessons.
#[derive(Clone, Debug)]
pub struct Course {
    root: PathBuf,
    lessons: Vec<Manifest>,
}

impl Course {
    /// That in whose folder we are.
    ///
    /// # Errors
    /// When cargo finds no packages here, and when a manifest cannot be understood.
    pub fn here() -> Result<Self> {
        let metadata = MetadataCommand::new().no_deps().exec();
        let metadata =
            metadata.context("ask cargo for the packages; run this inside the course")?;
        let mut lessons = Vec::new();
        for package in metadata.packages {
            let said = &package.metadata["dialtone"];
            if !said.is_null() {
                let lesson = Manifest::deserialize(said);
                let place = || format!("[package.metadata.dialtone] in {}", package.manifest_path);
                let manifest = package.manifest_path.as_std_path();
                lessons.push(Manifest {
                    package: package.name.to_string(),
                    folder: manifest.parent().map(Path::to_path_buf).unwrap_or_default(),
                    ..lesson.with_context(place)?
                });
            }
        }
        lessons.sort_by_key(|lesson| lesson.number);
        let root = metadata.workspace_root.into();
        Ok(Self { root, lessons })
    }

    /// By number.
    pub fn lessons(&self) -> &[Manifest] {
        &self.lessons
    }

    /// The lesson with this number.
    ///
    /// # Errors
    /// When there is none.
    pub fn lesson(&self, number: Number) -> Result<&Manifest> {
        let found = self.lessons.iter().find(|lesson| lesson.number == number);
        let last = self.lessons.last().map_or(Number(0), |last| last.number);
        found.with_context(|| format!("there is no lesson {number}: they go from 1 to {last}"))
    }

    /// The folder in which the learner works, whichever lesson it is.
    ///
    /// # Errors
    /// When DIALTONE_MY is set and empty.
    pub fn my(&self) -> Result<My> {
        My::of(&self.root)
    }

    /// The exercise of a lesson.
    pub fn sources(&self, lesson: &Manifest, language: Language) -> Sources {
        Sources::new(&self.root, &lesson.folder, language)
    }
}

impl Manifest {
    /// Builds the lesson's program, and says where it is. What the compiler says
    /// goes to stderr.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn build(&self) -> Result<PathBuf> {
        let package = &self.package;
        let mut build = Command::new(cargo());
        build
            .args(["build", "--quiet", "--package", package, "--bin", package])
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit());
        let built = build.output().context("start cargo")?;
        ensure!(built.status.success(), "{package} does not compile");
        executable(&built.stdout, package)
    }
}
