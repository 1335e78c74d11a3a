//! What lesson 1 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod check;
mod client;
mod scene;
mod server;

house::lesson!(number = 1, first_gap = "1/start/says-where");
