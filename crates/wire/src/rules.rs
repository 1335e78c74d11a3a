//! Rules in plain words: which packets, and what becomes of them.
//!
//! `docs/wire.md` has the language with examples. Read it in this order: this
//! file, `rules/parse.rs`, `rules/print.rs`, `rules/count.rs` (what the rules do
//! with packets).

mod count;
mod error;
mod lex;
mod measure;
mod parse;
mod print;

use std::cmp::Ordering;
use std::str::FromStr;
use std::time::Duration;

use crate::hand::{Cut, Settings, Side};

pub use count::Rules;
pub use error::RuleError;

/// One line: a rule about packets, or a setting of the cable.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// What becomes of certain packets.
    Packets {
        /// All of these must be so. None: every packet.
        which: Vec<Matching>,
        /// What becomes of them.
        then: Then,
        /// How often at most; None: always.
        times: Option<u32>,
    },
    /// What the cable does to all packets, in one direction or in both.
    Cable {
        /// In which direction: that in which this side sends. None: in both.
        from: Option<Side>,
        /// What it does.
        setting: CableSetting,
    },
    /// When the cable is cut.
    Cut(Cut),
}

/// What must be so for a rule to be about a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Matching {
    /// This side has sent it.
    From(Side),
    /// It is of this sort.
    Sort(Sort),
    /// The length of the packet, from the IP header on, in bytes: greater than
    /// this, less, or equal.
    Length(Ordering, u32),
    /// One of its two ports is this.
    Port(u16),
    /// It belongs to the connection that was the n-th to begin on this cable. Of
    /// UDP, two ends that talk are a connection.
    Connection(u32),
    /// It repeats what a packet before it has carried.
    Again,
    /// It is the n-th for which the rest of the rule is so.
    Nth(u32),
    /// It is one of each n for which the rest of the rule is so: the last.
    Every(u32),
    /// Chance wants it, so many times of 100.
    Percent(f64),
}

/// Sorts of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or ICMPv6.
    Icmp,
    /// TCP with SYN, and without ACK: a connection is asked for.
    Syn,
    /// TCP with SYN and ACK: the answer.
    SynAck,
    /// TCP that acknowledges and does nothing else.
    Ack,
    /// TCP or UDP that carries data.
    Data,
    /// TCP with FIN.
    Fin,
    /// TCP with RST.
    Rst,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on, and no later rule is asked.
    Pass,
    /// It never arrives.
    Drop,
    /// It arrives so much later; others may overtake it.
    Delay(Duration),
    /// It and all behind it in its direction arrive so much later; without a
    /// time it waits for a hand, and others may overtake it.
    Hold(Option<Duration>),
    /// It arrives twice.
    Double,
    /// It arrives behind the next one.
    Swap,
    /// It arrives with one bit turned over.
    Corrupt,
    /// It is lost, and the cable is cut for so long; None: to the end.
    Cut(Option<Duration>),
}

/// What the cable does to all packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CableSetting {
    /// How long a packet is on its way.
    Latency(Duration),
    /// How many of 100 packets get lost.
    Loss(f64),
    /// Bits in a second.
    Rate(u64),
}

impl FromStr for Rule {
    type Err = RuleError;

    /// Reads one rule.
    fn from_str(text: &str) -> Result<Self, RuleError> {
        parse::rule(text)
    }
}

impl Rule {
    /// Enters what the rule says of the cable into its settings.
    fn enter_into(&self, settings: &mut Settings) {
        match self {
            Rule::Packets { .. } => {}
            Rule::Cut(cut) => settings.cuts.push(*cut),
            Rule::Cable { from, setting } => {
                let sides = Side::BOTH.into_iter();
                for side in sides.filter(|side| from.is_none_or(|from| from == *side)) {
                    let line = &mut settings.lines[side.index()];
                    match setting {
                        CableSetting::Latency(latency) => line.latency = *latency,
                        CableSetting::Loss(loss) => line.loss = *loss,
                        CableSetting::Rate(rate) => line.rate = Some(*rate),
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
