//! What the command line says, and what becomes of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;

use super::crowd::Plan;
use super::entrant::{Entrant, MODELS};
use super::{crowd, machine, text};

/// Races every model against the same crowd, and shows who costs what
#[derive(ClapArgs)]
pub struct Args {
    /// How many clients talk at once, separated by commas [default: 1,16,256,4096]
    #[arg(long, value_name = "N,…", value_delimiter = ',', hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=i64::from(crowd::MOST)), default_values_t = [1, 16, 256, 4096])]
    pub clients: Vec<u32>,

    /// How many bytes a message has, separated by commas [default: 64,16384]
    #[arg(long, value_name = "BYTES,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=i64::from(text::LONGEST)))]
    pub size: Vec<u32>,

    /// On which cores the server and the crowd run
    #[arg(long, value_enum)]
    pub place: Option<Place>,

    /// Only these models, separated by commas
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',', value_parser = MODELS)]
    pub only: Vec<String>,

    /// Another program that takes part; may be repeated
    #[arg(long, value_name = "NAME='COMMAND {port}'", value_parser = Entrant::parse)]
    pub also: Vec<Entrant>,

    /// Python's socketserver with threads, and its asyncio, take part too
    #[arg(long)]
    pub python: bool,

    /// How often everybody is measured; the medians are shown
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: Option<u32>,

    /// How long one measurement takes, without its warm-up
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub time: Option<f64>,

    /// Less than 30 seconds: shorter, two rounds, 64 bytes
    #[arg(long)]
    pub quick: bool,

    /// An open loop: so many messages a second, whether or not answers come
    #[arg(long, value_name = "PER SECOND", value_parser = rate, conflicts_with = "churn")]
    pub rate: Option<f64>,

    /// Call anew for every message
    #[arg(long)]
    pub churn: bool,

    /// Hold so many connections that say nothing; see what they cost
    #[arg(long, value_name = "N", conflicts_with_all = ["churn", "rate", "udp"], value_parser = clap::value_parser!(u32).range(1..=500_000))]
    pub idle: Option<u32>,

    /// Race datagrams: one a call against many a call
    #[arg(long, conflicts_with_all = ["churn", "rate", "idle"])]
    pub udp: bool,

    /// The receive buffer of the models, in bytes
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub room: Option<u32>,

    /// Print the figures as JSON (beyond/race/README.md explains it)
    #[arg(long)]
    pub json: bool,

    /// Write a chart to this file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The server on one core, the crowd on another
    Split,
    /// Both on one core: best for CPU time per message
    Same,
    /// Wherever the kernel puts them
    Free,
}

/// What is the same for a whole race.
#[derive(Clone)]
pub struct Setting {
    pub place: Place,
    pub server_cores: Vec<usize>,
    pub crowd_cores: Vec<usize>,
    pub rounds: u32,
    pub plan: Plan,
}

/// What follows from the arguments and from the cores of this machine.
pub fn setting(args: &Args) -> Result<Setting> {
    let cores = machine::cores()?;
    let place = args.place.unwrap_or(match cores.len() {
        1 => Place::Same,
        _ => Place::Split,
    });
    let one = |number: usize| cores.get(number).copied().into_iter().collect::<Vec<_>>();
    let (server_cores, crowd_cores) = match place {
        Place::Free => (cores.clone(), cores.clone()),
        Place::Same => (one(0), one(0)),
        Place::Split if cores.len() < 2 => {
            bail!(
                "--place split needs two cores, and this program may use one: see \"taskset -p $$\", or pass --place same"
            )
        }
        Place::Split => (one(0), one(1)),
    };
    let (rounds, time) = match args.quick {
        true => (2, 0.2),
        false => (3, 0.3),
    };
    Ok(Setting {
        place,
        server_cores,
        crowd_cores,
        rounds: args.rounds.unwrap_or(rounds),
        plan: Plan {
            warm_up: Duration::from_millis(if args.quick { 60 } else { 100 }),
            time: Duration::from_secs_f64(args.time.unwrap_or(time)),
            rate: args.rate,
            // A port that was called from is not free again for a minute.
            churn: args.churn.then_some(20_000),
        },
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number @ 0.01..=600.0) => Ok(number),
        _ => Err("write seconds from 0.01 to 600".into()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number @ 1.0..=10_000_000.0) => Ok(number),
        _ => Err("write messages per second from 1 to 10000000".into()),
    }
}
