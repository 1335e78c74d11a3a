//! What lesson 7 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod check;
mod client;
mod common;
mod every_model;
mod exercise;
mod hurt_nobody;
mod models;
mod moved;
mod our_client;
mod promises;
mod python;
mod scene;
mod server;
mod stop;
mod udp;

/// The program that is tested, and its first words.
const SERVER: &[&str] = &[env!("CARGO_BIN_EXE_lesson-7-server")];
