//! A sequence diagram as SVG, for a page or a slide.
//!
//! Each program has a lifeline, in the order in which they were started. Time
//! runs down; a longer pause takes more room, but not in proportion. A bar on a
//! lifeline is a call that waits. Between the lifelines are the packets.

mod paper;
mod plan;
mod wire;

use std::collections::HashMap;
use std::time::Duration;

use timeline::call::CallId;
use timeline::{Actor, Event, Kind, Timeline};

use self::paper::{Anchor, LINE, Paper, count, lines, widest};
use self::plan::{GAP, LANE, MARGIN, TIME, cells, pixels};
use crate::reading::{Layer, Meaning, Reading, Row, Stand, Subject, with_next};
use crate::said::milliseconds;

/// The whole timeline as an SVG file, as it is read. A picture is never ASCII
/// alone.
pub fn svg(timeline: &Timeline, reading: Reading) -> String {
    let mut picture = Picture::new(timeline, reading);
    for (event, next) in with_next(timeline) {
        picture.draw(event, next);
    }
    picture.finish()
}

/// A program on the picture.
struct Lane {
    name: String,
    /// Where its life begins; None before.
    since: Option<i32>,
}

/// A call that has begun.
struct Open {
    lane: usize,
    /// Which of the bars side by side is its own.
    slot: i32,
    y: i32,
}

struct Picture {
    reading: Reading,
    paper: Paper,
    lanes: Vec<Lane>,
    /// Where the next row begins.
    y: i32,
    now: Duration,
    open: HashMap<CallId, Open>,
}

impl Picture {
    fn new(timeline: &Timeline, reading: Reading) -> Self {
        let mut picture = Self {
            reading,
            paper: Paper::default(),
            lanes: Vec::new(),
            y: MARGIN + 2 * LINE,
            now: Duration::ZERO,
            open: HashMap::new(),
        };
        for event in timeline.events() {
            if let Kind::Started { lane, command } = &event.kind {
                picture.program(lane, command);
            }
        }
        let unit = ["ms".to_string()];
        let y = MARGIN + LINE;
        picture.paper.text(MARGIN, y, Anchor::Start, "time", &unit);
        picture
    }

    /// A lane, with its name and command above it.
    fn program(&mut self, name: &str, command: &[String]) {
        let (x, anchor) = plan::beside(self.lanes.len());
        let y = MARGIN + LINE;
        let names = lines(name, cells(LANE));
        self.paper.text(x, y, anchor, "name", &names[..1]);
        let mut rows = lines(&command.join(" "), cells(LANE));
        rows.truncate(3);
        self.paper.text(x, y + LINE, anchor, "faint", &rows);
        self.y = self.y.max(y + (1 + count(&rows)) * LINE);
        let name = name.to_string();
        self.lanes.push(Lane { name, since: None });
    }

    fn lane_of(&self, actor: Option<Actor>) -> Option<usize> {
        let lane = actor.map(|actor| actor.0);
        lane.filter(|lane| *lane < self.lanes.len())
    }

    fn draw(&mut self, event: &Event, next: Option<&Event>) {
        self.pass_to(event.time);
        for row in self.reading.read(event, next) {
            self.row(&row);
        }
    }

    fn row(&mut self, row: &Row) {
        let y = self.y;
        match &row.stand {
            _ if row.words.is_empty() => {}
            Stand::Lane(lane) => self.in_lane(row, lane.actor),
            Stand::Wire(way) => self.on_wire(row, *way),
            Stand::Across => {
                let pieces = row.words.iter();
                pieces.for_each(|piece| self.across(&piece.text, class(row)));
            }
        }
        if let Stand::Lane(lane) = &row.stand
            && let Some(lane) = self.lane_of(Some(lane.actor))
        {
            self.live(row, lane, y);
        }
    }

    /// A life or a call begins here, or ends.
    fn live(&mut self, row: &Row, lane: usize, y: i32) {
        match &row.about {
            Subject::Started(..) => {
                self.lanes[lane].since.get_or_insert(y);
            }
            Subject::Begins(it) | Subject::Whole(it) => self.begin(it.call, lane, y),
            Subject::Returns(it, _) => {
                let open = self.open.remove(&it.call);
                open.iter().for_each(|open| self.bar(open, "bar"));
            }
            Subject::Ended => self.end_of(lane),
            _ => {}
        }
    }

