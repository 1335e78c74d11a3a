//! What is raced: the server of lesson 7 with all its models, and two more ways to
//! serve, io-uring and many datagrams a call.
//!
//! The lesson's program is a part of this one. So the race starts its own
//! executable again: it never measures a server that is older than itself, and
//! needs no cargo to find one.

use std::process::ExitCode;

use lesson_7::ended;

use crate::models::{io_uring, udp_many};
use crate::os::scheduling::in_batches;

#[allow(dead_code, reason = "the lesson's own main is not called here")]
#[path = "../../../lessons/07-concurrent-server/server.rs"]
#[rustfmt::skip] // It has the lines of a lesson.
mod lesson;

pub use lesson::Args;
use lesson::Model;

/// Runs the server; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    if [Model::EventLoop, Model::Async, Model::IoUring].contains(&args.model) {
        in_batches();
    }
    ended(match args.model {
        _ if args.many => lesson::serve_datagrams(args, udp_many::serve),
        Model::IoUring => lesson::serve_calls(args, io_uring::serve),
        _ => lesson::run(args),
    })
}
