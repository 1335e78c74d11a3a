//! The report that the checks write for us.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use serde::Deserialize;

/// A check that has failed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    /// As in `2/start/says-where`.
    pub(super) address: String,
    /// From where to look to how.
    #[serde(default)]
    pub(super) hints: Vec<String>,
    /// The text that teaches it.
    #[serde(default)]
    pub(super) taught: String,
}

#[derive(Deserialize)]
struct Report {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    verdict: String,
    #[serde(flatten)]
    failure: Failure,
}

/// Where it is written.
pub(super) struct File(pub(super) PathBuf);

impl File {
    /// Which check has failed first, if one has; None when there is no report, and
    /// of one that is cut off.
    pub(super) fn read(&self) -> Option<Option<Failure>> {
        let report = fs::read(&self.0).ok()?;
        let report: Report = serde_json::from_slice(&report).ok()?;
        let mut checks = report.checks.into_iter();
        let failed = checks.find(|check| check.verdict == "failed");
        Some(failed.map(|check| check.failure))
    }

    /// Makes room for the next one.
    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}
