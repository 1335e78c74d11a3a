//! `lesson-N check …`: which checks, of which programs.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use kernel::terminal::is_reader_gone;

use crate::command;
use crate::interrupt;
use crate::json;
use crate::missing::Missing;
use crate::peer::lower;
use crate::plan::{Check, Lesson, Of};
use crate::report::Paper;
use crate::run::{self, Outcome};
use crate::setup::Setup;

/// What `lesson-N check` is asked.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "\
The address is handed over as {host}, {port} and {addr} in the command, and as HOST, PORT and ADDR
in the environment. Without --server and --client, the lesson's own programs are checked.

Examples:
  check --server 'python3 my_server.py'
  check --client './my_client {host} {port}' --only 2/client --hint

Status 0: all passed, 1: some failed, 2: something could not be tested.")]
pub struct Args {
    /// How to start the server that is to be checked
    #[arg(long, value_name = "COMMAND")]
    server: Option<String>,

    /// How to start the client that is to be checked
    #[arg(long, value_name = "COMMAND")]
    client: Option<String>,

    /// Show which checks there are, and run none
    #[arg(long)]
    list: bool,

    /// Only this check, or this group of checks; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    only: Vec<String>,

    /// Stop at the first check that fails
    #[arg(long)]
    first: bool,

    /// Show hints with each failure, from where to look to how
    #[arg(long)]
    hint: bool,

    /// The seed of all random cuts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// The most memory that the program may take
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    memory: u64,

    /// Write a report in JSON in place of the text: see docs/checks.md
    #[arg(long)]
    json: bool,

    /// Write the report in JSON into this file, beside the text
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Begin with this check; the others keep their order
    #[arg(long, value_name = "ADDRESS")]
    begin: Option<String>,

    /// What to say about how one gets hints
    #[arg(long, value_name = "TEXT", hide = true)]
    hint_way: Option<String>,

    /// Do not run what fails again under the X-ray
    #[arg(long)]
    once: bool,

    /// Run this check alone, and write what was seen for the process above
    #[arg(long, value_name = "ADDRESS", hide = true)]
    worker: Option<String>,

    /// Where the worker may make files
    #[arg(long, value_name = "FOLDER", hide = true)]
    scratch: Option<PathBuf>,

    /// The worker looks with the X-ray
    #[arg(long, requires = "worker", hide = true)]
    observed: bool,
}

/// Runs the checks of a lesson. It must be called before the process has a
/// second thread, because a worker moves into a network of its own.
pub fn main(lesson: &'static Lesson, args: &Args) -> ExitCode {
    match checks(lesson, args) {
        Ok(status) => ExitCode::from(status),
        // A reader that went away, as in `| head`, needs no error message.
        Err(error) if error.downcast_ref().is_some_and(is_reader_gone) => ExitCode::from(2),
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::from(2)
        }
    }
}

fn checks(lesson: &'static Lesson, args: &Args) -> Result<u8> {
    let (server, client) = commands(lesson, args)?;
    let selected = select(lesson, args, server.is_some(), client.is_some())?;
    let mut stdout = io::stdout();
    let paper = Paper::of_stdout(args.hint, args.hint_way.clone());
    if args.list {
        stdout.write_all(paper.list(&selected).as_bytes())?;
        return Ok(0);
    }
    // A worker enters a network of its own; here it is only found out whether it can.
    let without = sources::probe::private_network().err();
    let setup = Setup {
        server,
        client,
        port: lesson.port,
        private: without.is_none(),
        observed: args.observed,
        seed: args.seed,
        memory: args.memory << 20,
        scratch: args.scratch.clone().unwrap_or_default(),
    };
    if let Some(address) = &args.worker {
        let check = lesson.checks.iter().find(|check| check.address == address);
        run::worker(check.context("no such check")?, &setup)?;
        return Ok(0);
    }
    // The X-ray needs a network in which nobody else speaks.
    let missing = Missing {
        network: without,
        tracing: sources::probe::tracing().err(),
    };
    let observable = !missing.anything();
    let (selected, left_out): (Vec<_>, Vec<_>) = selected
        .into_iter()
        .partition(|check| observable || !check.observed);
    let note = missing.anything().then(|| missing.note(left_out.len()));
    if let Some(file) = &args.report {
        can_be_written(file)?;
    }
    if !args.json {
        stdout.write_all(
            paper
                .header(lesson.number, &setup, note.as_deref())
                .as_bytes(),
        )?;
    }
    interrupt::listen()?;
    let started = Instant::now();
    let mut outcomes = Vec::new();
    let again = observable && !args.once;
    // The first one is likely to be the one that fails, and then it is waited for:
    // it has the machine for itself.
    let (alone, others) = selected.split_at(usize::from(args.first));
    for part in [alone, others] {
        if args.first && !outcomes.is_empty() && status(&outcomes) != 0 {
            break;
        }
        run::all(part, at_once(&setup), again, |outcome| {
            if !args.json {
                stdout.write_all(paper.outcome(&outcome).as_bytes())?;
                stdout.flush()?;
            }
            let passed = matches!(outcome.seen.result, run::Result::Passed);
            outcomes.push(outcome);
            Ok(passed || !args.first)
        })?;
    }
    if interrupt::came() {
        if !args.json {
            stdout.write_all(b"\ninterrupted\n")?;
        }
        return Ok(interrupt::STATUS);
    }
    let time = started.elapsed();
    let report = || {
        let note = note.as_deref();
        json::report(lesson, &setup, note, &outcomes, &left_out, time)
    };
    if let Some(file) = &args.report {
        std::fs::write(file, report()).with_context(|| format!("write {}", file.display()))?;
    }
    let text = if args.json {
        report()
    } else {
        paper.footer(&outcomes, left_out.len(), time)
    };
    stdout.write_all(text.as_bytes())?;
    Ok(status(&outcomes))
}

