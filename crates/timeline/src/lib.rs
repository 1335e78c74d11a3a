//! What happened, when, and where: plain values and their order.
//!
//! A [`Timeline`] is what every source writes to and every view reads from.
//! This room makes no system call, reads no clock, and knows no program.
//!
//! Read it in this order: [`Event`], [`Kind`], [`Timeline`].

pub mod cable;
pub mod call;
pub mod order;
pub mod packet;
pub mod state;

use std::time::Duration;

/// One program on stage, by the order in which it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Actor(pub usize);

/// Where an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a program.
    Actor(Actor),
    /// Between two programs; None where it is not known whose socket sent the
    /// packet, or was to receive it.
    Wire {
        /// Whose socket sent it.
        from: Option<Actor>,
        /// Whose socket it is for.
        to: Option<Actor>,
    },
    /// Beside the programs: the one who explains.
    Narrator,
}

/// Which output of a program a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It returned this status; 0 means that all went well.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
}

impl Ending {
    /// Whether it ended with status 0.
    pub fn success(self) -> bool {
        self == Ending::Status(0)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program was started with these words.
    Started {
        /// The name of the lane in which it plays.
        lane: String,
        /// Its command line.
        command: Vec<String>,
    },
    /// A program wrote a line. Bytes that are no UTF-8 stand as `\xNN`.
    Line {
        /// Where it wrote it.
        stream: Stream,
        /// The line without its end.
        text: String,
    },
    /// A program ended; no line of it follows.
    Ended(Ending),
    /// A program asks the kernel for something about a socket.
    Call(call::Start),
    /// The kernel has answered.
    Return(call::End),
    /// A packet on the wire.
    Packet(packet::Packet),
    /// What became of a packet that the cable has kept for a while.
    Fate(cable::Later),
    /// A TCP socket is in another state, or its queues are filled otherwise,
    /// than at the look before. The time is that of the look.
    State(state::Transition),
    /// Something was not seen, and why.
    Unseen(String),
    /// From here on there are these lanes, from left to right.
    Lanes(Vec<String>),
    /// A new part begins.
    Headline(String),
    /// An explanation.
    Note(String),
    /// Rows that are laid out already, such as a table.
    Rows(String),
    /// A step pauses here.
    Beat,
    /// What the learner may try after the scene.
    Next(Vec<String>),
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Since the start of the timeline; one clock for all sources.
    pub time: Duration,
    /// Where it happened.
    pub place: Place,
    /// What happened.
    pub kind: Kind,
}

/// All events of a run, in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    events: Vec<Event>,
    lanes: Vec<String>,
}

impl Timeline {
    /// Puts an event at the end.
    pub fn push(&mut self, event: Event) {
        if let Kind::Started { lane, .. } = &event.kind {
            self.lanes.push(lane.clone());
        }
        self.events.push(event);
    }

    /// Forgets the events, but not the lanes: for one who has seen them all.
    pub fn forget(&mut self) {
        self.events.clear();
    }

    /// All events, oldest first.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether the start of this actor is told.
    pub fn has_started(&self, actor: Actor) -> bool {
        actor.0 < self.lanes.len()
    }

    /// The lane in which an actor plays; empty for an actor that never started.
    pub fn lane(&self, actor: Actor) -> &str {
        self.lanes.get(actor.0).map_or("", String::as_str)
    }

    /// What an actor wrote so far, on both streams, oldest first.
    pub fn lines(&self, actor: Actor) -> impl Iterator<Item = &str> {
        let of_actor = move |event: &&Event| event.place == Place::Actor(actor);
        let texts = self.events.iter().filter(of_actor);
        texts.filter_map(|event| match &event.kind {
            Kind::Line { text, .. } => Some(text.as_str()),
            _ => None,
        })
    }
}
