//! The report that the checks write for us.

use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct Report {
    checks: Vec<Check>,
}

/// What a check has found out.
#[derive(Deserialize)]
pub(super) struct Check {
    verdict: String,
    /// As in `2/start/says-where`.
    pub(super) address: String,
    /// When it has failed: from where to look to how.
    #[serde(default)]
    pub(super) hints: Vec<String>,
    /// When it has failed: the text that teaches it.
    #[serde(default)]
    pub(super) taught: String,
}

/// Which check has failed first, if one has. A report that is not there or is cut
/// off says nothing.
pub(super) fn failed(report: &Path) -> Option<Option<Check>> {
    let report = fs::read(report).ok()?;
    let report: Report = serde_json::from_slice(&report).ok()?;
    let mut checks = report.checks.into_iter();
    Some(checks.find(|check| check.verdict == "failed"))
}
