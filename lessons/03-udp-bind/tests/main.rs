//! What lesson 3 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod client;
mod common;
mod scene;
mod server;
mod text;

house::lesson!(
    number = 3,
    first_gap = "3/start/says-where",
    server = "--addr {addr}",
    client = "--to {addr}",
);