/// Asked before the first check: after the last, all would be lost. What is in
/// the file stays until there is a report.
fn can_be_written(file: &Path) -> Result<()> {
    if file.exists() && !file.is_file() && !file.is_dir() {
        // Who reads from a pipe would take the end of this for the end of all.
        return Ok(());
    }
    let opened = File::options().append(true).create(true).open(file);
    opened.map(drop).map_err(|error| {
        let (file, error) = (file.display(), lower(&error));
        anyhow!("--report {file}: {error}; name a file in a folder that you may write to")
    })
}

/// How many checks run at the same time. Where they share a network, fixed ports
/// would meet.
fn at_once(setup: &Setup) -> usize {
    if setup.private {
        thread::available_parallelism()
            .map_or(1, usize::from)
            .min(4)
    } else {
        1
    }
}

/// 0 all passed, 1 some failed, 2 some could not be tested, or none was.
pub(crate) fn status(outcomes: &[Outcome]) -> u8 {
    let any = |fits: fn(&run::Result) -> bool| outcomes.iter().any(|one| fits(&one.seen.result));
    if any(|result| matches!(result, run::Result::Failed(_))) {
        1
    } else if any(|result| matches!(result, run::Result::Untested(_))) || outcomes.is_empty() {
        2
    } else {
        0
    }
}

/// What is under test: what was asked for, or else the lesson's own programs.
fn commands(lesson: &Lesson, args: &Args) -> Result<(Option<String>, Option<String>)> {
    if args.server.is_some() || args.client.is_some() {
        for (side, line) in [("server", &args.server), ("client", &args.client)] {
            if let Some(line) = line {
                command::probe(line).with_context(|| format!("--{side} {line:?}"))?;
            }
        }
        return Ok((args.server.clone(), args.client.clone()));
    }
    let own = env::current_exe().context("find our own executable")?;
    let own = own.to_str().context("the path of our own executable")?;
    let own = shell_words::quote(own);
    Ok((
        Some(format!("{own} {}", lesson.server)),
        Some(format!("{own} {}", lesson.client)),
    ))
}

fn select(
    lesson: &'static Lesson,
    args: &Args,
    server: bool,
    client: bool,
) -> Result<Vec<&'static Check>> {
    let only = args.only.iter().map(|part| ("--only", part));
    for (option, part) in only.chain(args.begin.iter().map(|part| ("--begin", part))) {
        if !lesson.checks.iter().any(|check| check.is_in(part)) {
            bail!("{option} {part:?}: there is no such check, and no such group; see --list");
        }
    }
    let wanted = |check: &&Check| {
        let there = match check.of {
            Of::Server => server,
            Of::Client => client,
            Of::Both => server && client,
        };
        there && (args.only.is_empty() || args.only.iter().any(|part| check.is_in(part)))
    };
    let mut selected: Vec<_> = lesson.checks.iter().filter(wanted).collect();
    if let Some(first) = &args.begin {
        selected.sort_by_key(|check| !check.is_in(first));
    }
    if selected.is_empty() {
        bail!("nothing to check: the checks that were asked for are about the other side");
    }
    Ok(selected)
}