    /// Room for a pause, so that waiting can be seen.
    fn pass_to(&mut self, time: Duration) {
        let pause = time.saturating_sub(self.now);
        self.now = self.now.max(time);
        let room = match pause.as_millis() {
            0..10 => return,
            10..100 => 1,
            100..1_000 => 2,
            1_000..10_000 => 3,
            _ => 4,
        };
        if room > 1 && self.lanes.iter().any(|lane| lane.since.is_some()) {
            let text = format!("+{}", milliseconds(pause));
            let y = self.y + room * LINE / 2 + LINE / 2;
            self.paper.text(MARGIN, y, Anchor::Start, "time", &[text]);
        }
        self.y += room * LINE;
    }

    fn time(&mut self, time: Duration, y: i32) {
        let text = milliseconds(time);
        let x = MARGIN + TIME - GAP;
        self.paper.text(x, y, Anchor::End, "time", &[text]);
    }

    fn in_lane(&mut self, row: &Row, actor: Actor) {
        let (text, class) = (row.text(), class(row));
        let Some(lane) = self.lane_of(Some(actor)) else {
            return self.across(&format!("program {}: {text}", actor.0), class);
        };
        let rows = lines(&text, cells(LANE));
        let (x, anchor) = plan::beside(lane);
        // Lines of several rows are easier to read from a common left edge.
        let (x, anchor) = match anchor {
            Anchor::End if rows.len() > 1 => (x - pixels(widest(&rows)), Anchor::Start),
            _ => (x, anchor),
        };
        self.time(row.time, self.y + LINE - 4);
        self.paper.text(x, self.y + LINE - 4, anchor, class, &rows);
        self.y += count(&rows) * LINE;
    }

    /// Across all lanes: what no program says.
    fn across(&mut self, text: &str, class: &str) {
        let left = MARGIN + TIME;
        let width = plan::width(self.lanes.len()) - left - MARGIN;
        let rows = lines(text, cells(width - 2 * GAP));
        let height = count(&rows) * LINE + 8;
        self.y += 4;
        self.paper.area(left, self.y, width, height, "note");
        self.paper
            .text(left + GAP, self.y + LINE, Anchor::Start, class, &rows);
        self.y += height + 4;
    }

    fn begin(&mut self, call: CallId, lane: usize, y: i32) {
        let beside = self.open.values().filter(|open| open.lane == lane);
        let taken: Vec<i32> = beside.map(|open| open.slot).collect();
        let slot = (0..).find(|slot| !taken.contains(slot)).unwrap_or(0);
        self.open.insert(call, Open { lane, slot, y });
    }

    fn bar(&mut self, open: &Open, class: &str) {
        const BESIDE: i32 = 8;
        const MOST: i32 = 5;
        // Bars side by side grow into the wire, where there is room.
        let aside = open.slot.min(MOST) * BESIDE;
        let x = plan::life(open.lane) + if open.lane == 0 { aside } else { -aside };
        self.paper.bar(x, open.y + 3, self.y - 1, class);
    }

    /// The life of a lane ends, and with it the calls that still wait.
    fn end_of(&mut self, lane: usize) {
        let here = self.open.extract_if(|_, open| open.lane == lane);
        let mut waiting: Vec<(CallId, Open)> = here.collect();
        waiting.sort_by_key(|(id, _)| *id);
        for (_, open) in waiting {
            self.bar(&open, "open");
        }
        let x = plan::life(lane);
        if let Some(since) = self.lanes[lane].since.take() {
            self.paper.line(x, since, self.y, "life");
        }
    }

    fn finish(mut self) -> String {
        for lane in 0..self.lanes.len() {
            self.end_of(lane);
        }
        let names: Vec<&str> = self.lanes.iter().map(|lane| lane.name.as_str()).collect();
        let title = format!("Timeline of {}", names.join(", "));
        let (width, height) = (plan::width(self.lanes.len()), self.y + MARGIN);
        self.paper.finish(&title, width, height)
    }
}

/// The class of what is said in a row.
fn class(row: &Row) -> &'static str {
    match (row.layer(), row.meaning()) {
        _ if row.about == Subject::Table => "",
        _ if row.about == Subject::Headline => "spoken headline",
        (Layer::Note, Meaning::Bad) => "spoken bad",
        (Layer::Note, _) => "spoken",
        (Layer::State, _) => "state",
        (_, Meaning::Faint) => "faint",
        (Layer::Output, Meaning::Bad) => "output bad",
        (Layer::Output, _) => "output",
        (_, Meaning::Bad) => "bad",
        _ => "",
    }
}
