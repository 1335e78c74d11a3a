//! What rules do with packets. They count, so they have a memory.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use timeline::packet::{Content, Packet, TcpFlags};

use super::error::RuleError;
use super::{Matching, Rule, Sort, Then, parse};
use crate::chance;
use crate::hand::{Action, Decision, Frame, Hand, Settings};

/// How many connections are told apart at a time.
const CONNECTIONS: usize = 4096;

/// Rules at work on one cable. The first rule that is about a packet decides.
///
/// Every rule counts all packets that it is about, also those for which a rule
/// before it has decided: `data 1 drop` and `data 2 drop` drop the first and the
/// second.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<State>,
    seed: u64,
    connections: Connections,
}

#[derive(Clone, Debug)]
struct State {
    rule: Rule,
    /// How it is named where it has decided.
    name: String,
    /// How many packets it was about, apart from number and chance.
    met: u64,
    /// How often it may still decide.
    left: Option<u32>,
}

impl Rules {
    /// Reads rules, one a line or with `;` between them. What stands behind a `#`
    /// is for people.
    ///
    /// # Errors
    /// The first line that is no rule, with the place and what is expected there.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        parse::rules(text).map(Self::new)
    }

    /// Rules that are there already.
    pub fn new(rules: Vec<Rule>) -> Self {
        let state = |rule: Rule| State {
            name: rule.to_string(),
            met: 0,
            left: match &rule {
                Rule::Packets { times, .. } => *times,
                Rule::Cable { .. } | Rule::Cut(_) => None,
            },
            rule,
        };
        Self {
            rules: rules.into_iter().map(state).collect(),
            seed: 0,
            connections: Connections::default(),
        }
    }

    /// Where chance begins: the same seed and the same packets have the same fate.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether chance has a say in them, so that the seed matters.
    pub fn need_seed(&self) -> bool {
        let chance = |which: &Matching| matches!(which, Matching::Percent(_));
        self.rules.iter().any(|state| match &state.rule {
            Rule::Packets { which, then, .. } => *then == Then::Corrupt || which.iter().any(chance),
            Rule::Cable { setting, .. } => matches!(setting, super::CableSetting::Loss(_)),
            Rule::Cut(_) => false,
        })
    }

    /// What they say of the cable itself, for [`Wire::plug`](crate::Wire).
    pub fn settings(&self) -> Settings {
        let mut settings = Settings {
            seed: self.seed,
            ..Settings::default()
        };
        for state in &self.rules {
            state.rule.enter_into(&mut settings);
        }
        settings
    }

    /// All rules, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|state| &state.rule)
    }
}

impl Hand for Rules {
    fn decide(&mut self, frame: &Frame) -> Decision {
        let connection = self.connections.number(&frame.packet);
        let mut decision = None;
        for (index, state) in self.rules.iter_mut().enumerate() {
            let kind = (index as u64) << 1 | frame.from.index() as u64;
            let then = state.about(frame, connection, self.seed, kind);
            if decision.is_some() {
                continue;
            }
            let Some(then) = then.filter(|_| state.left != Some(0)) else {
                continue;
            };
            state.left = state.left.map(|left| left - 1);
            let random = chance::number(self.seed, !kind, state.met);
            decision = Some(Decision {
                what: what(then, frame, random),
                by: Some(state.name.clone()).filter(|_| then != Then::Pass),
            });
        }
        decision.unwrap_or(Decision::PASS)
    }
}

impl State {
    /// What it wants to become of the packet, if it is about it. It counts.
    fn about(&mut self, frame: &Frame, connection: u32, seed: u64, kind: u64) -> Option<Then> {
        let Rule::Packets { which, then, .. } = &self.rule else {
            return None;
        };
        let fits = |which: &Matching| match *which {
            Matching::From(side) => frame.from == side,
            Matching::Sort(sort) => is_of(sort, &frame.packet),
            Matching::Length(order, length) => frame.packet.length.cmp(&length) == order,
            Matching::Port(port) => frame.packet.ends().is_some_and(|(source, destination)| {
                source.port() == port || destination.port() == port
            }),
            Matching::Connection(number) => connection == number,
            Matching::Again => frame.again.is_some(),
            Matching::Nth(_) | Matching::Every(_) | Matching::Percent(_) => true,
        };
        if !which.iter().all(fits) {
            return None;
        }
        self.met += 1;
        let met = self.met;
        let chosen = |which: &Matching| match *which {
            Matching::Nth(number) => met == u64::from(number),
            Matching::Every(number) => met.is_multiple_of(number.into()),
            Matching::Percent(percent) => chance::happens(percent, seed, kind, met),
            _ => true,
        };
        which.iter().all(chosen).then_some(*then)
    }
}

