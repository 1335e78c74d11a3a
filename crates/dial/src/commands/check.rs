//! `cargo dial check N …`: builds the lesson and lets it check.

use std::io;
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use exercise::{Course, Number};

use crate::Cli;

#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct CheckArgs {
    /// Which lesson
    #[arg(required_unless_present = "help")]
    lesson: Option<Number>,

    /// Print help; behind a lesson, what that lesson can be asked
    #[arg(short, long)]
    help: bool,

    /// What the lesson is asked: see "cargo dial check 1 --help"
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// The lesson's status becomes ours: 1 says that a program has failed, so what
/// keeps us from checking is 2.
pub(crate) fn run(args: &CheckArgs) -> ExitCode {
    match try_run(args) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn try_run(args: &CheckArgs) -> Result<ExitCode> {
    let Some(number) = args.lesson else {
        return help();
    };
    let course = Course::here()?;
    let lesson = course.lesson(number)?;
    let mut cargo = Command::new(exercise::cargo());
    cargo
        .args(["run", "--quiet", "--package", &lesson.package, "--"])
        .arg("check")
        .args(args.help.then_some("--help"))
        .args(&args.rest);
    become_or_wait(cargo).context("start cargo")
}

/// This process becomes the checker. So a signal, such as that of Ctrl-C, reaches
/// who has to clear away, and the shell waits until that is done.
#[cfg(unix)]
fn become_or_wait(mut command: Command) -> io::Result<ExitCode> {
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_or_wait(mut command: Command) -> io::Result<ExitCode> {
    let status = command.status()?;
    // A signal has no status: then nothing was found out.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}

/// Help without a lesson. With one, the lesson gives it.
fn help() -> Result<ExitCode> {
    let mut dial = Cli::command();
    dial.build();
    let check = dial.find_subcommand_mut("check").context("check")?;
    check.print_help().context("stdout")?;
    Ok(ExitCode::SUCCESS)
}
