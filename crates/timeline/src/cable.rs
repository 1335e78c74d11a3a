//! A cable between two hosts that lies in somebody's hand, and what becomes of a
//! packet on it.
//!
//! An [`Action`] says what is to become of a packet. One that crosses such a cable
//! carries a [`Passage`]: what was decided when it came. What happens to it later,
//! because it was delayed or held, is an event of its own, a [`Later`], which names
//! the same frame.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// One of the two hosts, and with it the direction of what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// 10.0.0.1 and fd00::1; drawn on the left.
    Server,
    /// 10.0.0.2 and fd00::2; drawn on the right.
    Client,
}

impl Side {
    /// Both, in the order in which arrays hold what belongs to them.
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

    /// Its IPv4 address on the wire.
    pub fn v4(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, self.number())
    }

    /// Its IPv6 address on the wire.
    pub fn v6(self) -> Ipv6Addr {
        Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, self.number().into())
    }

    /// Whether this is one of its addresses.
    pub fn has(self, address: IpAddr) -> bool {
        address == self.v4() || address == self.v6()
    }

    /// The last number of its addresses.
    pub fn number(self) -> u8 {
        self.index() as u8 + 1
    }

    /// Its place in [`Side::BOTH`].
    pub fn index(self) -> usize {
        self as usize
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

/// What is to be done with a frame; tc(8) and XDP call it an action too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes on as it is.
    Pass,
    /// It never arrives.
    Drop,
    /// It arrives so much later, and others may overtake it.
    Delay(Duration),
    /// It and all that comes behind it in its direction go on so much later:
    /// their order stays.
    Stop(Duration),
    /// It waits until another action is decided. Others may overtake it.
    Hold,
    /// It arrives twice.
    Double,
    /// It goes on behind the next one of its direction, or alone when none comes
    /// within a second.
    Swap,
    /// It arrives with one bit turned over; see [`Fate::Corrupted`] for its number.
    /// A bit that the packet does not have counts round from its beginning.
    Corrupt(u32),
    /// It is lost, and the cable is cut for so long; None: until it is mended.
    Cut(Option<Duration>),
}

/// What was decided about a packet when it came onto the cable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// The number of the frame on its cable; the first is 1.
    pub frame: u64,
    /// What was decided.
    pub fate: Fate,
    /// Who decided it: a rule as it was written, a setting of the cable, or the
    /// hand. None when nobody did anything to the packet.
    pub by: Option<String>,
    /// How much later than it came it is to go on; zero: at once. Of a packet
    /// that is held, nobody knows.
    pub late: Duration,
    /// The frame that has carried the same before: this one repeats it.
    pub again: Option<u64>,
}

/// What is done to a packet on the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it is.
    #[default]
    Passed,
    /// It never arrives.
    Dropped,
    /// It goes on later.
    Delayed,
    /// It waits until somebody says what becomes of it.
    Held,
    /// It arrives twice.
    Doubled,
    /// It arrives after the next one of its direction.
    Swapped,
    /// It arrives with one bit turned over.
    Corrupted {
        /// Which bit: 8 × the number of its byte, from the IP header on, plus 0
        /// for the highest bit of the byte up to 7 for the lowest.
        bit: u32,
    },
}

/// What became of a packet that did not go on at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// The number that its passage carries.
    pub frame: u64,
    /// `Passed`, `Doubled` and `Corrupted`: it goes on now. `Dropped`: it is
    /// gone. Anything else: it goes on waiting.
    pub fate: Fate,
    /// Who decided that; None when it was decided from the beginning.
    pub by: Option<String>,
    /// How long it was on the cable up to now.
    pub after: Duration,
}
