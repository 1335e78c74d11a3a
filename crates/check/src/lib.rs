//! Checks of a server or a client, whoever wrote it and in whatever language:
//! a process with a command line, spoken to over real sockets, unkindly.
//!
//! A lesson brings its checks as a [`Lesson`]; each is a function over a
//! [`Bench`]. The bench starts the program, hands out peers that speak with it,
//! and writes down what was done. So a failed check can tell its story.
//!
//! Read it in this order: [`Lesson`], [`Bench`], [`Peer`], [`Fault`]; then
//! `run.rs`, which runs one check after the other, and `report.rs`.

mod address;
mod args;
mod bench;
mod bytes;
mod command;
mod crew;
mod datagram;
mod evidence;
mod fault;
mod folder;
mod ground;
mod held;
mod interrupt;
mod json;
mod listen;
mod missing;
mod peer;
mod plan;
mod program;
mod report;
mod run;
mod scratch;
mod setup;
mod story;
mod told;

pub use address::Address;
pub use args::{Args, main};
pub use bench::{Bench, Start};
pub use datagram::Datagrams;
pub use evidence::Call;
pub use fault::{Fault, Verdict};
pub use folder::Folder;
pub use listen::Listener;
pub use peer::{Ending as PeerEnding, Peer};
pub use plan::{Check, Lesson, Of};
pub use program::Program;
pub use sources::calls::{Calls, Change, Which, errno};
pub use timeline::Ending;
