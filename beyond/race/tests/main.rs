//! The race as a command, and the models that lesson 7 leaves out. What measures
//! is tested in `src/race/tests.rs`.
#![cfg(target_os = "linux")]

#[path = "../../../lessons/07-concurrent-server/tests/common/mod.rs"]
#[rustfmt::skip] // It has the lines of a lesson.
mod common;
mod io_uring;
#[path = "../../../lessons/07-concurrent-server/tests/promises/mod.rs"]
#[rustfmt::skip]
mod promises;
mod race;
mod readme;
mod udp_many;

/// The program that is tested, and its first words.
const SERVER: &[&str] = &[env!("CARGO_BIN_EXE_race"), "server"];
