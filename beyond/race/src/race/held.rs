//! Connections that are held and say nothing: what they cost, and whom.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::crowd::{Crowd, PATIENCE, Plan, Seen, Way};
use super::entrant::{Entrant, Server};
use super::result::middle;
use super::text::Text;
use super::{Memory, Setting, chart, json, lines_that_fit, machine, note, say};

/// So many clients talk, alone at first, and then beside those who say nothing.
const ACTIVE: usize = 100;
const SIZE: usize = 64;

/// One server with its idle callers, once.
struct Held {
    memory: Memory,
    /// How long a newcomer waited for its answer beside all others.
    newcomer: Duration,
    alone: (f64, Duration),
    beside: (f64, Duration),
}

/// The medians of all rounds. A change is compared within its round, because
/// one round has a busier neighbour than the other.
struct Row {
    name: String,
    /// Bytes for one connection: in the process, in the kernel, on the machine.
    memory: [f64; 3],
    newcomer_us: f64,
    per_second: f64,
    per_second_change: f64,
    cpu_us: f64,
    cpu_change: f64,
}

impl Row {
    fn of(name: &str, idle: usize, rounds: &[Held]) -> Self {
        let median = |figure: &dyn Fn(&Held) -> f64| middle(rounds.iter().map(figure).collect());
        let each = |kib: i64| kib as f64 * 1024.0 / idle as f64;
        Self {
            name: name.into(),
            memory: [
                median(&|held| each(held.memory.process)),
                median(&|held| each(held.memory.kernel)),
                median(&|held| each(held.memory.machine)),
            ],
            newcomer_us: median(&|held| micros(held.newcomer)),
            per_second: median(&|held| held.alone.0),
            per_second_change: median(&|held| held.beside.0 / held.alone.0 - 1.0),
            cpu_us: median(&|held| micros(held.alone.1)),
            cpu_change: median(&|held| micros(held.beside.1) / micros(held.alone.1) - 1.0),
        }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Races all who can hold so many.
pub fn race(idle: usize, json: bool, setting: &Setting, entrants: &[Entrant]) -> Result<()> {
    let idle = lines_that_fit(idle + ACTIVE)?.saturating_sub(ACTIVE);
    ensure!(idle > 0, "--idle: the limit of open files leaves none");
    let mut seen: Vec<Vec<Held>> = Vec::new();
    seen.resize_with(entrants.len(), Vec::new);
    for _ in 0..setting.rounds {
        for (entrant, seen) in entrants.iter().zip(&mut seen) {
            if let Some(places) = entrant.places {
                if seen.is_empty() && !json {
                    note(&format!(
                        "{}: not raced, it serves {places} at a time",
                        entrant.name
                    ));
                }
                continue;
            }
            match hold(entrant, idle, setting) {
                Ok(held) => seen.push(held),
                Err(error) => note(&format!("{}: not measured, {error:#}", entrant.name)),
            }
        }
    }
    let rows = entrants.iter().zip(&seen);
    let rows = rows.filter(|(_, rounds)| !rounds.is_empty());
    let rows: Vec<Row> = rows
        .map(|(entrant, rounds)| Row::of(&entrant.name, idle, rounds))
        .collect();
    match json {
        true => say(to_json(idle, &rows)),
        false => say(table(idle, setting, &rows)),
    }
    Ok(())
}

fn hold(entrant: &Entrant, idle: usize, setting: &Setting) -> Result<Held> {
    let text = Text::new(SIZE, entrant.dialect);
    let server = Server::start(entrant, &setting.server_cores)?;
    let mut crowd = Crowd::new(server.addr, &text, Way::Epoll)?;
    crowd.connect(ACTIVE)?;
    crowd.greet(PATIENCE)?;
    let plan = Plan {
        clients: ACTIVE,
        warm_up: setting.warm_up,
        time: setting.time,
        rate: setting.rate,
        churn: None,
    };
    let alone = crowd.measure(&plan, &server.family)?;
    crowd.finish(PATIENCE)?;
    let memory = Memory::now(&server);
    crowd.connect(idle)?;
    // Everybody has spoken once: what a server asks for lazily is there.
    let silent = crowd.greet(Duration::from_secs(30))?;
    ensure!(silent == 0, "{silent} of {idle} got no answer");
    let memory = Memory::now(&server).since(&memory);
    let newcomer = crowd.newcomer(PATIENCE).context("a newcomer")?;
    let beside = crowd.measure(&plan, &server.family)?;
    let figures = |seen: &Seen| {
        let each = seen.server_cpu / (seen.messages.max(1) as u32);
        (seen.messages as f64 / seen.took.as_secs_f64(), each)
    };
    Ok(Held {
        memory,
        newcomer,
        alone: figures(&alone),
        beside: figures(&beside),
    })
}

fn table(idle: usize, setting: &Setting, rows: &[Row]) -> String {
    let mut text = format!(
        "\n{} connections that say nothing, {ACTIVE} clients that talk ({SIZE} bytes)\n{}\n\n\
         {:<17} {:>8} {:>8} {:>9}   {:>9} {:>6}   {:>6} {:>6}\n\
         {:<17} {:>8} {:>8} {:>9}   {:>9} {:>6}   {:>6} {:>6}\n",
        chart::thousands(idle as f64),
        chart::placement(setting.place, &setting.server_cores, &setting.crowd_cores),
        "",
        "bytes of",
        "bytes of",
        "newcomer",
        "msg/s",
        "beside",
        "CPU,",
        "beside",
        "",
        "process",
        "kernel",
        "waited",
        "alone",
        "idle",
        "alone",
        "idle"
    );
    for row in rows {
        let _ = writeln!(
            text,
            "{:<17} {:>8} {:>8} {:>9}   {:>9} {:>5.0}%   {:>6} {:>5.0}%",
            row.name,
            chart::thousands(row.memory[0]),
            chart::thousands(row.memory[1]),
            chart::time(row.newcomer_us),
            chart::thousands(row.per_second),
            row.per_second_change * 100.0,
            chart::figure(row.cpu_us),
            row.cpu_change * 100.0,
        );
    }
    text += "\nbytes for one connection; those of the kernel are of both its ends, the server's \
             and\nthe crowd's, and of the thread that serves it: stack, page tables";
    let _ = write!(text, "\nload of the machine: {}", machine::load());
    text
}

fn to_json(idle: usize, rows: &[Row]) -> String {
    let rows = rows.iter().map(|row| {
        let [process, kernel, machine] = row.memory.map(f64::round);
        json!({
            "name": row.name,
            "memory_process": process,
            "memory_kernel": kernel,
            "memory_machine": machine,
            "newcomer_us": json::round(row.newcomer_us),
            "per_second_alone": row.per_second.round(),
            "per_second_change": json::round(row.per_second_change),
            "cpu_us_alone": json::round(row.cpu_us),
            "cpu_change": json::round(row.cpu_change),
        })
    });
    let rows: Vec<_> = rows.collect();
    let value = json!({
        "format": 1,
        "load": machine::load(),
        "idle": idle,
        "active": ACTIVE,
        "size": SIZE,
        "rows": rows,
    });
    format!("{value:#}")
}
