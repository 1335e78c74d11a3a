//! What is asked on the command line.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::plan::{Check, Lesson};
use crate::setup::Of;

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
    pub(crate) server: Option<String>,

    /// How to start the client that is to be checked
    #[arg(long, value_name = "COMMAND")]
    pub(crate) client: Option<String>,

    /// Show which checks there are, and run none
    #[arg(long)]
    pub(crate) list: bool,

    /// Only this check, or this group of checks; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) only: Vec<String>,

    /// Stop at the first check that fails
    #[arg(long)]
    pub(crate) first: bool,

    /// Show hints with each failure, from where to look to how
    #[arg(long)]
    pub(crate) hint: bool,

    /// The seed of all random cuts
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// The most memory that the program may take
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub(crate) memory: u64,

    /// Write a report in JSON in place of the text: see docs/checks.md
    #[arg(long)]
    pub(crate) json: bool,

    /// Write the report in JSON into this file, beside the text
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,

    /// Begin with this check; the others keep their order
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) begin: Option<String>,

    /// What to say about how one gets hints
    #[arg(long, value_name = "TEXT", hide = true)]
    pub(crate) hint_way: Option<String>,

    /// Do not run what fails again under the X-ray
    #[arg(long)]
    pub(crate) once: bool,

    /// Run one check as this says, and write what was found out for the process above
    #[arg(long, value_name = "JSON", hide = true, exclusive = true)]
    pub(crate) worker: Option<String>,
}

impl Args {
    /// What is under test: what was asked for, or else the lesson's own programs.
    pub(crate) fn commands(&self, lesson: &Lesson) -> Result<(Option<String>, Option<String>)> {
        if self.server.is_some() || self.client.is_some() {
            for (side, line) in [("server", &self.server), ("client", &self.client)] {
                if let Some(line) = line {
                    command::probe(line).with_context(|| format!("--{side} {line:?}"))?;
                }
            }
            return Ok((self.server.clone(), self.client.clone()));
        }
        let own = env::current_exe().context("find our own executable")?;
        let own = own.to_str().context("the path of our own executable")?;
        let own = shell_words::quote(own);
        Ok((
            Some(format!("{own} {}", lesson.server)),
            Some(format!("{own} {}", lesson.client)),
        ))
    }

    /// The checks that were asked for, of what there is.
    pub(crate) fn select(
        &self,
        lesson: &'static Lesson,
        server: bool,
        client: bool,
    ) -> Result<Vec<&'static Check>> {
        let only = self.only.iter().map(|part| ("--only", part));
        for (option, part) in only.chain(self.begin.iter().map(|part| ("--begin", part))) {
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
            there && (self.only.is_empty() || self.only.iter().any(|part| check.is_in(part)))
        };
        let mut selected: Vec<_> = lesson.checks.iter().filter(wanted).collect();
        if let Some(first) = &self.begin {
            selected.sort_by_key(|check| !check.is_in(first));
        }
        if selected.is_empty() {
            bail!("nothing to check: the checks that were asked for are about the other side");
        }
        Ok(selected)
    }
}
