//! Connections that are held and say nothing: what they cost, and whom.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lesson_7::{complain, say};
use serde::Serialize;
use serde_json::json;

use super::crowd::{Crowd, PATIENCE, Seen, Way};
use super::entrant::{Entrant, Server};
use super::result::{micros, middle, rounded};
use super::text::Text;
use super::{Memory, Setting, chart, in_turns, lines_that_fit, machine};

/// So many clients talk, alone at first, and then beside those who say nothing.
const ACTIVE: usize = 100;
const SIZE: usize = 64;

/// One server with its idle callers, once.
struct Held {
    memory: Memory,
    /// How long a newcomer waited for its answer beside all others.
    newcomer: Duration,
    /// Messages a second, and the server's CPU time for one in µs.
    alone: (f64, f64),
    beside: (f64, f64),
}

/// The medians of all rounds, by their names in the JSON. A change is compared
/// within its round, because one round has a busier neighbour than the other.
#[derive(Serialize)]
struct Row {
    name: String,
    /// Bytes for one connection.
    memory_process: f64,
    memory_kernel: f64,
    memory_machine: f64,
    newcomer_us: f64,
    per_second_alone: f64,
    per_second_change: f64,
    cpu_us_alone: f64,
    cpu_change: f64,
}

impl Row {
    fn of(name: String, idle: usize, rounds: &[Held]) -> Self {
        let median = |figure: &dyn Fn(&Held) -> f64| middle(rounds.iter().map(figure).collect());
        let each = |kib: i64| kib as f64 * 1024.0 / idle as f64;
        Self {
            name,
            memory_process: median(&|held| each(held.memory.process)).round(),
            memory_kernel: median(&|held| each(held.memory.kernel)).round(),
            memory_machine: median(&|held| each(held.memory.machine)).round(),
            newcomer_us: rounded(median(&|held| micros(held.newcomer))),
            per_second_alone: median(&|held| held.alone.0).round(),
            per_second_change: rounded(median(&|held| held.beside.0 / held.alone.0 - 1.0)),
            cpu_us_alone: rounded(median(&|held| held.alone.1)),
            cpu_change: rounded(median(&|held| held.beside.1 / held.alone.1 - 1.0)),
        }
    }
}

/// Races all who can hold so many.
pub fn race(idle: usize, json: bool, setting: &Setting, entrants: &[Entrant]) -> Result<()> {
    let idle = lines_that_fit(idle + ACTIVE)?.saturating_sub(ACTIVE);
    ensure!(idle > 0, "--idle: the limit of open files leaves none");
    let (entrants, others): (Vec<Entrant>, Vec<Entrant>) = entrants
        .iter()
        .cloned()
        .partition(|entrant| entrant.places.is_none());
    for Entrant { name, places, .. } in others.iter().filter(|_| !json) {
        let places = places.unwrap_or_default();
        complain(format!("{name}: not raced, it serves {places} at a time"));
    }
    let held = in_turns(&entrants, setting, |entrant| hold(entrant, idle, setting));
    let rows = held.map(|(name, rounds)| Row::of(name, idle, &rounds));
    let rows: Vec<Row> = rows.collect();
    say(match json {
        true => to_json(idle, &rows),
        false => table(idle, setting, &rows),
    });
    Ok(())
}

fn hold(entrant: &Entrant, idle: usize, setting: &Setting) -> Result<Held> {
    let text = Text::new(SIZE, entrant.dialect);
    let server = Server::start(entrant, &setting.server_cores)?;
    let mut crowd = Crowd::new(server.addr, &text, Way::Epoll)?;
    crowd.connect(ACTIVE)?;
    crowd.greet(PATIENCE)?;
    let alone = crowd.measure(ACTIVE, &setting.plan, &server.family)?;
    crowd.finish(PATIENCE)?;
    let memory = Memory::now(&server);
    crowd.connect(idle)?;
    // Everybody has spoken once: what a server asks for lazily is there.
    let silent = crowd.greet(Duration::from_secs(30))?;
    ensure!(silent == 0, "{silent} of {idle} got no answer");
    let memory = Memory::now(&server).since(&memory);
    let newcomer = newcomer(server.addr, &text).context("a newcomer")?;
    let beside = crowd.measure(ACTIVE, &setting.plan, &server.family)?;
    let figures = |seen: &Seen| {
        let each = seen.used.server_cpu / (seen.messages.max(1) as u32);
        let rate = seen.messages as f64 / seen.used.time.as_secs_f64();
        (rate, micros(each))
    };
    Ok(Held {
        memory,
        newcomer,
        alone: figures(&alone),
        beside: figures(&beside),
    })
}

/// A new caller beside all others: how long from its connect to its answer.
fn newcomer(addr: SocketAddr, text: &Text) -> Result<Duration> {
    let began = Instant::now();
    let mut line = TcpStream::connect_timeout(&addr, PATIENCE).context("connect")?;
    let timeout = line.set_read_timeout(Some(PATIENCE));
    timeout.context("setsockopt")?;
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    let message = text.asked(usize::MAX, 1, &mut asked);
    line.write_all(message).context("send")?;
    let wanted = text.wanted(usize::MAX, 1, &mut wanted);
    let mut answer = vec![0; wanted.len()];
    line.read_exact(&mut answer).context("recv")?;
    ensure!(answer == wanted, "wrong bytes for the newcomer");
    Ok(began.elapsed())
}

fn table(idle: usize, setting: &Setting, rows: &[Row]) -> String {
    let mut text = format!(
        "\n{} connections that say nothing, {ACTIVE} clients that talk ({SIZE} bytes)\n{}\n\n\
         {:<17} {:>8} {:>8} {:>9}   {:>9} {:>6}   {:>6} {:>6}\n\
         {:<17} {:>8} {:>8} {:>9}   {:>9} {:>6}   {:>6} {:>6}\n",
        chart::thousands(idle as f64),
        chart::placement(setting),
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
            chart::thousands(row.memory_process),
            chart::thousands(row.memory_kernel),
            chart::time(row.newcomer_us),
            chart::thousands(row.per_second_alone),
            row.per_second_change * 100.0,
            chart::figure(row.cpu_us_alone),
            row.cpu_change * 100.0,
        );
    }
    text += "\nbytes for one connection; those of the kernel are of both its ends, the server's \
             and\nthe crowd's, and of the thread that serves it: stack, page tables";
    let _ = write!(text, "\nload of the machine: {}", machine::load());
    text
}

fn to_json(idle: usize, rows: &[Row]) -> String {
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
