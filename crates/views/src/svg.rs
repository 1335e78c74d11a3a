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

use timeline::call::{CallId, End, Start};
use timeline::{Actor, Event, Kind, Place, Stream, Timeline};

use self::paper::{Anchor, LINE, Paper, class_of, count, lines, widest};
use self::plan::{GAP, LANE, MARGIN, Plan, TIME, cells, pixels};
use crate::flow::Flows;
use crate::only::Only;
use crate::passage::Passages;
use crate::said;
use crate::services::Services;
use crate::text::describe;
use crate::words::Words;

/// A call that has no result to tell and took no longer is not told again.
const SHORT: Duration = Duration::from_millis(5);

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Which kinds of events.
    pub only: Only,
    /// How many bytes of data are shown.
    pub bytes: usize,
    /// Whether data is shown as hexadecimal numbers.
    pub hex: bool,
}

/// The whole timeline as an SVG file.
pub fn svg(timeline: &Timeline, style: Style) -> String {
    let mut picture = Picture::new(timeline, style);
    let events = timeline.events();
    for (index, event) in events.iter().enumerate() {
        picture.draw(event, events.get(index + 1));
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
    call: Start,
    time: Duration,
    lane: usize,
    /// Which of the bars side by side is its own.
    slot: i32,
    y: i32,
    /// Its end was drawn together with its start.
    is_told: bool,
}

struct Picture {
    style: Style,
    paper: Paper,
    plan: Plan,
    lanes: Vec<Lane>,
    /// Where the next row begins.
    y: i32,
    now: Duration,
    open: HashMap<CallId, Open>,
    flows: Flows,
    passages: Passages,
    services: Services,
}

impl Picture {
    fn new(timeline: &Timeline, style: Style) -> Self {
        let mut picture = Self {
            style,
            paper: Paper::default(),
            plan: Plan { lanes: 0 },
            lanes: Vec::new(),
            y: MARGIN,
            now: Duration::ZERO,
            open: HashMap::new(),
            flows: Flows::default(),
            passages: Passages::default(),
            services: Services::default(),
        };
        let started = timeline
            .events()
            .iter()
            .filter_map(|event| match &event.kind {
                Kind::Started { lane, command } => Some((lane, command)),
                _ => None,
            });
        let mut below = MARGIN + LINE;
        for (index, (name, command)) in started.enumerate() {
            picture.plan.lanes += 1;
            picture.lanes.push(Lane {
                name: name.clone(),
                since: None,
            });
            let (x, anchor) = picture.plan.beside(index);
            let mut rows = lines(&command.join(" "), cells(LANE));
            rows.truncate(3);
            picture.paper.text(
                x,
                MARGIN + LINE,
                anchor,
                "name",
                &lines(name, cells(LANE))[..1],
            );
            picture
                .paper
                .text(x, MARGIN + 2 * LINE, anchor, "faint", &rows);
            below = below.max(MARGIN + (1 + count(&rows)) * LINE);
        }
        picture.paper.text(
            MARGIN,
            MARGIN + LINE,
            Anchor::Start,
            "time",
            &["ms".to_string()],
        );
        picture.y = below + LINE;
        picture
    }

    fn lane_of(&self, actor: Option<Actor>) -> Option<usize> {
        actor
            .map(|actor| actor.0)
            .filter(|lane| *lane < self.lanes.len())
    }

    fn words(&self) -> Words {
        Words {
            bytes: self.style.bytes,
            hex: self.style.hex,
            ascii: false,
        }
    }

    fn draw(&mut self, event: &Event, next: Option<&Event>) {
        let only = self.style.only;
        self.pass_to(event.time);
        if let Some(told) = self.services.instead(event, only) {
            return told
                .iter()
                .for_each(|text| self.in_lane(event, text, "faint"));
        }
        match &event.kind {
            Kind::Started { .. } => {
                if let Place::Actor(actor) = event.place
                    && let Some(lane) = self.lane_of(Some(actor))
                {
                    self.lanes[lane].since.get_or_insert(self.y);
                }
            }
            Kind::Line { stream, text } if only.has(&event.kind) => {
                let class = if *stream == Stream::Stderr {
                    "output bad"
                } else {
                    "output"
                };
                self.in_lane(event, &format!("> {text}"), class);
            }
            Kind::Ended(ending) => self.ended(event, &describe(*ending)),
            Kind::Call(call) => self.call(event, call, next),
            Kind::Return(end) => self.back(event, end),
            Kind::Packet(packet) => self.packet(event, packet),
            Kind::Fate(later) => self.fate(event, later),
            Kind::State(change) if only.has(&event.kind) => {
                if let Some(text) = said::state(change) {
                    self.in_lane(event, &text, "state");
                }
            }
            Kind::Unseen(what) => self.across(&format!("Not seen: {what}"), "spoken bad"),
            Kind::Note(text) => self.across(text, "spoken"),
            Kind::Headline(text) => self.across(text, "spoken headline"),
            Kind::Rows(rows) => rows.lines().for_each(|row| self.across(row, "")),
            Kind::Next(things) => things.iter().for_each(|thing| self.across(thing, "spoken")),
            Kind::Line { .. } | Kind::State(_) | Kind::Lanes(_) | Kind::Beat => {}
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
            let text = format!("+{}", said::milliseconds(pause));
            let y = self.y + room * LINE / 2 + LINE / 2;
            self.paper.text(MARGIN, y, Anchor::Start, "time", &[text]);
        }
        self.y += room * LINE;
    }

    fn time(&mut self, event: &Event, y: i32) {
        let text = said::milliseconds(event.time);
        let x = MARGIN + TIME - GAP;
        self.paper.text(x, y, Anchor::End, "time", &[text]);
    }

    fn in_lane(&mut self, event: &Event, text: &str, class: &str) {
        let Place::Actor(actor) = event.place else {
            return self.across(text, class);
        };
        let Some(lane) = self.lane_of(Some(actor)) else {
            return self.across(&format!("program {}: {text}", actor.0), class);
        };
        let rows = lines(text, cells(LANE));
        let (x, anchor) = self.plan.beside(lane);
        // Lines of several rows are easier to read from a common left edge.
        let (x, anchor) = match anchor {
            Anchor::End if rows.len() > 1 => (x - pixels(widest(&rows)), Anchor::Start),
            _ => (x, anchor),
        };
        self.time(event, self.y + LINE - 4);
        self.paper.text(x, self.y + LINE - 4, anchor, class, &rows);
        self.y += count(&rows) * LINE;
    }

    /// Across all lanes: what no program says.
    fn across(&mut self, text: &str, class: &str) {
        let left = MARGIN + TIME;
        let width = self.plan.width() - left - MARGIN;
        let rows = lines(text, cells(width - 2 * GAP));
        let height = count(&rows) * LINE + 8;
        self.y += 4;
        self.paper.area(left, self.y, width, height, "note");
        self.paper
            .text(left + GAP, self.y + LINE, Anchor::Start, class, &rows);
        self.y += height + 4;
    }

    fn call(&mut self, event: &Event, call: &Start, next: Option<&Event>) {
        if !self.style.only.has(&event.kind) {
            return;
        }
        let end = match next.map(|next| &next.kind) {
            Some(Kind::Return(end)) if end.id == call.id => Some(end),
            _ => None,
        };
        let mut text = self.words().start(call);
        match end {
            Some(end) => text = format!("{text} {}", self.words().end(call, end)),
            None => text += " …",
        }
        let y = self.y;
        let class = end.map_or("", |end| class_of(&end.outcome));
        self.in_lane(event, text.trim_end(), class);
        let Place::Actor(actor) = event.place else {
            return;
        };
        let Some(lane) = self.lane_of(Some(actor)) else {
            return;
        };
        let taken: Vec<i32> = self
            .open
            .values()
            .filter(|open| open.lane == lane)
            .map(|open| open.slot)
            .collect();
        let slot = (0..).find(|slot| !taken.contains(slot)).unwrap_or(0);
        let is_told = end.is_some();
        let open = Open {
            call: call.clone(),
            time: event.time,
            lane,
            slot,
            y,
            is_told,
        };
        self.open.insert(call.id, open);
    }

    fn back(&mut self, event: &Event, end: &End) {
        let Some(open) = self.open.remove(&end.id) else {
            return;
        };
        let waited = event.time.saturating_sub(open.time);
        let result = self.words().end(&open.call, end);
        let says_more = !result.is_empty() || waited >= SHORT;
        if says_more && !open.is_told {
            let text = format!("{} {result}", self.words().again(&open.call));
            let text = format!("{}, {} ms", text.trim_end(), said::milliseconds(waited));
            self.in_lane(event, &text, class_of(&end.outcome));
        }
        self.bar(&open, "bar");
    }

    fn bar(&mut self, open: &Open, class: &str) {
        const BESIDE: i32 = 8;
        const MOST: i32 = 5;
        // Bars side by side grow into the wire, where there is room.
        let aside = open.slot.min(MOST) * BESIDE;
        let x = self.plan.life(open.lane) + if open.lane == 0 { aside } else { -aside };
        self.paper.bar(x, open.y + 3, self.y - 1, class);
    }

    fn ended(&mut self, event: &Event, text: &str) {
        let only = self.style.only;
        for told in self.services.ended(event.place, only) {
            self.in_lane(event, &told, "faint");
        }
        if only.output || only.calls {
            self.in_lane(event, text, "faint");
        }
        if let Place::Actor(actor) = event.place
            && let Some(lane) = self.lane_of(Some(actor))
        {
            self.end_of(lane);
        }
    }

    /// The life of a lane ends, and with it the calls that still wait.
    fn end_of(&mut self, lane: usize) {
        let mut waiting: Vec<CallId> = self
            .open
            .iter()
            .filter(|(_, open)| open.lane == lane)
            .map(|(id, _)| *id)
            .collect();
        waiting.sort();
        for open in waiting
            .iter()
            .filter_map(|id| self.open.remove(id))
            .collect::<Vec<_>>()
        {
            self.bar(&open, "open");
        }
        let x = self.plan.life(lane);
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
        let (width, height) = (self.plan.width(), self.y + MARGIN);
        self.paper.finish(&title, width, height)
    }
}
