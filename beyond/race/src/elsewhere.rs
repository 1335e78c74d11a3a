//! The race reads clocks and counters that only Linux has, and io_uring is a part
//! of Linux. Elsewhere this program says so.

use std::io::{self, Write};
use std::process::ExitCode;

/// Whatever would be raced or served.
#[derive(clap::Args)]
pub struct Args {
    /// What would be measured
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _all: Vec<String>,
}

/// In place of the module `race`.
pub mod race {
    pub use super::{Args, start};
}

/// In place of the module `server`.
pub mod server {
    pub use super::{Args, start};
}

/// Always an error.
pub fn start(_: &Args) -> ExitCode {
    let way_out = "race: it needs Linux, for the clocks of other processes, their cores, and \
                   io_uring; for a rate and latencies: cargo run -p lesson-7 client --clients 100; \
                   for a server: cargo run -p lesson-7 server";
    let _ = writeln!(io::stderr(), "{way_out}");
    ExitCode::FAILURE
}
