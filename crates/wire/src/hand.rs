//! Whoever holds the cable: decides, frame by frame, what becomes of it.

use std::time::Duration;

pub use timeline::cable::{Action, Line, Side};
use timeline::packet::Packet;

/// A frame that has come onto the cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its number on this cable; the first is 1.
    pub id: u64,
    /// When it came, since 1970, by the kernel's clock.
    pub at: Duration,
    /// Who sent it.
    pub from: Side,
    /// What it carries. Its passage is not decided yet.
    pub packet: Packet,
    /// The frame that has carried the same before, if it is TCP and repeats it.
    pub again: Option<u64>,
}

/// A decision, and who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to become of the frame.
    pub what: Action,
    /// Whose decision it was, as the timeline is to say it.
    pub by: Option<String>,
}

impl Decision {
    /// The frame goes on as it is.
    pub const PASS: Self = Self {
        what: Action::Pass,
        by: None,
    };
}

/// Decides what becomes of each frame. It is asked in the cable's own thread,
/// while the frame and all others wait: it must not wait for anything itself.
pub trait Hand: Send {
    /// What is to become of this frame.
    fn decide(&mut self, frame: &Frame) -> Decision;
}

/// Lets everything pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Hand for Open {
    fn decide(&mut self, _: &Frame) -> Decision {
        Decision::PASS
    }
}

impl<F: FnMut(&Frame) -> Decision + Send> Hand for F {
    fn decide(&mut self, frame: &Frame) -> Decision {
        self(frame)
    }
}

impl Hand for Box<dyn Hand> {
    fn decide(&mut self, frame: &Frame) -> Decision {
        (**self).decide(frame)
    }
}

/// A time without connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// When it begins, counted from the first frame.
    pub after: Duration,
    /// How long it lasts; None: to the end.
    pub lasts: Option<Duration>,
}

/// What the cable itself does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// From the server to the client, and from the client to the server.
    pub lines: [Line; 2],
    /// When it is cut.
    pub cuts: Vec<Cut>,
    /// Where chance begins: the same seed and the same packets have the same
    /// fate.
    pub seed: u64,
}

impl Settings {
    /// Sets both directions.
    pub fn both(&mut self, mut set: impl FnMut(&mut Line)) {
        self.lines.iter_mut().for_each(&mut set);
    }

    /// The direction in which this side sends.
    pub fn line(&self, from: Side) -> &Line {
        &self.lines[from.index()]
    }
}
