//! The X-ray as text: a lane for each side, and the wire between them.
//!
//! On the left plays the program that was started first, on the right all
//! others. Between them are the packets. The legend is `docs/notation.md`.

mod row;
mod wire;

use std::collections::HashMap;
use std::time::Duration;

use timeline::call::{CallId, Outcome, Start};
use timeline::packet::Packet;
use timeline::{Actor, Event, Kind, Place, Stream, Timeline};

use crate::flow::Flows;
use crate::only::Only;
use crate::passage::Passages;
use crate::said::{self, milliseconds};
use crate::services::Services;
use crate::text::{self, Paper};
use crate::words::Words;
use row::{Arrow, Columns, Ink, Row};

/// A call that did what it was asked to do, and took no longer, is not told
/// again at its end: the X-ray itself makes calls slower by about this much.
const SHORT: Duration = Duration::from_millis(5);

/// How the ladder is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// What it is drawn on.
    pub paper: Paper,
    /// What is drawn.
    pub only: Only,
    /// How many bytes of data are shown.
    pub bytes: usize,
    /// Whether data is shown as hexadecimal numbers.
    pub hex: bool,
    /// Whether calls are drawn that only ask, such as `getsockname`, and were
    /// answered.
    pub inquiries: bool,
}

impl Style {
    /// Everything, with the first 32 bytes of data.
    pub fn on(paper: Paper) -> Self {
        Self {
            paper,
            only: Only::default(),
            bytes: 32,
            hex: false,
            inquiries: true,
        }
    }
}

/// Calls that change nothing.
pub const INQUIRIES: [&str; 3] = ["getsockname", "getpeername", "getsockopt"];

/// The whole timeline.
pub fn ladder(timeline: &Timeline, style: Style) -> String {
    let mut ladder = Ladder::new(style);
    let events = timeline.events();
    let nexts = events.iter().skip(1).map(Some).chain([None]);
    events
        .iter()
        .zip(nexts)
        .map(|(event, next)| ladder.draw(timeline, event, next))
        .collect()
}

/// Draws one event after the other, for a timeline that still grows.
pub struct Ladder {
    style: Style,
    columns: Columns,
    flows: Flows,
    passages: Passages,
    /// Calls that have begun, and when.
    open: HashMap<CallId, (Start, Duration)>,
    /// A call that was drawn together with its end.
    drawn: Option<CallId>,
    /// The programs that were started, by their lanes.
    names: Vec<String>,
    /// The lanes that a scene has named, from left to right.
    lanes: Vec<String>,
    /// The explanations of a scene.
    story: text::Columns,
    /// Whether an explanation was drawn last.
    told: bool,
    services: Services,
    /// Whether the names of the lanes are still to be drawn.
    unnamed: bool,
    /// For each process, the threads that have made a call, in their order.
    threads: HashMap<u32, Vec<u32>>,
}

