//! What lesson 6 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod client;
mod common;
mod folder;
mod framing;
mod scene;
mod server;
mod together;

house::lesson!(
    number = 6,
    first_gap = "6/request/get",
    server = "--addr {addr} --root {folder}",
    client = "--addr {addr} --into {folder}",
);
