//! The race reads clocks and counters that only Linux has. Elsewhere it says so.

use std::io::{self, Write};
use std::process::ExitCode;

/// Races every model against the same crowd (Linux)
#[derive(clap::Args)]
pub struct Args {
    /// What would be measured
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _all: Vec<String>,
}

/// Always an error.
pub fn start(_: &Args) -> ExitCode {
    let way_out = "race: it needs Linux, for the clocks of other processes and their cores; \
                   for a rate and latencies: the client with --clients";
    let _ = writeln!(io::stderr(), "{way_out}");
    ExitCode::FAILURE
}
