//! The X-ray as text: a lane for each side, and the wire between them.
//!
//! On the left plays the program that was started first, on the right all
//! others. Between them are the packets. The legend is `docs/notation.md`.

mod row;

use std::collections::HashMap;
use std::time::Duration;

use timeline::call::{CallId, Outcome, Start};
use timeline::packet::{Content, Packet};
use timeline::{Actor, Event, Kind, Place, Stream, Timeline};

use crate::flow::Flows;
use crate::said::{self, milliseconds};
use crate::text::Paper;
use crate::words::Words;
use row::{Columns, Ink, Row};

/// A call that did what it was asked to do, and took no longer, is not told
/// again at its end: the X-ray itself makes calls slower by about this much.
const SHORT: Duration = Duration::from_millis(5);

/// Which kinds of events are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only {
    /// What programs print.
    pub output: bool,
    /// Socket calls.
    pub calls: bool,
    /// Packets of all protocols; with `tcp`, those of TCP alone.
    pub packets: bool,
    /// Whether packets that are not TCP are left out.
    pub tcp: bool,
    /// TCP states and queues.
    pub states: bool,
}

impl Default for Only {
    /// Everything.
    fn default() -> Self {
        Self {
            output: true,
            calls: true,
            packets: true,
            tcp: false,
            states: true,
        }
    }
}

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
}

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
    /// Calls that have begun, and when.
    open: HashMap<CallId, (Start, Duration)>,
    /// A call that was drawn together with its end.
    drawn: Option<CallId>,
    names: Vec<String>,
}

impl Ladder {
    /// Begins an empty page.
    pub fn new(style: Style) -> Self {
        Self {
            style,
            columns: Columns::new(style.paper),
            flows: Flows::default(),
            open: HashMap::new(),
            drawn: None,
            names: Vec::new(),
        }
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
        let only = self.style.only;
        match &event.kind {
            Kind::Started { lane, .. } => {
                self.names.push(lane.clone());
                String::new()
            }
            Kind::Line { stream, text } if only.output => {
                let ink = if *stream == Stream::Stderr {
                    Ink::Bad
                } else {
                    Ink::Output
                };
                self.in_lane(timeline, event, &format!("> {text}"), ink)
            }
            Kind::Ended(ending) if only.output || only.calls => {
                self.in_lane(timeline, event, &crate::text::describe(*ending), Ink::Faint)
            }
            Kind::Call(call) => self.call(timeline, event, call, next),
            Kind::Return(end) => {
                let Some((call, since)) = self.open.remove(&end.id) else {
                    return String::new();
                };
                if self.drawn.take_if(|drawn| *drawn == end.id).is_some() || !only.calls {
                    return String::new();
                }
                let waited = event.time.saturating_sub(since);
                let result = self.words().end(&call, end);
                if result.is_empty() && waited < SHORT {
                    return String::new();
                }
                let text = format!("{} {result}", self.words().again(&call));
                let text = format!("{}, {} ms", text.trim_end(), milliseconds(waited));
                self.in_lane(timeline, event, &text, ink_of(&end.outcome))
            }
            Kind::Packet(packet) => self.packet(event, packet),
            Kind::State(change) if only.states => match said::state(change) {
                Some(text) => self.in_lane(timeline, event, &text, Ink::Faint),
                None => String::new(),
            },
            Kind::Unseen(what) => self.across(&format!("not seen: {what}")),
            Kind::Note(text) | Kind::Headline(text) => self.across(text),
            Kind::Rows(rows) => rows.lines().map(|row| self.across(row)).collect(),
            Kind::Next(things) => things.iter().map(|thing| self.across(thing)).collect(),
            Kind::Line { .. } | Kind::Ended(_) | Kind::State(_) | Kind::Lanes(_) | Kind::Beat => {
                String::new()
            }
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

    fn call(
        &mut self,
        timeline: &Timeline,
        event: &Event,
        call: &Start,
        next: Option<&Event>,
    ) -> String {
        self.open.insert(call.id, (call.clone(), event.time));
        if !self.style.only.calls {
            return String::new();
        }
        let mut text = self.words().start(call);
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
        if actor == Actor(0) {
            row.left = (text.to_string(), ink);
        } else {
            // Several programs share the right lane; each line says whose it is.
            let several = self.names.len() > 2;
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

    fn packet(&mut self, event: &Event, packet: &Packet) -> String {
        let relative = self.flows.relative(packet);
        let only = self.style.only;
        if !only.packets || (only.tcp && !matches!(packet.content, Content::Tcp(_))) {
            return String::new();
        }
        let label = said::packet(self.words(), packet, relative);
        let details = label.numbers.into_iter().chain(label.data).collect();
        let Place::Wire { from, to } = event.place else {
            return String::new();
        };
        let right = match (from, to) {
            (Some(from), _) => from == Actor(0),
            (None, Some(to)) => to != Actor(0),
            (None, None) => true,
        };
        let time = milliseconds(event.time);
        self.columns.draw(&Row {
            time,
            wire: Some((right, label.head, details)),
            ..Row::default()
        })
    }
}

fn ink_of(outcome: &Outcome) -> Ink {
    if said::is_bad(outcome) {
        Ink::Bad
    } else {
        Ink::Plain
    }
}
