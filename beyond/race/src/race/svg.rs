//! The figures as a chart, for a page or a slide.

use std::fmt::Write;

use super::chart::{figure, placement, thousands};
use super::result::{Cell, Race, Row};

const LINE: usize = 18;
const NAME: usize = 140;
const BAR: usize = 220;
const GAP: usize = 90;

/// For each cell two rows of bars: messages a second, and CPU time for one.
pub fn race(race: &Race) -> String {
    let width = NAME + 2 * (BAR + GAP) + 20;
    let mut body = String::new();
    let mut y = 30;
    let title = format!(
        "{}; medians of {} rounds; other programs took {:.0} % of a core",
        placement(&race.setting),
        race.setting.rounds,
        race.others() * 100.0
    );
    text(&mut body, 10, y, "b", &title);
    for cell in &race.cells {
        y += LINE * 2;
        let head = format!(
            "{} client{}, {} bytes",
            thousands(cell.clients as f64),
            if cell.clients == 1 { "" } else { "s" },
            thousands(cell.size as f64)
        );
        text(&mut body, 10, y, "b", &head);
        text(&mut body, NAME, y, "g", "messages a second");
        let cpu = "server CPU per message, µs";
        text(&mut body, NAME + BAR + GAP, y, "g", cpu);
        for row in &cell.rows {
            y += LINE;
            bars(&mut body, y, row, cell);
        }
        // The limit: what the kernel alone takes.
        let top = y + 5 - cell.rows.len() * LINE;
        let (rate, cpu) = limits(cell, race);
        for (left, part) in [(NAME, rate), (NAME + BAR + GAP, cpu)] {
            let x = left + (part * BAR as f64) as usize;
            let _ = writeln!(
                body,
                r#"<line x1="{x}" y1="{top}" x2="{x}" y2="{}" class="l"/>"#,
                y + 5
            );
        }
    }
    y += LINE * 2;
    let line = "The line: one thread at both ends of one connection, no server at all.";
    text(&mut body, 10, y, "g", line);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="the race of lesson 7">
<style>
text {{ font: 12px sans-serif; fill: #222 }} .b {{ font-weight: bold }} .g {{ fill: #666 }}
.r {{ fill: #4477aa }} .c {{ fill: #cc6677 }} .l {{ stroke: #222; stroke-dasharray: 4 3 }}
</style>
<rect width="100%" height="100%" fill="#fff"/>
{body}</svg>
"##,
        height = y + LINE
    )
}

fn most(cell: &Cell, figure: impl Fn(&Row) -> f64) -> f64 {
    let figures = cell.rows.iter().map(figure);
    figures.fold(f64::MIN_POSITIVE, f64::max)
}

fn rate(row: &Row) -> f64 {
    row.median(|round| round.rate)
}

fn cpu(row: &Row) -> f64 {
    row.micros(|round| round.cpu)
}

/// Where the limits stand, as parts of the longest bars.
fn limits(cell: &Cell, race: &Race) -> (f64, f64) {
    let rate = cell.limit_rate(race.setting.place) / most(cell, rate);
    let cpu = cell.limit.cpu.as_secs_f64() * 1e6 / 2.0 / most(cell, cpu);
    (rate.min(1.35), cpu.min(1.35))
}

fn bars(body: &mut String, y: usize, row: &Row, cell: &Cell) {
    text(body, 10, y, "n", &row.name);
    let (rate_label, cpu_label) = (thousands(rate(row)), figure(cpu(row)));
    let right = NAME + BAR + GAP;
    let pairs = [
        (NAME, rate(row), most(cell, rate), "r", rate_label),
        (right, cpu(row), most(cell, cpu), "c", cpu_label),
    ];
    for (x, value, most, class, label) in pairs {
        let width = (value / most * BAR as f64).max(1.0) as usize;
        let top = y - 11;
        let _ = writeln!(
            body,
            r#"<rect x="{x}" y="{top}" width="{width}" height="14" class="{class}"/>"#
        );
        text(body, x + width + 5, y, "n", &label);
    }
}

fn text(body: &mut String, x: usize, y: usize, class: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        body,
        r#"<text x="{x}" y="{y}" class="{class}">{words}</text>"#
    );
}
