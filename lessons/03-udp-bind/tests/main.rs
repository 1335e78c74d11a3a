//! What lesson 3 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod check;
mod client;
mod common;
mod exercise;
mod python;
mod readme;
mod scene;
mod server;
mod text;
