//! From rules to words: what is printed reads back as the same rule.

use std::cmp::Ordering;
use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use super::{CableSetting, Matching, Rule, Sort, Then};
use crate::hand::{Cut, Side};

impl Display for Rule {
    fn fmt(&self, out: &mut Formatter) -> Result {
        match self {
            Rule::Packets { which, then, times } => {
                for which in which {
                    write!(out, "{which} ")?;
                }
                write!(out, "{then}")?;
                match times {
                    None => Ok(()),
                    Some(1) => write!(out, " once"),
                    Some(times) => write!(out, " {times} times"),
                }
            }
            Rule::Cable { from, setting } => {
                if let Some(side) = from {
                    write!(out, "{} ", Matching::From(*side))?;
                }
                write!(out, "{setting}")
            }
            Rule::Cut(cut) => write!(out, "{cut}"),
        }
    }
}

impl Display for Cut {
    fn fmt(&self, out: &mut Formatter) -> Result {
        write!(out, "cut after {}", Time(self.after))?;
        self.lasts
            .map_or(Ok(()), |lasts| write!(out, " for {}", Time(lasts)))
    }
}

impl Display for Matching {
    fn fmt(&self, out: &mut Formatter) -> Result {
        match self {
            Matching::From(Side::Client) => write!(out, "client→server"),
            Matching::From(Side::Server) => write!(out, "server→client"),
            Matching::Sort(sort) => {
                let word = Sort::WORDS.iter().find(|(known, _)| known == sort);
                write!(out, "{}", word.map_or("", |(_, word)| word))
            }
            Matching::Length(compare, length) => {
                let sign = match compare {
                    Ordering::Greater => ">",
                    Ordering::Less => "<",
                    Ordering::Equal => "=",
                };
                write!(out, "length {sign} {length}")
            }
            Matching::Port(port) => write!(out, "port {port}"),
            Matching::Connection(number) => write!(out, "connection {number}"),
            Matching::Again => write!(out, "again"),
            Matching::Nth(number) => write!(out, "{number}"),
            Matching::Every(number) => {
                let end = match (number % 10, number % 100) {
                    (1, rest) if rest != 11 => "st",
                    (2, rest) if rest != 12 => "nd",
                    (3, rest) if rest != 13 => "rd",
                    _ => "th",
                };
                write!(out, "every {number}{end}")
            }
            Matching::Percent(percent) => write!(out, "{percent} %"),
        }
    }
}

impl Sort {
    /// Every sort, and its word.
    pub(super) const WORDS: [(Sort, &str); 9] = [
        (Sort::Tcp, "tcp"),
        (Sort::Udp, "udp"),
        (Sort::Icmp, "icmp"),
        (Sort::Syn, "syn"),
        (Sort::SynAck, "syn-ack"),
        (Sort::Ack, "ack"),
        (Sort::Data, "data"),
        (Sort::Fin, "fin"),
        (Sort::Rst, "rst"),
    ];
}

impl Display for Then {
    fn fmt(&self, out: &mut Formatter) -> Result {
        match self {
            Then::Pass => write!(out, "pass"),
            Then::Drop => write!(out, "drop"),
            Then::Delay(time) => write!(out, "delay {}", Time(*time)),
            Then::Hold(None) => write!(out, "hold"),
            Then::Hold(Some(time)) => write!(out, "hold {}", Time(*time)),
            Then::Double => write!(out, "double"),
            Then::Swap => write!(out, "swap"),
            Then::Corrupt => write!(out, "corrupt"),
            Then::Cut(None) => write!(out, "cut"),
            Then::Cut(Some(time)) => write!(out, "cut for {}", Time(*time)),
        }
    }
}

impl Display for CableSetting {
    fn fmt(&self, out: &mut Formatter) -> Result {
        match self {
            CableSetting::Latency(time) => write!(out, "latency {}", Time(*time)),
            CableSetting::Loss(percent) => write!(out, "loss {percent} %"),
            CableSetting::Rate(rate) => {
                let (number, unit) = whole((*rate).into(), ["Gbit/s", "Mbit/s", "kbit/s", "bit/s"]);
                write!(out, "rate {number} {unit}")
            }
        }
    }
}

/// In the largest unit in which it is a whole number.
struct Time(Duration);

impl Display for Time {
    fn fmt(&self, out: &mut Formatter) -> Result {
        let (number, unit) = whole(self.0.as_nanos(), ["s", "ms", "us", "ns"]);
        write!(out, "{number} {unit}")
    }
}

/// A number of the last unit, in the first unit in which it is whole. Each unit is a
/// thousand of the next.
fn whole(number: u128, units: [&str; 4]) -> (u128, &str) {
    let sizes = [1_000_000_000, 1_000_000, 1_000, 1];
    let mut fitting = sizes.into_iter().zip(units);
    let found = fitting.find(|(size, _)| number.is_multiple_of(*size));
    let (size, unit) = found.expect("every number is a multiple of 1");
    (number / size, unit)
}
