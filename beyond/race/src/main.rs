//! Servers for many callers, and a race that measures them (Linux).
//!
//! Read in this order: `server.rs` (what is raced), `models/io_uring.rs` (the
//! model that lesson 7 leaves out), then `race.rs` (how it is measured). What the
//! compiler cannot check is in `os/`, and nowhere else.

#[cfg(target_os = "linux")]
mod models;
#[cfg(target_os = "linux")]
mod os;
#[cfg(target_os = "linux")]
mod race;
#[cfg(target_os = "linux")]
mod server;
#[cfg(all(test, target_os = "linux"))]
mod tests;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
use elsewhere::{race, server};

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Races every model against the same crowd, and shows who costs what
#[derive(Parser)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  cargo run --release -p race -- --quick\n  \
    cargo run --release -p race -- --clients 256 --also mine='./server {port}'\n  \
    cargo run --release -p race server --model io-uring"
)]
struct Cli {
    #[command(flatten)]
    race: race::Args,
    #[command(subcommand)]
    side: Option<Side>,
}

#[derive(Subcommand)]
enum Side {
    Server(server::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.side {
        Some(Side::Server(args)) => server::start(&args),
        None => race::start(&cli.race),
    }
}