fn what(then: Then, frame: &Frame, random: u64) -> Action {
    match then {
        Then::Pass => Action::Pass,
        Then::Drop => Action::Drop,
        Then::Delay(time) => Action::Delay(time),
        Then::Hold(Some(time)) => Action::Stop(time),
        Then::Hold(None) => Action::Hold,
        Then::Double => Action::Double,
        Then::Swap => Action::Swap,
        Then::Corrupt => Action::Corrupt(bit(&frame.packet, random)),
        Then::Cut(lasts) => Action::Cut(lasts),
    }
}

/// One bit of its data, or of its checksum if it has none: so the packet still
/// finds its way, and only the checksum of TCP or UDP tells that it is damaged.
fn bit(packet: &Packet, random: u64) -> u32 {
    /// Of a TCP header its bytes 16 and 17, of a UDP header its bytes 6 and 7.
    const WIDTH: u32 = 2;
    let (data, checksum, header) = match &packet.content {
        Content::Tcp(segment) => (segment.length, 16, None),
        Content::Udp(datagram) => (datagram.length, 6, Some(8)),
        _ => return (random % (u64::from(packet.length.max(1)) * 8)) as u32,
    };
    let first = match header {
        _ if data > 0 => packet.length - data.min(packet.length),
        Some(header) => packet.length.saturating_sub(header) + checksum,
        // Behind the IP header, which is 20 bytes, or 40 for IPv6, here always.
        None => (if packet.source.is_ipv6() { 40 } else { 20 }) + checksum,
    };
    let bits = u64::from(if data > 0 { data } else { WIDTH }) * 8;
    first * 8 + (random % bits) as u32
}

fn is_of(sort: Sort, packet: &Packet) -> bool {
    let has = |flag| matches!(&packet.content, Content::Tcp(tcp) if tcp.flags.has(flag));
    let carries = match &packet.content {
        Content::Tcp(segment) => segment.length > 0,
        Content::Udp(datagram) => datagram.length > 0,
        _ => false,
    };
    match sort {
        Sort::Tcp => matches!(packet.content, Content::Tcp(_)),
        Sort::Udp => matches!(packet.content, Content::Udp(_)),
        Sort::Icmp => matches!(packet.content, Content::Icmp { .. }),
        Sort::Syn => has(TcpFlags::SYN) && !has(TcpFlags::ACK),
        Sort::SynAck => has(TcpFlags::SYN) && has(TcpFlags::ACK),
        Sort::Ack => {
            let more = TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST;
            has(TcpFlags::ACK) && !has(more) && !carries
        }
        Sort::Data => carries,
        Sort::Fin => has(TcpFlags::FIN),
        Sort::Rst => has(TcpFlags::RST),
    }
}

/// Numbers connections in the order in which they begin.
#[derive(Clone, Debug, Default)]
struct Connections {
    numbers: HashMap<(SocketAddr, SocketAddr), (u32, u32)>,
    ages: VecDeque<(SocketAddr, SocketAddr)>,
    last: u32,
}

impl Connections {
    /// 0 for what belongs to none.
    fn number(&mut self, packet: &Packet) -> u32 {
        let Some((a, b)) = packet.ends() else {
            return 0;
        };
        let key = if a < b { (a, b) } else { (b, a) };
        let syn = match &packet.content {
            Content::Tcp(tcp) if tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::ACK) => {
                Some(tcp.seq)
            }
            _ => None,
        };
        if let Some((number, first)) = self.numbers.get(&key)
            // The same two ends begin again with another number.
            && syn.is_none_or(|seq| seq == *first)
        {
            return *number;
        }
        if !self.numbers.contains_key(&key) {
            if self.ages.len() == CONNECTIONS {
                let oldest = self.ages.pop_front();
                oldest.map(|oldest| self.numbers.remove(&oldest));
            }
            self.ages.push_back(key);
        }
        self.last = self.last.saturating_add(1);
        self.numbers.insert(key, (self.last, syn.unwrap_or(0)));
        self.last
    }
}
