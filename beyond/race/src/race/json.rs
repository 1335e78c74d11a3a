//! The figures as JSON, for whoever wants to draw or compare them.

use serde_json::{Map, Value, json};

use super::Place;
use super::result::{Cell, Race, Round, Row, micros, rounded};

/// One object. README.md of this package explains each name. Times are in
/// microseconds, memory in bytes, parts of one core from 0 to 1.
pub fn race(race: &Race) -> String {
    let setting = &race.setting;
    let cell = |cell: &Cell| {
        json!({
            "clients": cell.clients,
            "size": cell.size,
            "limit": {
                "message_us": rounded(micros(cell.limit.time)),
                "cpu_us": rounded(micros(cell.limit.cpu)),
                "per_second": cell.limit_rate(race.setting.place).round(),
            },
            "rows": cell.rows.iter().map(|row| one_row(row, race.setting.place)).collect::<Vec<_>>(),
        })
    };
    let entrants = race.entrants.iter();
    let commands = entrants.map(|entrant| (entrant.name.clone(), json!(entrant.command)));
    let value = json!({
        "format": 1,
        "place": setting.place,
        "server_cores": setting.server_cores,
        "crowd_cores": setting.crowd_cores,
        "rounds": setting.rounds,
        "seconds": setting.plan.time.as_secs_f64(),
        "load_before": race.load,
        "others_busy": rounded(race.others()),
        "commands": commands.collect::<Map<_, _>>(),
        "cells": race.cells.iter().map(cell).collect::<Vec<_>>(),
        "troubles": race.troubles,
    });
    format!("{value:#}")
}

fn one_row(row: &Row, place: Place) -> Value {
    let median = |figure: fn(&Round) -> f64| rounded(row.median(figure));
    json!({
        "name": row.name,
        "per_second": row.median(|round| round.rate).round(),
        "per_second_spread": rounded(row.spread(|round| round.rate)),
        "p50_us": rounded(row.micros(|round| round.p50)),
        "p99_us": rounded(row.micros(|round| round.p99)),
        "max_us": rounded(row.micros(|round| round.max)),
        "cpu_us": rounded(row.micros(|round| round.cpu)),
        "cpu_spread": rounded(row.spread(|round| round.cpu.as_secs_f64())),
        "crowd_cpu_us": rounded(row.micros(|round| round.crowd_cpu)),
        "switches": median(|round| round.switches),
        "threads": median(|round| round.threads as f64),
        "starved": median(|round| round.starved as f64),
        "served_least": median(|round| round.extremes.0),
        "served_most": median(|round| round.extremes.1),
        "errors": median(|round| round.errors as f64),
        "server_busy": median(|round| round.server_busy),
        "crowd_busy": median(|round| round.crowd_busy),
        "others_busy": median(|round| round.others),
        "crowd_is_the_limit": row.crowd_is_the_limit(place),
        "memory_process": row.memory().map(|memory| memory.0.round()),
        "memory_kernel": row.memory().map(|memory| memory.1.round()),
        "rounds": row.rounds.iter().map(|round| json!({
            "per_second": round.rate.round(),
            "cpu_us": rounded(micros(round.cpu)),
        })).collect::<Vec<_>>(),
    })
}
