//! Connections that are held and say nothing: what they cost, and whom.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::crowd::{Crowd, PATIENCE, Plan, Seen, Way};
use super::entrant::{Entrant, Server};
use super::text::Text;
use super::{Memory, Setting, chart, lines_that_fit, machine, note, say};

/// So many clients talk, alone at first, and then beside those who say nothing.
const ACTIVE: usize = 100;
const SIZE: usize = 64;

/// One server with its idle callers.
struct Held {
    name: String,
    memory: Memory,
    /// How long a newcomer waited for its answer beside all others.
    newcomer: Duration,
    alone: (f64, Duration),
    beside: (f64, Duration),
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
    // The round in the middle, by memory: single figures of one run belong together.
    let rows: Vec<Held> = seen
        .into_iter()
        .filter_map(|mut rounds| {
            rounds.sort_by_key(|held| held.memory.process + held.memory.kernel);
            let middle = rounds.len() / 2;
            (!rounds.is_empty()).then(|| rounds.swap_remove(middle))
        })
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
        name: entrant.name.clone(),
        memory,
        newcomer,
        alone: figures(&alone),
        beside: figures(&beside),
    })
}

/// KiB of all connections, as bytes of one.
fn each(kib: i64, idle: usize) -> f64 {
    kib as f64 * 1024.0 / idle as f64
}

fn change(before: f64, after: f64) -> f64 {
    (after / before - 1.0) * 100.0
}

fn table(idle: usize, setting: &Setting, rows: &[Held]) -> String {
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
            chart::thousands(each(row.memory.process, idle)),
            chart::thousands(each(row.memory.kernel, idle)),
            chart::duration(row.newcomer),
            chart::thousands(row.alone.0),
            change(row.alone.0, row.beside.0),
            chart::figure(row.alone.1.as_secs_f64() * 1e6),
            change(row.alone.1.as_secs_f64(), row.beside.1.as_secs_f64()),
        );
    }
    text += "\nbytes for one connection; those of the kernel are of both its ends, the server's \
             and\nthe crowd's, and of the thread that serves it: stack, page tables";
    let _ = write!(text, "\nload of the machine: {}", machine::load());
    text
}

fn to_json(idle: usize, rows: &[Held]) -> String {
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    let rows = rows.iter().map(|row| {
        json!({
            "name": row.name,
            "memory_process": each(row.memory.process, idle).round(),
            "memory_kernel": each(row.memory.kernel, idle).round(),
            "memory_machine": each(row.memory.machine, idle).round(),
            "newcomer_us": micros(row.newcomer),
            "per_second_alone": row.alone.0.round(),
            "per_second_beside": row.beside.0.round(),
            "cpu_us_alone": micros(row.alone.1),
            "cpu_us_beside": micros(row.beside.1),
        })
    });
    let rows: Vec<_> = rows.collect();
    let value = json!({ "format": 1, "idle": idle, "active": ACTIVE, "size": SIZE, "rows": rows });
    format!("{value:#}")
}
