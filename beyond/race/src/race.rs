//! The race: every model against the same crowd, in turns, measured.
//!
//! Read in this order: `field` below (what is run, and in which order), then
//! `crowd.rs` (who measures), `machine.rs` (what is measured), `result.rs`
//! (what becomes of several rounds). The rest is presentation.

mod args;
mod chart;
mod crowd;
mod entrant;
mod held;
mod json;
mod limit;
mod machine;
mod result;
mod svg;
#[cfg(test)]
mod tests;
mod text;
mod udp;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lesson_7::{complain, ended, say};

use crate::os::scheduling::in_batches;
pub use args::{Args, Place, Setting};
use crowd::{Crowd, PATIENCE, Way};
use entrant::{Entrant, MODELS, Server};
use limit::Limit;
use result::{Cell, Race, Round, Row};
use text::Text;

pub fn start(args: &Args) -> ExitCode {
    ended(run(args))
}

fn run(args: &Args) -> Result<()> {
    ensure!(
        !cfg!(debug_assertions),
        "race: this is a debug build, its figures would say nothing about the models; \
         run: cargo run --release -p race"
    );
    let setting = args::setting(args)?;
    let entrants = entrants(args)?;
    machine::stay_on(&setting.crowd_cores)?;
    // A crowd that were woken for its first answer would take a shared core away
    // from a server that is about to send more. Servers do not inherit this.
    in_batches();
    if args.udp {
        return udp::race(args.json, &setting, &args.also);
    }
    if let Some(idle) = args.idle {
        return held::race(idle as usize, args.json, &setting, &entrants);
    }
    field(args, &setting, &entrants)
}

fn entrants(args: &Args) -> Result<Vec<Entrant>> {
    let chosen =
        |model: &&&str| args.only.is_empty() || args.only.iter().any(|only| only == *model);
    let room = args
        .room
        .map(|room| format!("--room {room}"))
        .unwrap_or_default();
    let models = MODELS.iter().filter(chosen);
    let mut entrants: Vec<Entrant> = models
        .map(|model| Entrant::model(model, &room))
        .collect::<Result<_>>()?;
    let python = match args.python || (!args.json && io::stdout().is_terminal()) {
        true => entrant::python_peers(),
        false => Vec::new(),
    };
    if args.python {
        ensure!(
            !python.is_empty(),
            "--python: there is no python3 on this machine"
        );
        entrants.extend(python);
    } else if !python.is_empty() {
        complain("python3 is here: with --python its two servers take part");
    }
    entrants.extend(args.also.iter().cloned());
    Ok(entrants)
}

/// When this time is over, `--quick` begins no other round with so many clients.
const QUICK: Duration = Duration::from_secs(2);

/// Everybody in turns, A B C A B C: what disturbs the machine for a while
/// disturbs all of them.
fn field(args: &Args, setting: &Setting, entrants: &[Entrant]) -> Result<()> {
    let sizes: Vec<usize> = match (&args.size[..], args.quick) {
        ([], true) => vec![64],
        ([], false) => vec![64, 16_384],
        (sizes, _) => sizes.iter().map(|size| *size as usize).collect(),
    };
    let most = args.clients.iter().max().copied().unwrap_or(1);
    let most = lines_that_fit(most as usize)?;
    let mut entrants = entrants.to_vec();
    let mut race = Race::new(setting, &entrants);
    for size in sizes {
        let mut limit: Option<Limit> = None;
        let clients = args.clients.iter();
        for clients in clients.map(|clients| (*clients as usize).min(most)) {
            let again = limit::one_thread_one_pair(size, Duration::from_millis(80))?;
            let least = limit.map_or(again, |limit| limit.least(again));
            limit = Some(least);
            let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); entrants.len()];
            let began = Instant::now();
            for number in 0..setting.rounds {
                if number > 0 && args.quick && began.elapsed() > QUICK {
                    break; // the machine is slow: one round is better than none
                }
                for (entrant, rounds) in entrants.iter().zip(&mut rounds) {
                    let name = &entrant.name;
                    let round = number + 1;
                    progress(
                        args,
                        &format!("{clients} × {size} B, round {round}: {name}"),
                    );
                    match one_round(entrant, clients, size, setting) {
                        Ok(round) => rounds.push(round),
                        Err(error) => race.trouble(&entrant.name, clients, size, &error),
                    }
                }
            }
            progress(args, "");
            let rows = entrants.iter().zip(rounds);
            let rows = rows.filter_map(|(entrant, rounds)| Row::of(&entrant.name, rounds));
            let cell = Cell {
                clients,
                size,
                limit: least,
                rows: rows.collect(),
            };
            if !args.json {
                say(chart::cell(&cell, setting));
            }
            race.cells.push(cell);
            // Who could not be started will not do better with more clients.
            entrants.retain(|entrant| !race.never_ran(&entrant.name));
        }
    }
    say(match args.json {
        true => json::race(&race),
        false => chart::ending(&race),
    });
    if let Some(file) = &args.svg {
        fs::write(file, svg::race(&race)).with_context(|| format!("write {}", file.display()))?;
        complain(format!("the chart is in {}", file.display()));
    }
    ensure!(
        race.cells.iter().any(|cell| !cell.rows.is_empty()),
        "race: nobody could take part"
    );
    Ok(())
}

