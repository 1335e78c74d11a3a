//! Whoever holds the cable: decides, frame by frame, what becomes of it.

use std::time::Duration;

use timeline::packet::Packet;

/// One of the two hosts, and with it the direction of what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// 10.0.0.1.
    Server,
    /// 10.0.0.2.
    Client,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Server, Side::Client];

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Side::Server => Side::Client,
            Side::Client => Side::Server,
        }
    }

    /// Its name, which is a host name on the wire too.
    pub fn name(self) -> &'static str {
        match self {
            Side::Server => "server",
            Side::Client => "client",
        }
    }

    /// The last number of its addresses.
    pub(crate) fn number(self) -> u8 {
        self.index() as u8 + 1
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Side::Server => 0,
            Side::Client => 1,
        }
    }
}

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

/// What is to become of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It goes on as it is.
    Pass,
    /// It never arrives.
    Drop,
    /// It arrives so much later, and others may overtake it.
    Delay(Duration),
    /// It and all that comes behind it in its direction go on so much later:
    /// their order stays.
    Stop(Duration),
    /// It waits until [`Control::decide`](crate::Control::decide). Others may
    /// overtake it.
    Hold,
    /// It arrives twice.
    Double,
    /// It goes on behind the next one of its direction, or alone when none comes
    /// within a second.
    Swap,
    /// It arrives with one bit turned over; see
    /// [`Fate::Corrupted`](timeline::cable::Fate::Corrupted) for its number. A bit
    /// that the packet does not have counts round from its beginning.
    Corrupt(u32),
    /// It is lost, and the cable is cut for so long; None: until it is mended.
    Cut(Option<Duration>),
}

/// A decision, and who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to become of the frame.
    pub what: What,
    /// Whose decision it was, as the timeline is to say it.
    pub by: Option<String>,
}

impl Decision {
    /// The frame goes on as it is.
    pub const PASS: Self = Self {
        what: What::Pass,
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

/// What the cable itself does to all that crosses it, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// How long a frame is on its way.
    pub latency: Duration,
    /// How many bits go onto the cable in a second; None: at once.
    pub rate: Option<u64>,
    /// How many of 100 frames are lost.
    pub loss: f64,
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
