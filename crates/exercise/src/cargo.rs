//! Cargo, and what it writes about a build.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;

/// The cargo that runs us, or the one in the PATH.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Where the program of this name is, by what cargo wrote as JSON when it built it.
pub(crate) fn executable(output: &[u8], name: &str) -> Result<PathBuf> {
    let artifacts = messages(output).filter_map(|message| match message {
        Message::CompilerArtifact(artifact) if artifact.target.name == name => artifact.executable,
        _ => None,
    });
    let executable = artifacts.last().context("the lesson has no program")?;
    Ok(executable.into())
}

/// Why something was not built: the first error of the compiler as it says it, and
/// how many there are.
pub(crate) fn not_built(output: &[u8], errors: &str) -> String {
    let errors_of_compiler: Vec<String> = messages(output)
        .filter_map(|message| match message {
            Message::CompilerMessage(message) => Some(message.message),
            _ => None,
        })
        .filter(|message| matches!(message.level, DiagnosticLevel::Error))
        .filter(|message| !message.spans.is_empty())
        .filter_map(|message| message.rendered)
        .collect();
    match errors_of_compiler.as_slice() {
        [] => format!("cargo cannot build it:\n\n{}", errors.trim_end()),
        [first] => format!("The compiler asks for something:\n\n{}", first.trim_end()),
        [first, more @ ..] => format!(
            "The compiler asks for something:\n\n{}\n\n{} more after this one.",
            first.trim_end(),
            more.len()
        ),
    }
}

fn messages(output: &[u8]) -> impl Iterator<Item = Message> {
    Message::parse_stream(output).flatten()
}