/// One server, one crowd, one measurement.
fn one_round(entrant: &Entrant, clients: usize, size: usize, setting: &Setting) -> Result<Round> {
    let text = Text::new(size, entrant.dialect);
    let server = Server::start(entrant, &setting.server_cores)?;
    let memory = Memory::now(&server);
    let way = match setting.plan.churn {
        Some(_) => Way::Epoll,
        None => Way::IoUring,
    };
    let mut crowd = Crowd::new(server.addr, &text, way)?;
    crowd.connect(clients)?;
    // A server that has no place for all leaves the others waiting: no error.
    let patience = match entrant.places {
        Some(_) => Duration::from_millis(20),
        None => PATIENCE,
    };
    crowd.greet(patience)?;
    let memory = Memory::now(&server).since(&memory);
    let seen = crowd.measure(clients, &setting.plan, &server.family)?;
    ensure!(
        seen.messages > 0,
        "no message was answered; {}",
        seen.first_error.as_deref().unwrap_or("no error either")
    );
    Ok(Round::new(&seen, memory, clients))
}

/// The rounds of everybody who could be measured, in turns as in `field`; a
/// failure is said at once.
pub fn in_turns<T>(
    entrants: &[Entrant],
    setting: &Setting,
    measure: impl Fn(&Entrant) -> Result<T>,
) -> impl Iterator<Item = (String, Vec<T>)> {
    let mut all: Vec<Vec<T>> = entrants.iter().map(|_| Vec::new()).collect();
    for _ in 0..setting.rounds {
        for (entrant, rounds) in entrants.iter().zip(&mut all) {
            match measure(entrant) {
                Ok(round) => rounds.push(round),
                Err(error) => complain(format!("{}: not measured, {error:#}", entrant.name)),
            }
        }
    }
    let names = entrants.iter().map(|entrant| entrant.name.clone());
    names.zip(all).filter(|(_, rounds)| !rounds.is_empty())
}

/// What connections take: in the server, in the kernel, and what is missing
/// from the memory of the machine, in KiB.
#[derive(Clone, Copy, Default)]
pub struct Memory {
    pub process: i64,
    pub kernel: i64,
    pub machine: i64,
}

impl Memory {
    pub fn now(server: &Server) -> Self {
        Self {
            process: server.family.memory() as i64,
            kernel: machine::kernel_memory() as i64,
            machine: -(machine::available_memory() as i64),
        }
    }

    pub fn since(&self, before: &Self) -> Self {
        Self {
            process: self.process - before.process,
            kernel: self.kernel - before.kernel,
            machine: self.machine - before.machine,
        }
    }
}

/// Raises the limit of open files; with less, fewer clients come.
pub fn lines_that_fit(clients: usize) -> Result<usize> {
    let wanted = clients as u64 + 64;
    let limit = machine::raise_file_limit(wanted)?;
    if limit >= wanted {
        return Ok(clients);
    }
    let fit = (limit - 64) as usize;
    complain(format!(
        "open files: this program may have {limit}, so {fit} clients come in place of {clients}; \
         raise the hard limit: see \"ulimit -Hn\""
    ));
    Ok(fit)
}

/// One line that is written over again, for a person who waits.
fn progress(args: &Args, line: &str) {
    if io::stderr().is_terminal() && !args.json {
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}
