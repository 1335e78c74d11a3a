//! From measurements to figures: medians, and how far they are spread.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::crowd::{ENOUGH, Seen};
use super::entrant::Entrant;
use super::limit::Limit;
use super::{Memory, Place, Setting, machine};

/// Below so many clients, memory per connection is only noise.
const MANY: usize = 256;

/// What one measurement of one server says.
#[derive(Clone)]
pub struct Round {
    pub rate: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
    /// CPU time of the server for one message.
    pub cpu: Duration,
    pub crowd_cpu: Duration,
    pub switches: f64,
    pub threads: usize,
    pub starved: usize,
    /// What the client got that got least, and the one that got most, as parts
    /// of what the one in the middle got.
    pub extremes: (f64, f64),
    pub errors: u64,
    pub first_error: Option<String>,
    /// Parts of one core: the server, the crowd, everybody else.
    pub server_busy: f64,
    pub crowd_busy: f64,
    pub others: f64,
    /// Bytes for one connection: in the process, and in the kernel.
    pub memory: Option<(f64, f64)>,
}

impl Round {
    pub fn new(seen: &Seen, memory: Memory, clients: usize) -> Self {
        let used = &seen.used;
        let seconds = used.time.as_secs_f64();
        let messages = seen.messages as u32;
        let quantile = |of: &Histogram<u64>, part| Duration::from_nanos(of.value_at_quantile(part));
        let each = |kib: i64| kib as f64 * 1024.0 / clients as f64;
        Self {
            rate: seen.messages as f64 / seconds,
            p50: quantile(&seen.latencies, 0.5),
            p99: quantile(&seen.latencies, 0.99),
            max: Duration::from_nanos(seen.latencies.max()),
            cpu: used.server_cpu / messages,
            crowd_cpu: used.crowd_cpu / messages,
            switches: used.switches as f64 / seen.messages as f64,
            threads: seen.threads,
            starved: starved(&seen.served),
            extremes: extremes(&seen.served),
            errors: seen.errors,
            first_error: seen.first_error.clone(),
            server_busy: used.server_cpu.as_secs_f64() / seconds,
            crowd_busy: used.crowd_cpu.as_secs_f64() / seconds,
            others: used.others,
            memory: (clients >= MANY).then(|| (each(memory.process), each(memory.kernel))),
        }
    }
}

/// How many clients were served less than a tenth of what the client in the
/// middle got. Where most got nothing, the middle is that of the served ones.
pub fn starved(served: &[u64]) -> usize {
    let mut sorted: Vec<u64> = served.iter().copied().filter(|count| *count > 0).collect();
    sorted.sort_unstable();
    match sorted.get(sorted.len() / 2).copied() {
        None => served.len(),
        Some(..ENOUGH) => 0, // it cannot be told
        Some(middle) => served.iter().filter(|count| **count * 10 < middle).count(),
    }
}

/// The least and the most, as parts of the middle.
fn extremes(served: &[u64]) -> (f64, f64) {
    let mut sorted: Vec<f64> = served.iter().map(|count| *count as f64).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    match (&sorted[..], sorted.get(sorted.len() / 2).copied()) {
        ([least, .., most], Some(middle)) if middle > 0.0 => (least / middle, most / middle),
        _ => (1.0, 1.0), // one client, or nothing to compare with
    }
}

/// The median; of an even number, between the two in the middle.
pub fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    let half = all.len() / 2;
    match all.len() % 2 {
        1 => all[half],
        _ => (all[half - 1] + all[half]) / 2.0,
    }
}

pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Four digits behind the point are more than was measured.
pub fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// One server with so many clients: the medians of its rounds.
pub struct Row {
    pub name: String,
    pub rounds: Vec<Round>,
}

impl Row {
    /// None if no round could be measured.
    pub fn of(name: &str, rounds: Vec<Round>) -> Option<Self> {
        let name = name.to_string();
        (!rounds.is_empty()).then_some(Self { name, rounds })
    }

    pub fn median(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        middle(self.rounds.iter().map(figure).collect())
    }

