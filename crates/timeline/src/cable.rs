//! What becomes of a packet on a cable that lies in somebody's hand.
//!
//! A packet that crosses such a cable carries a [`Passage`]: what was decided
//! when it came. What happens to it later, because it was delayed or held, is an
//! event of its own, a [`Later`], which names the same frame.

use std::time::Duration;

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
