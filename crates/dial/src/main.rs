//! The command line of the course: arguments, colours, exit codes.
//!
//! It knows no lesson by name: what there is stands in the packages' manifests.

#[cfg(target_os = "linux")]
mod board;
mod commands;
mod files;
mod look;
mod paper;
#[cfg(target_os = "linux")]
mod screen;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{check, doctor, list, progress, show, solution, start, watch};
#[cfg(target_os = "linux")]
use commands::{wire, xray};

/// Dialtone: learn socket programming by seeing it
#[derive(Parser)]
#[command(
    name = "cargo dial",
    bin_name = "cargo dial",
    after_help = "Examples:\n  cargo dial list\n  cargo dial doctor\n  cargo run -p lesson-1"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the lessons: idea, minutes, and what is new in each
    #[command(after_help = "Example:\n  cargo dial list")]
    List,
    /// Find out what this machine offers, and what follows
    #[command(after_help = "Example:\n  cargo dial doctor")]
    Doctor,
    #[cfg(target_os = "linux")]
    /// Run a server and clients, and show their calls, packets and TCP states
    #[command(after_help = "Example:\n  cargo dial xray -- python3 server.py :: python3 client.py")]
    Xray(xray::XrayArgs),
    #[cfg(not(target_os = "linux"))]
    /// Not on this system: the X-ray needs Linux
    Xray {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _words: Vec<String>,
    },
    /// Check a server or a client that you wrote, in any language
    #[command(after_help = "Example:\n  cargo dial check 2 --server 'python3 my_server.py'")]
    Check(check::CheckArgs),
    /// Begin the exercise of a lesson: a server and a client with gaps, in my/lesson-N
    #[command(after_help = "Example:\n  cargo dial start 1 --lang python")]
    Start(start::StartArgs),
    /// Check your work on a lesson at every save, and show the first failure
    #[command(after_help = "Example:\n  cargo dial watch 1")]
    Watch(watch::WatchArgs),
    /// Show the model solution of a lesson that you have passed
    #[command(after_help = "Example:\n  cargo dial solution 1 --lang rust")]
    Solution(solution::SolutionArgs),
    /// Show or reset what you have begun and passed
    #[command(after_help = "Example:\n  cargo dial progress --reset 1")]
    Progress(progress::ProgressArgs),
    #[cfg(target_os = "linux")]
    /// Run programs on two hosts, and lose, delay or damage packets between them
    #[command(after_help = WIRE_HELP)]
    Wire(wire::WireArgs),
    #[cfg(not(target_os = "linux"))]
    /// Not on this system: the wire needs Linux
    Wire {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _words: Vec<String>,
    },
    /// Show a timeline that the X-ray has recorded
    #[command(after_help = "Example:\n  cargo dial show recording.jsonl --out picture.svg")]
    Show(show::ShowArgs),
}

#[cfg(target_os = "linux")]
const WIRE_HELP: &str = "\
Examples:
  cargo dial wire lesson-2
  cargo dial wire -- python3 server.py :: python3 client.py
  cargo dial wire --rule 'syn drop 2 times' -- ./server :: ./client
  cargo dial wire --rule 'client→server data 2 drop' -- ./server :: ./client
In a terminal a screen opens, on which packets are held, dropped and delayed
by keys; ? names them. The programs run unchanged, also those that say
127.0.0.1. docs/wire.md has all rules.";

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::List => list::run(),
        Command::Doctor => paper::print(&doctor::run()),
        #[cfg(target_os = "linux")]
        Command::Xray(args) => xray::run(&args),
        #[cfg(not(target_os = "linux"))]
        Command::Xray { .. } => Err(anyhow::anyhow!(
            "xray: this system has no way to watch the calls of a program; record on Linux with \
             --out FILE.jsonl, and look at it here with \"cargo dial show FILE.jsonl\""
        )),
        Command::Check(args) => return check::run(&args),
        Command::Start(args) => start::run(&args),
        Command::Watch(args) => match watch::run(&args) {
            Ok(status) => return status,
            Err(error) => Err(error),
        },
        Command::Solution(args) => solution::run(&args),
        Command::Progress(args) => progress::run(&args),
        #[cfg(target_os = "linux")]
        Command::Wire(args) => wire::run(&args),
        #[cfg(not(target_os = "linux"))]
        Command::Wire { .. } => Err(anyhow::anyhow!(
            "wire: two hosts on one machine need the namespaces of Linux; record there with \
             --out FILE.jsonl, and look at it here with \"cargo dial show FILE.jsonl\""
        )),
        Command::Show(args) => show::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // A reader that went away, as in `| head`, needs no error message.
        Err(error)
            if error
                .downcast_ref()
                .is_some_and(kernel::terminal::is_reader_gone) =>
        {
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
