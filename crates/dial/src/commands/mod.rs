//! A command of `cargo dial` each: its arguments, and what is done with them.

pub(crate) mod check;
pub(crate) mod doctor;
pub(crate) mod list;
pub(crate) mod progress;
pub(crate) mod show;
pub(crate) mod solution;
pub(crate) mod start;
pub(crate) mod watch;
#[cfg(target_os = "linux")]
pub(crate) mod wire;
#[cfg(target_os = "linux")]
pub(crate) mod xray;
