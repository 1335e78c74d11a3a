//! What lesson 7 promises, each kind in a file of its own. They are one program,
//! because that is built once, and what only waits, waits side by side.

mod client;
mod common;
mod crowd;
mod differences;
mod models;
mod our_client;
mod promises;
mod python;
mod scene;
mod server;
mod udp;

/// Each model of the lesson keeps what all of them promise.
mod every_model {
    crate::promises::keep!(
        all: ("one-at-a-time", "thread-per-client", "thread-pool", "event-loop", "async"),
        concurrent: ("thread-per-client", "thread-pool", "event-loop", "async")
    );
}

house::lesson!(number = 7, first_gap = "7/message/hello");

/// The program that is tested, and its first words.
const SERVER: &[&str] = &[env!("CARGO_BIN_EXE_lesson-7-server")];
