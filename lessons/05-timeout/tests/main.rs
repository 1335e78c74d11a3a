//! What lesson 5 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod client;
mod scale;
mod scene;
mod server;

house::lesson!(number = 5, first_gap = "5/start/says-where");
