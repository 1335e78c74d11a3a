//! What lesson 4 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod check;
mod client;
mod common;
mod exercise;
mod readme;
mod restart;
mod scene;
mod server;
