//! The figures in the terminal, at most 80 columns wide.

use std::fmt::Write;

use super::result::{Cell, Race, Row};
use super::{Place, Setting};

/// The longest bar, in characters.
const BAR: usize = 16;

/// Above this part of a core, other programs make the figures worthless.
const DISTURBED: f64 = 0.2;

/// All servers with one crowd.
pub fn cell(cell: &Cell, setting: &Setting) -> String {
    let mut text = format!(
        "\n{} of {} bytes; {}\n",
        match cell.clients {
            1 => "1 client, messages".to_string(),
            many => format!("{} clients, messages", thousands(many as f64)),
        },
        thousands(cell.size as f64),
        placement(setting)
    );
    let _ = writeln!(
        text,
        "{:<17} {:>9} {:>3} {:<BAR$} {:>7} {:>7} {:>5} {:>4} {:>4}",
        "", "msg/s", "±%", "", "p50", "p99", "CPU", "mem", "hurt"
    );
    let limit = cell.limit_rate(setting.place);
    let rates = cell.rows.iter().map(|row| row.median(|round| round.rate));
    let best = rates.fold(limit, f64::max);
    for row in &cell.rows {
        let _ = writeln!(text, "{}", line(row, best, setting.place));
    }
    let _ = write!(
        text,
        "{:<17} {:>9}     {:<BAR$} {:>7} {:>7} {:>5}",
        "no server at all",
        thousands(limit),
        bar(limit, best),
        "",
        "",
        figure(cell.limit.cpu.as_secs_f64() * 1e6 / 2.0)
    );
    text
}

fn line(row: &Row, best: f64, place: Place) -> String {
    let rate = row.median(|round| round.rate);
    let mark = match row.crowd_is_the_limit(place) {
        true => "*",
        false => " ",
    };
    let memory = row.memory().map_or("-".into(), |(process, kernel)| {
        format!("{:.0}K", (process + kernel).max(0.0) / 1024.0)
    });
    format!(
        "{:<17} {:>9}{mark}{:>3} {:<BAR$} {:>7} {:>7} {:>5} {memory:>4} {:>4}",
        row.name,
        thousands(rate),
        (row.spread(|round| round.rate) * 100.0).round(),
        bar(rate, best),
        time(row.micros(|round| round.p50)),
        time(row.micros(|round| round.p99)),
        figure(row.micros(|round| round.cpu)),
        row.median(|round| round.starved as f64 + round.errors as f64)
            .round(),
    )
}

/// What the columns mean, and what to think of the figures.
pub fn ending(race: &Race) -> String {
    let mut text = format!(
        "\nmsg/s  answered messages a second, median of {}; ±%: their spread\n\
         p50    half of the answers came within this time; p99: 99 of 100\n\
         CPU    processor time of the server for one message, in µs\n\
         mem    memory for one connection: in the process and in the kernel\n\
         hurt   clients that got less than a tenth of what others got, and errors\n\
         no server at all: one thread sends and receives at both ends",
        rounds(race.setting.rounds)
    );
    let rows = race.cells.iter().flat_map(|cell| &cell.rows);
    if rows
        .clone()
        .any(|row| row.crowd_is_the_limit(race.setting.place))
    {
        text += "\n*      the crowd had no time left, the server had: compare CPU, not msg/s";
    }
    let crowd = rows.clone().map(|row| row.micros(|round| round.crowd_cpu));
    let least = crowd.fold(f64::MAX, f64::min);
    if least < f64::MAX {
        let _ = write!(
            text,
            "\nThe crowd itself took from {} µs for a message.",
            figure(least)
        );
    }
    let others = race.others();
    let _ = write!(
        text,
        "\nOther programs took {:.0} % of a core meanwhile (load at the start: {}).",
        others * 100.0,
        race.load
    );
    if others > DISTURBED {
        text += "\nWARNING: that is too much. msg/s, p50 and p99 are worth nothing;\n\
                 CPU may still be compared.";
    }
    for row in rows {
        let mut errors = row
            .rounds
            .iter()
            .filter_map(|round| round.first_error.as_ref());
        if let Some(first) = errors.next() {
            let _ = write!(text, "\n{}: {first}", row.name);
        }
    }
    for (name, trouble) in &race.troubles {
        let _ = write!(text, "\n{name}: not measured\n  {trouble}");
    }
    text
}

pub fn placement(setting: &Setting) -> String {
    let core = |cores: &[usize]| cores.first().copied().unwrap_or(0);
    let (server, crowd) = (core(&setting.server_cores), core(&setting.crowd_cores));
    match setting.place {
        Place::Free => "server and crowd on any core".into(),
        Place::Same => format!("server and crowd on core {server}"),
        Place::Split => format!("server on core {server}, crowd on core {crowd}"),
    }
}

fn rounds(number: u32) -> String {
    match number {
        1 => "one round".into(),
        _ => format!("{number} rounds"),
    }
}

fn bar(value: f64, best: f64) -> String {
    "#".repeat(((value / best * BAR as f64).round() as usize).clamp(1, BAR))
}

/// Three digits, whatever the size.
pub fn figure(number: f64) -> String {
    match number {
        ..9.995 => format!("{number:.2}"),
        ..99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// Microseconds, with the unit that suits them.
pub fn time(micros: f64) -> String {
    match micros {
        ..999.5 => format!(
            "{} µs",
            &figure(micros)
                .chars()
                .take(4)
                .collect::<String>()
                .trim_end_matches('.')
        ),
        ..999_500.0 => format!("{} ms", figure(micros / 1e3)),
        _ => format!("{} s", figure(micros / 1e6)),
    }
}

pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
