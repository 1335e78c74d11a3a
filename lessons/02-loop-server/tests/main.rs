//! What lesson 2 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod client;
mod keyboard;
mod scene;
mod server;

house::lesson!(number = 2, first_gap = "2/start/says-where");
