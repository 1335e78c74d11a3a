//! The plays, and what they are played with.

mod fates;
mod hosts;
mod lab;
mod limits;

use std::process::Command;

use libtest_mimic::Failed;

/// The variable that tells a child which play it is.
pub const PLAY: &str = "DIALTONE_TEST_PLAY";

pub type Play = (&'static str, fn());

pub fn all() -> Vec<Play> {
    [hosts::PLAYS, fates::PLAYS, limits::PLAYS].concat()
}

pub fn in_child(name: &str) -> Result<(), Failed> {
    let mut child = Command::new(std::env::current_exe()?);
    let output = child.env(PLAY, name).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
