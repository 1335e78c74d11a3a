//! From rules to words: what is printed reads back as the same rule.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use super::{CableSetting, Compare, Matching, Rule, Sort, Then};
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
            Matching::Sort(sort) => write!(out, "{}", sort.name()),
            Matching::Length(compare, length) => {
                let sign = match compare {
                    Compare::More => ">",
                    Compare::Less => "<",
                    Compare::Equal => "=",
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
    fn name(self) -> &'static str {
        match self {
            Sort::Tcp => "tcp",
            Sort::Udp => "udp",
            Sort::Icmp => "icmp",
            Sort::Syn => "syn",
            Sort::SynAck => "syn-ack",
            Sort::Ack => "ack",
            Sort::Data => "data",
            Sort::Fin => "fin",
            Sort::Rst => "rst",
        }
    }
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
                let units = [
                    ("Gbit/s", 1_000_000_000),
                    ("Mbit/s", 1_000_000),
                    ("kbit/s", 1_000),
                ];
                let fits = units
                    .into_iter()
                    .find(|(_, unit)| rate.is_multiple_of(*unit));
                let (name, unit) = fits.unwrap_or(("bit/s", 1));
                write!(out, "rate {} {name}", rate / unit)
            }
        }
    }
}

/// In the largest unit in which it is a whole number.
struct Time(Duration);

impl Display for Time {
    fn fmt(&self, out: &mut Formatter) -> Result {
        let nanoseconds = self.0.as_nanos();
        let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)];
        let fits = units
            .into_iter()
            .find(|(_, unit)| nanoseconds.is_multiple_of(*unit));
        let (name, unit) = fits.unwrap_or(("ns", 1));
        write!(out, "{} {name}", nanoseconds / unit)
    }
}
