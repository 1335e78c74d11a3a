//! `dial` as a person uses it. The files are one program, because that is built
//! once, and what only waits, waits side by side.

mod cli;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod compare;
mod exercise;
#[cfg(target_os = "linux")]
mod interrupt;
#[cfg(target_os = "linux")]
mod less_evidence;
mod said;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(unix)]
mod terminal;
#[cfg(target_os = "linux")]
mod wire;
#[cfg(target_os = "linux")]
mod xray;
