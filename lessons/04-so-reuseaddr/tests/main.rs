//! What lesson 4 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod client;
mod common;
mod restart;
mod scene;
mod server;

house::lesson!(
    number = 4,
    first_gap = "4/start/says-where",
    server = "--addr {addr} --reuse-addr",
    client = "--addr {addr}",
);