impl Ladder {
    /// Begins an empty page.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            columns: Columns::new(style.paper, true),
            flows: Flows::default(),
            passages: Passages::default(),
            open: HashMap::new(),
            drawn: None,
            names: Vec::new(),
            lanes: Vec::new(),
            story: text::Columns::new(style.paper),
            told: false,
            services: Services::default(),
            unnamed: false,
            threads: HashMap::new(),
        }
    }

    /// From here on these kinds of events are drawn. Where packets come or go, the
    /// columns change, and the next row has their names above it.
    pub fn show(&mut self, only: Only) {
        if only.packets != self.style.only.packets {
            self.columns = Columns::new(self.style.paper, only.packets);
            self.unnamed = !self.lanes.is_empty();
        }
        self.style.only = only;
    }

    /// Whether this call, which has begun and not ended, is not drawn itself: it
    /// will be told with others in one line.
    pub fn folds(&self, call: CallId) -> bool {
        self.services.has(call)
    }

    /// The names of the lanes, and what the columns mean.
    pub fn header(&self, names: &[&str]) -> String {
        let left = names.first().copied().unwrap_or_default().to_string();
        let right = names.get(1..).unwrap_or_default().join(", ");
        self.columns.header(&left, &right)
    }

    /// The rows that this event adds. `next` is the event after it, if it is known
    /// already: a call whose end comes next is drawn in one row.
    pub fn draw(&mut self, timeline: &Timeline, event: &Event, next: Option<&Event>) -> String {
        let drawn = match &event.kind {
            Kind::Headline(_) | Kind::Note(_) | Kind::Rows(_) | Kind::Next(_) => {
                self.told = true;
                return self.story.draw(timeline, event);
            }
            Kind::Lanes(names) => {
                self.lanes.clone_from(names);
                self.unnamed = true;
                return String::new();
            }
            _ => self.observed(timeline, event, next),
        };
        if drawn.is_empty() {
            return drawn;
        }
        // The names stand where they are needed: above the first row.
        if std::mem::take(&mut self.unnamed) {
            self.told = false;
            let names: Vec<&str> = self.lanes.iter().map(String::as_str).collect();
            return format!("\n{}{drawn}", self.header(&names));
        }
        // An empty row where an explanation ends.
        if std::mem::take(&mut self.told) {
            return format!("\n{drawn}");
        }
        drawn
    }

    fn observed(&mut self, timeline: &Timeline, event: &Event, next: Option<&Event>) -> String {
        let only = self.style.only;
        if let Some(told) = self.services.instead(event, only) {
            let rows = told.iter();
            return rows
                .map(|text| self.in_lane(timeline, event, text, Ink::Faint))
                .collect();
        }
        match &event.kind {
            Kind::Started { lane, .. } => {
                self.names.push(lane.clone());
                String::new()
            }
            Kind::Line { stream, text } if only.has(&event.kind) => {
                let ink = if *stream == Stream::Stderr {
                    Ink::Bad
                } else {
                    Ink::Output
                };
                self.in_lane(timeline, event, &format!("> {text}"), ink)
            }
            Kind::Ended(ending) if only.output || only.calls => {
                let mut last = self.services.ended(event.place, only);
                last.push(crate::text::describe(*ending));
                let rows = last.iter();
                rows.map(|text| self.in_lane(timeline, event, text, Ink::Faint))
                    .collect()
            }
            Kind::Call(call) => self.call(timeline, event, call, next),
            Kind::Return(end) => {
                let Some((call, since)) = self.open.remove(&end.id) else {
                    return String::new();
                };
                if self.drawn.take_if(|drawn| *drawn == end.id).is_some() || !only.has(&event.kind)
                {
                    return String::new();
                }
                let inquiry = INQUIRIES.contains(&call.name.as_ref());
                if inquiry && !self.style.inquiries && !said::is_bad(&end.outcome) {
                    return String::new();
                }
                let waited = event.time.saturating_sub(since);
                let result = self.words().end(&call, end);
                if result.is_empty() && waited < SHORT {
                    return String::new();
                }
                let text = format!(
                    "{}{} {result}",
                    self.thread(&call),
                    self.words().again(&call)
                );
                let text = format!("{}, {} ms", text.trim_end(), milliseconds(waited));
                self.in_lane(timeline, event, &text, ink_of(&end.outcome))
            }
            Kind::Packet(packet) => self.packet(timeline, event, packet),
            Kind::Fate(later) => self.fate(timeline, event, later),
            Kind::State(change) if only.has(&event.kind) => match said::state(change) {
                Some(text) => self.in_lane(timeline, event, &text, Ink::Faint),
                None => String::new(),
            },
            Kind::Unseen(what) => self.across(&format!("not seen: {what}")),
            _ => String::new(),
        }
    }

    /// Whether it plays in the left lane: as the scene says, or as the first.
    fn is_left(&self, timeline: &Timeline, actor: Actor) -> bool {
        match self.lanes.first() {
            Some(left) => timeline.lane(actor) == left,
            None => actor == Actor(0),
        }
    }

    fn words(&self) -> Words {
        let Style {
            paper, bytes, hex, ..
        } = self.style;
        Words {
            bytes,
            hex,
            ascii: paper.ascii,
        }
    }

    /// Of a process with several threads: which of them calls. The first to call
    /// has no mark.
    fn thread(&self, call: &Start) -> String {
        let threads = self.threads.get(&call.pid);
        let at = threads.and_then(|threads| threads.iter().position(|tid| *tid == call.tid));
        match at {
            None | Some(0) => String::new(),
            Some(at) => format!("t{} ", at + 1),
        }
    }

    fn call(
        &mut self,
        timeline: &Timeline,
        event: &Event,
        call: &Start,
        next: Option<&Event>,
    ) -> String {
        self.open.insert(call.id, (call.clone(), event.time));
        let threads = self.threads.entry(call.pid).or_default();
        if !threads.contains(&call.tid) {
            threads.push(call.tid);
        }
        let inquiry = INQUIRIES.contains(&call.name.as_ref());
        if !self.style.only.has(&event.kind) || (inquiry && !self.style.inquiries) {
            return String::new();
        }
        let mut text = self.thread(call) + &self.words().start(call);
        let mut ink = Ink::Plain;
        match next.map(|next| &next.kind) {
            Some(Kind::Return(end)) if end.id == call.id => {
                self.drawn = Some(call.id);
                let result = self.words().end(call, end);
                text = format!("{text} {result}");
                ink = ink_of(&end.outcome);
            }
            _ if self.style.paper.ascii => text += " ...",
            _ => text += " …",
        }
        self.in_lane(timeline, event, text.trim_end(), ink)
    }

    fn in_lane(&self, timeline: &Timeline, event: &Event, text: &str, ink: Ink) -> String {
        let Place::Actor(actor) = event.place else {
            return self.across(text);
        };
        let mut row = Row {
            time: milliseconds(event.time),
            ..Row::default()
        };
        if self.is_left(timeline, actor) {
            row.left = (text.to_string(), ink);
        } else {
            // Several programs share the right lane; each line says whose it is.
            let lanes = if self.lanes.is_empty() {
                &self.names
            } else {
                &self.lanes
            };
            let several = lanes.len() > 2;
            let name = if several {
                format!("{}: ", timeline.lane(actor))
            } else {
                String::new()
            };
            row.right = (format!("{name}{text}"), ink);
        }
        self.columns.draw(&row)
    }

    fn across(&self, text: &str) -> String {
        self.columns.across(text)
    }

    fn packet(&mut self, timeline: &Timeline, event: &Event, packet: &Packet) -> String {
        let relative = self.flows.relative(packet);
        if !self.style.only.has(&event.kind) {
            return String::new();
        }
        let label = said::packet(self.words(), packet, relative);
        let told = self.passages.came(event.time, packet, &label.head);
        let details = label.numbers.into_iter().chain(label.data);
        let arrow = Arrow {
            to_right: self.goes_right(timeline, event.place),
            tip: told.tip,
            late: false,
            head: label.head,
            details: details.chain(told.notes).collect(),
        };
        self.on_wire(event, arrow)
    }
}

fn ink_of(outcome: &Outcome) -> Ink {
    if said::is_bad(outcome) {
        Ink::Bad
    } else {
        Ink::Plain
    }
}
