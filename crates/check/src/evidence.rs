//! What the X-ray saw, for the report of a failure and for checks that are about
//! the calls themselves.

use std::collections::VecDeque;
use std::net::SocketAddr;

use timeline::call::{Arg, End, Outcome, Start};
use timeline::packet::{Content, TcpFlags};
use timeline::{Actor, Event, Kind, Place, Timeline};
use views::ladder::{Ladder, Style};
use views::text::Paper;

/// How many rows of the X-ray stand in a report, unless its last event has more.
const ROWS: usize = 14;
/// How wide they are.
const WIDTH: usize = 74;

/// The last rows of the X-ray.
pub(crate) fn last_rows(timeline: &Timeline) -> Vec<String> {
    let style = Style {
        bytes: 12,
        inquiries: false,
        ..Style::on(Paper {
            width: WIDTH,
            colour: false,
            ascii: false,
        })
    };
    let mut ladder = Ladder::new(style);
    // What is printed stands in the report already.
    let events: Vec<&Event> = timeline
        .events()
        .iter()
        .filter(|event| !matches!(event.kind, Kind::Line { .. } | Kind::Note(_)))
        .collect();
    let mut drawn: VecDeque<Vec<String>> = VecDeque::new();
    for (index, event) in events.iter().enumerate() {
        let text = ladder.draw(event, events.get(index + 1).copied());
        let rows = text.lines().map(|row| row.trim_end().to_string());
        drawn.push_back(rows.filter(|row| !row.is_empty()).collect());
        // Whole events only: half a packet says nothing.
        while drawn.len() > 1 && drawn.iter().map(Vec::len).sum::<usize>() > ROWS {
            drawn.pop_front();
        }
    }
    drawn.into_iter().flatten().collect()
}

/// A call of a program on a socket, and what came of it.
#[derive(Clone, Debug)]
pub struct Call {
    /// How it began.
    pub start: Start,
    /// How it ended; None for one that did not.
    pub end: Option<End>,
}

impl Call {
    /// Its name, such as `bind`.
    pub fn name(&self) -> &str {
        &self.start.name
    }

    /// Whether the kernel did what was asked.
    pub fn succeeded(&self) -> bool {
        let outcome = self.end.as_ref().map(|end| &end.outcome);
        matches!(outcome, Some(Outcome::Returned(_)))
    }

    /// The inode of its socket: where it has none yet, that of the new one.
    pub fn socket(&self) -> Option<u64> {
        let old = self.start.socket.as_ref().map(|socket| socket.inode);
        old.or_else(|| self.made())
    }

    /// The inode of the socket that it made, as accept does.
    pub fn made(&self) -> Option<u64> {
        let end = self.end.as_ref()?;
        end.sockets.first().map(|(_, socket)| socket.inode)
    }

    /// Whether an argument has this name, such as `SO_REUSEADDR`.
    pub fn has(&self, name: &str) -> bool {
        self.start.args.iter().any(|arg| match arg {
            Arg::Symbol(symbol) => symbol.name.as_deref() == Some(name),
            _ => false,
        })
    }
}

/// Who sent the first FIN.
pub(crate) fn first_fin(timeline: &Timeline) -> Option<SocketAddr> {
    timeline.events().iter().find_map(|event| {
        let Kind::Packet(packet) = &event.kind else {
            return None;
        };
        let Content::Tcp(segment) = &packet.content else {
            return None;
        };
        let ends = segment.flags.has(TcpFlags::FIN);
        ends.then(|| SocketAddr::new(packet.source, segment.source_port))
    })
}

/// The calls of a program on sockets, in their order.
pub(crate) fn calls(timeline: &Timeline, actor: Actor) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for event in timeline.events() {
        if event.place != Place::Actor(actor) {
            continue;
        }
        match &event.kind {
            Kind::Call(start) => calls.push(Call {
                start: start.clone(),
                end: None,
            }),
            Kind::Return(end) => {
                let call = calls.iter_mut().rev().find(|call| call.start.id == end.id);
                if let Some(call) = call {
                    call.end = Some(end.clone());
                }
            }
            _ => {}
        }
    }
    calls
}
