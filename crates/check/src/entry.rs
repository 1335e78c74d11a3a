//! `lesson-N check …`: from the command line to the exit status.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use kernel::terminal::is_reader_gone;

use crate::args::Args;
use crate::interrupt;
use crate::json;
use crate::outcome::{Outcome, status};
use crate::peer::lower;
use crate::plan::{Check, Lesson};
use crate::report::Report;
use crate::run;
use crate::setup::Setup;
use crate::worker;

/// Runs the checks of a lesson. It must be called before the process has a
/// second thread, because a worker moves into a network of its own.
pub fn main(lesson: &'static Lesson, args: &Args) -> ExitCode {
    let status = match &args.worker {
        Some(order) => worker::run(lesson, order).map(|()| 0),
        None => checks(lesson, args),
    };
    match status {
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
    let (server, client) = args.commands(lesson)?;
    let selected = args.select(lesson, server.is_some(), client.is_some())?;
    let report = Report::of_stdout(args.hint, args.hint_way.clone());
    if args.list {
        io::stdout().write_all(report.list(&selected).as_bytes())?;
        return Ok(0);
    }
    // A worker enters a network of its own; here we only find out whether it
    // can. The X-ray needs one in which nobody else speaks.
    let missing = Missing {
        network: kernel::probe::private_network().err(),
        tracing: kernel::probe::tracing().err(),
    };
    let observable = !missing.anything();
    let setup = Setup {
        server,
        client,
        port: lesson.port,
        private: missing.network.is_none(),
        observed: false,
        seed: args.seed,
        memory: args.memory << 20,
        scratch: Default::default(),
    };
    let (selected, left_out): (Vec<_>, Vec<_>) = selected
        .into_iter()
        .partition(|check| observable || !check.observed);
    let round = Round {
        lesson,
        args,
        setup,
        note: missing.anything().then(|| missing.note(left_out.len())),
        again: observable && !args.once,
        selected,
        left_out,
        report,
    };
    round.play()
}

/// What could not be had, and why.
#[derive(Debug)]
struct Missing {
    /// A network of its own for each check.
    network: Option<io::Error>,
    /// The X-ray's view of calls.
    tracing: Option<io::Error>,
}

impl Missing {
    /// Whether there is less evidence than there could be.
    fn anything(&self) -> bool {
        self.network.is_some() || self.tracing.is_some()
    }

    /// One sentence for the head of the report.
    fn note(&self, left_out: usize) -> String {
        let all = [
            ("a network of their own", &self.network),
            ("ptrace", &self.tracing),
        ];
        let named = all.iter().filter_map(|(name, error)| {
            let error = error.as_ref()?.to_string().to_lowercase();
            Some(format!("without {name} ({error})"))
        });
        let named = named.collect::<Vec<_>>().join(" and ");
        let mut follows = Vec::new();
        if self.network.is_some() {
            follows.push("on this machine's network, one at a time".to_string());
        }
        follows.push("no X-ray of a failure".to_string());
        match left_out {
            0 => {}
            1 => follows.push("1 check of calls is left out".to_string()),
            count => follows.push(format!("{count} checks of calls are left out")),
        }
        let follows = follows.join(", ");
        format!("the checks run {named}: {follows}; see \"cargo dial doctor\"")
    }
}

/// One round of checks.
struct Round<'a> {
    lesson: &'static Lesson,
    args: &'a Args,
    setup: Setup,
    /// What the machine does not allow.
    note: Option<String>,
    /// Whether what fails is run again, for the evidence.
    again: bool,
    selected: Vec<&'static Check>,
    left_out: Vec<&'static Check>,
    report: Report,
}

impl Round<'_> {
    fn play(&self) -> Result<u8> {
        if let Some(file) = &self.args.report {
            can_be_written(file)?;
        }
        let header = self
            .report
            .header(self.lesson.number, &self.setup, self.note.as_deref());
        self.print(&header)?;
        interrupt::listen()?;
        let started = Instant::now();
        let outcomes = self.run()?;
        if interrupt::came() {
            self.print("\ninterrupted\n")?;
            return Ok(interrupt::STATUS);
        }
        self.finish(&outcomes, started.elapsed())?;
        Ok(status(&outcomes))
    }

    /// Runs the checks, and reports each at once.
    fn run(&self) -> Result<Vec<Outcome>> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let stops = self.args.first;
        // The first one is likely to be the one that fails, and then it is waited
        // for: it has the machine for itself.
        let (alone, others) = self.selected.split_at(usize::from(stops));
        for part in [alone, others] {
            if stops && !outcomes.iter().all(Outcome::has_passed) {
                break;
            }
            run::all(part, &self.setup, self.at_once(), self.again, |outcome| {
                self.print(&self.report.outcome(&outcome))?;
                let passed = outcome.has_passed();
                outcomes.push(outcome);
                Ok(passed || !stops)
            })?;
        }
        Ok(outcomes)
    }

    fn finish(&self, outcomes: &[Outcome], time: Duration) -> Result<()> {
        let json = || {
            let note = self.note.as_deref();
            json::report(
                self.lesson,
                &self.setup,
                note,
                outcomes,
                &self.left_out,
                time,
            )
        };
        if let Some(file) = &self.args.report {
            fs::write(file, json()).with_context(|| format!("write {}", file.display()))?;
        }
        let text = match self.args.json {
            true => json(),
            false => self.report.footer(outcomes, self.left_out.len(), time),
        };
        Ok(io::stdout().write_all(text.as_bytes())?)
    }

    /// For a person. A program gets a report in JSON in its place.
    fn print(&self, text: &str) -> Result<()> {
        if !self.args.json {
            let mut stdout = io::stdout();
            stdout.write_all(text.as_bytes())?;
            stdout.flush()?;
        }
        Ok(())
    }

    /// How many checks run at the same time. Where they share a network, fixed
    /// ports would meet.
    fn at_once(&self) -> usize {
        match self.setup.private {
            true => thread::available_parallelism()
                .map_or(1, usize::from)
                .min(4),
            false => 1,
        }
    }
}

/// Asked before the first check: after the last, all would be lost. What is in
/// the file stays until there is a report.
fn can_be_written(file: &Path) -> Result<()> {
    if file.exists() && !file.is_file() && !file.is_dir() {
        // A reader of a pipe would take our close for the end of the report.
        return Ok(());
    }
    let opened = File::options().append(true).create(true).open(file);
    opened.map(drop).map_err(|error| {
        let (file, error) = (file.display(), lower(&error));
        anyhow!("--report {file}: {error}; name a file in a folder that you may write to")
    })
}
