//! Checks of a server or a client, whoever wrote it and in whatever language:
//! a process with a command line, spoken to over real sockets, unkindly.
//!
//! A lesson brings its checks as a [`Lesson`]; each is a function over a
//! [`Bench`]. The bench starts the program, hands out peers that speak with it,
//! and writes down what was done. So a failed check can tell its story.
//!
//! Read it in this order: [`Lesson`], [`Bench`], [`Peer`], [`Fault`]; then
//! `entry.rs` and `run.rs`, which starts a worker for each check, `worker.rs`, and
//! `report.rs`.

mod address;
mod args;
mod bench;
mod bytes;
mod command;
mod datagram;
mod entry;
mod evidence;
mod fault;
mod folder;
mod ground;
mod held;
mod interrupt;
mod json;
mod launch;
mod listen;
mod log;
mod outcome;
mod peer;
mod plan;
mod report;
mod run;
mod scratch;
mod setup;
mod story;
mod told;
mod worker;

pub use address::Endpoint;
pub use args::Args;
pub use bench::Bench;
pub use datagram::Datagrams;
pub use entry::main;
pub use evidence::Call;
pub use fault::{Fault, Verdict};
pub use folder::Folder;
pub use launch::{Launch, Tested};
pub use listen::Listener;
pub use peer::{Peer, PeerEnding};
pub use plan::{Check, Lesson};
pub use setup::Of;
pub use sources::calls::{Calls, Change, Which, errno};
pub use timeline::Ending;