    /// How far the rounds lie apart, as a part of their median.
    pub fn spread(&self, figure: impl Fn(&Round) -> f64) -> f64 {
        let all = self.rounds.iter().map(&figure);
        let most = all.clone().fold(f64::MIN, f64::max);
        let least = all.fold(f64::MAX, f64::min);
        (most - least) / 2.0 / self.median(figure)
    }

    /// A duration in microseconds.
    pub fn micros(&self, figure: impl Fn(&Round) -> Duration) -> f64 {
        self.median(|round| micros(figure(round)))
    }

    pub fn memory(&self) -> Option<(f64, f64)> {
        self.rounds[0].memory?;
        let part =
            |pick: fn((f64, f64)) -> f64| self.median(|round| round.memory.map_or(0.0, pick));
        Some((part(|both| both.0), part(|both| both.1)))
    }

    /// The crowd had no time left, and the server did: the rate is the crowd's.
    pub fn crowd_is_the_limit(&self, place: Place) -> bool {
        place != Place::Same
            && self.median(|round| round.crowd_busy) > 0.9
            && self.median(|round| round.server_busy) < 0.9
    }
}

/// All servers with the same crowd.
pub struct Cell {
    pub clients: usize,
    pub size: usize,
    /// One thread and no server.
    pub limit: Limit,
    pub rows: Vec<Row>,
}

impl Cell {
    /// The most messages a second that the kernel gives. On two cores each does
    /// half of the work.
    pub fn limit_rate(&self, place: Place) -> f64 {
        let cores = if place == Place::Same { 1.0 } else { 2.0 };
        cores / self.limit.cpu.as_secs_f64()
    }
}

/// All that was measured.
pub struct Race {
    pub cells: Vec<Cell>,
    pub entrants: Vec<Entrant>,
    pub setting: Setting,
    pub load: String,
    pub troubles: Vec<(String, String)>,
}

impl Race {
    pub fn new(setting: &Setting, entrants: &[Entrant]) -> Self {
        Self {
            cells: Vec::new(),
            entrants: entrants.to_vec(),
            setting: setting.clone(),
            load: machine::load(),
            troubles: Vec::new(),
        }
    }

    pub fn trouble(&mut self, name: &str, clients: usize, size: usize, error: &anyhow::Error) {
        let line = format!("{clients} × {size} B: {error:#}");
        let trouble = (name.into(), line);
        if !self.troubles.contains(&trouble) {
            self.troubles.push(trouble); // the same in each round
        }
    }

    pub fn never_ran(&self, name: &str) -> bool {
        let mut rows = self.cells.iter().flat_map(|cell| &cell.rows);
        !rows.any(|row| row.name == name)
    }

    /// What other programs took while it was measured, in the middle, of a core.
    pub fn others(&self) -> f64 {
        let rows = self.cells.iter().flat_map(|cell| &cell.rows);
        let rounds = rows.flat_map(|row| &row.rounds);
        let all: Vec<f64> = rounds.map(|round| round.others).collect();
        if all.is_empty() { 0.0 } else { middle(all) }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{extremes, starved};

    #[test]
    fn the_extremes_are_parts_of_the_middle() {
        assert_eq!(extremes(&[20, 5, 10, 30, 10]), (0.5, 3.0));
        assert_eq!(extremes(&[7]), (1.0, 1.0));
        assert_eq!(extremes(&[0, 0, 9]), (1.0, 1.0));
    }

    #[rstest]
    #[case::a_tenth_is_enough(&[100, 100, 10, 100], 0)]
    #[case::less_is_not(&[100, 100, 9, 100], 1)]
    #[case::where_most_get_nothing_they_are_not_the_measure(&[500, 400, 0, 0, 0, 0, 0], 5)]
    #[case::nobody_is_served(&[0, 0], 2)]
    #[case::a_few_messages_say_nothing(&[3, 3, 0, 3], 0)]
    fn who_gets_less_than_a_tenth_of_the_middle_is_starved(
        #[case] served: &[u64],
        #[case] count: usize,
    ) {
        assert_eq!(starved(served), count);
    }
}
