//! What is said, as plain values: one [`Row`] after the other.

use std::time::Duration;

use timeline::Actor;
use timeline::call::CallId;
use timeline::state::Transition;

use crate::flow::Relative;

/// What is said of one thing that happened.
///
/// A row without words is not written. It says that a life begins, that a wait is
/// over, or that queues are empty again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When it happened, since the start of the timeline.
    pub time: Duration,
    /// Where it stands.
    pub stand: Stand,
    /// What it is about.
    pub about: Subject,
    /// What is said. Between two pieces there is a gap.
    pub words: Vec<Piece>,
}

/// Where a row stands on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// In the lane of a program.
    Lane(Lane),
    /// Between the lanes.
    Wire(Way),
    /// Across all lanes: no program says it.
    Across,
}

/// The lane of a program, on a page with two lanes or with one for each program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The program.
    pub actor: Actor,
    /// Whether it plays on the left of two lanes. All others share the right one.
    pub left: bool,
    /// Whose row it is, where several programs share the right lane.
    pub name: Option<String>,
}

/// The way of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whose socket sent it; None where that is not known.
    pub from: Option<Actor>,
    /// Whose socket it is for; None where that is not known.
    pub to: Option<Actor>,
    /// Whether it goes from the left lane to the right one.
    pub to_right: bool,
    /// How far it comes.
    pub tip: Tip,
    /// Whether it came before, and this is what becomes of it.
    pub late: bool,
}

/// How far a packet comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tip {
    /// It arrives.
    #[default]
    Arrives,
    /// It arrives, and once more.
    Twice,
    /// It is on the cable, and has not arrived.
    Waits,
    /// It never arrives.
    Lost,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A program has started, with this name and these words.
    Started(String, Vec<String>),
    /// A program has ended.
    Ended,
    /// A program printed a line.
    Line,
    /// A call begins, and waits.
    Begins(Interval),
    /// A call, from its beginning to its end.
    Whole(Interval),
    /// A call that began in a row above comes back. The piece is what is said
    /// where both can stand in one row; None where they do so already.
    Returns(Interval, Option<Piece>),
    /// What the C library has asked the system: several calls in one row.
    Service,
    /// A packet comes.
    Packet {
        /// Its number in the timeline; the first is 1.
        number: u64,
        /// Its number on a cable in somebody's hand.
        frame: Option<u64>,
        /// Its sequence numbers, relative to the start of its connection.
        relative: Option<Relative>,
    },
    /// Something becomes of a packet that came before.
    Fate {
        /// Its number in the timeline; None when it is forgotten.
        number: Option<u64>,
        /// Its number on the cable.
        frame: u64,
    },
    /// A socket is in another state.
    State(Transition),
    /// Something was not seen.
    Unseen,
    /// From here on there are these lanes, from left to right.
    Lanes(Vec<String>),
    /// A new part begins.
    Headline,
    /// An explanation.
    Note,
    /// Rows that are laid out already, one a piece.
    Table,
    /// A step pauses here.
    Beat,
    /// What may be tried next, one thing a piece.
    Next,
}

/// A call, and how long it lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The call.
    pub call: CallId,
    /// When it began.
    pub since: Duration,
    /// When it ended; None as long as it waits.
    pub until: Option<Duration>,
    /// Which thread of its process calls, in the order of their first calls.
    pub thread: usize,
    /// Whether the call only asks, such as `getsockname`.
    pub inquiry: bool,
}

/// A layer of the picture, which can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Explanations, and what could not be seen.
    Note,
    /// What programs print, and when they start and end.
    Output,
    /// Calls.
    Call,
    /// Packets.
    Packet,
    /// States and queues.
    State,
}

/// A part of what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// The same in fewer words, for where there is no room.
    pub short: Option<String>,
    /// What it means.
    pub meaning: Meaning,
}

/// What a piece means; a view may give each a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A call, the name of a packet, an explanation.
    Plain,
    /// What a program says.
    Output,
    /// What matters less.
    Faint,
    /// What went wrong.
    Bad,
    /// The numbers of a packet.
    Number,
    /// The data of a packet.
    Data,
    /// What was done to a packet, and what it repeats.
    Fate,
}

impl Row {
    /// What is said, in one line.
    pub fn text(&self) -> String {
        let texts = self.words.iter().map(|piece| piece.text.as_str());
        texts.collect::<Vec<_>>().join(" ")
    }

    /// The meaning of the whole row: that of its first piece.
    pub fn meaning(&self) -> Meaning {
        let first = self.words.first();
        first.map_or(Meaning::Plain, |piece| piece.meaning)
    }

    /// The layer that it belongs to.
    pub fn layer(&self) -> Layer {
        match self.about {
            Subject::Started(..) | Subject::Ended | Subject::Line => Layer::Output,
            Subject::Begins(_) | Subject::Whole(_) | Subject::Returns(..) | Subject::Service => {
                Layer::Call
            }
            Subject::Packet { .. } | Subject::Fate { .. } => Layer::Packet,
            Subject::State(_) => Layer::State,
            _ => Layer::Note,
        }
    }
}

impl Piece {
    /// These words, with this meaning.
    pub fn new(text: impl Into<String>, meaning: Meaning) -> Self {
        Self {
            text: text.into(),
            short: None,
            meaning,
        }
    }
}
