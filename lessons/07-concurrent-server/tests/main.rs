//! What lesson 7 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod check;
mod client;
mod common;
mod exercise;
mod hurt_nobody;
mod models;
mod python;
mod race;
mod scene;
mod server;
mod stop;
mod udp;
