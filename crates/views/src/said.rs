//! What packets, states, results and times are called.

use std::time::Duration;

use timeline::Ending;
use timeline::call::Outcome;
use timeline::packet::{Content, Packet, Segment};
use timeline::state::{TcpState, Transition};

use crate::flow::Relative;
use crate::words::Words;

/// What is written on an arrow.
pub struct Label {
    /// What it is, such as `PSH ACK 5 bytes`.
    pub head: String,
    /// Its numbers, such as `1:6`, `ack 1`.
    pub numbers: Vec<String>,
    /// The beginning of its data.
    pub data: Option<String>,
}

/// What a packet is called; `relative` are its numbers if it is of TCP.
pub fn packet(words: Words, packet: &Packet, relative: Option<Relative>) -> Label {
    let (head, number, data) = match &packet.content {
        Content::Tcp(segment) => return tcp(words, segment, relative),
        Content::Udp(datagram) => {
            let data = words.quoted(&datagram.data, datagram.length.into());
            let head = format!("UDP {} bytes", datagram.length);
            (head, None, Some(data))
        }
        Content::Icmp { kind, code, about } => {
            let head = icmp(packet.source.is_ipv6(), *kind, *code);
            let about = about.as_ref();
            let about = about.map(|about| format!("about {}", about.destination));
            (head, about, None)
        }
        Content::Fragment { offset, .. } => (format!("fragment from {offset}"), None, None),
        Content::Other { protocol } => (format!("protocol {protocol}"), None, None),
        Content::Broken { reason } => ("broken".to_string(), Some(reason.clone()), None),
    };
    let numbers = number.into_iter().collect();
    Label {
        head,
        numbers,
        data,
    }
}

fn tcp(words: Words, segment: &Segment, relative: Option<Relative>) -> Label {
    let mut head = segment.flags.names().join(" ");
    let mut numbers = Vec::new();
    let mut data = None;
    if segment.length > 0 {
        head += &format!(" {} bytes", segment.length);
        data = Some(words.quoted(&segment.data, segment.length.into()));
    }
    if let Some(relative) = relative {
        let bare = segment.flags.names() == ["ACK"];
        match segment.length {
            0 if bare => {}
            0 => numbers.push(format!("seq {}", relative.seq)),
            _ => numbers.push(format!("{}:{}", relative.seq, relative.end)),
        }
        numbers.extend(relative.ack.map(|ack| format!("ack {ack}")));
    }
    Label {
        head,
        numbers,
        data,
    }
}

/// The names of RFC 792 and RFC 4443 for what a learner meets.
fn icmp(v6: bool, kind: u8, code: u8) -> String {
    match (v6, kind, code) {
        (false, 3, 3) | (true, 1, 4) => "ICMP port unreachable".to_string(),
        (false, 3, 1) | (true, 1, 3) => "ICMP host unreachable".to_string(),
        (false, 3, _) | (true, 1, _) => "ICMP unreachable".to_string(),
        (false, 8, _) | (true, 128, _) => "ICMP echo".to_string(),
        (false, 0, _) | (true, 129, _) => "ICMP echo reply".to_string(),
        _ => format!("ICMP {kind}/{code}"),
    }
}

/// None for a change that says nothing, such as a queue that is empty again.
pub fn state(change: &Transition) -> Option<String> {
    if change.from != Some(change.to) {
        return Some(format!("[{}]", socket(change)));
    }
    let queues = queues(change);
    let port = change.local.port();
    (!queues.is_empty()).then(|| format!("[:{port} {}]", queues.join(", ")))
}

/// A socket and its state, such as `:8081 LISTEN`.
pub fn socket(change: &Transition) -> String {
    let port = change.local.port();
    // A connection can have the same port, and be closed at another time.
    match (change.from, change.to) {
        (Some(TcpState::Listen), TcpState::Closed) => format!(":{port} LISTEN closed"),
        (_, to) => format!(":{port} {}", to.name()),
    }
}

/// The queues that are not empty; the Send-Q of a socket that listens is its
/// backlog, and no queue.
pub fn queues(change: &Transition) -> Vec<String> {
    let queues = change.queues;
    let listening = change.to == TcpState::Listen;
    let receive = if listening { "accept queue" } else { "Recv-Q" };
    let all = [(receive, queues.receive), ("Send-Q", queues.send)];
    let filled = all.into_iter().take(if listening { 1 } else { 2 });
    let filled = filled.filter(|(_, count)| *count > 0);
    filled
        .map(|(name, count)| format!("{name} {count}"))
        .collect()
}

/// Whether a call has failed. It has not where it would have had to wait.
pub fn is_bad(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed(symbol) => !matches!(
            symbol.name.as_deref(),
            Some("EAGAIN" | "EWOULDBLOCK" | "EINPROGRESS")
        ),
        Outcome::Died => true,
        Outcome::Returned(_) | Outcome::Interrupted(_) => false,
    }
}

/// How a program ended, in words.
pub fn ending(ending: Ending) -> String {
    match ending {
        Ending::Status(0) => "(ended)".to_string(),
        Ending::Status(status) => format!("(ended with status {status})"),
        Ending::Signal(2) => "(ended by SIGINT)".to_string(),
        Ending::Signal(9) => "(ended by SIGKILL)".to_string(),
        Ending::Signal(15) => "(ended by SIGTERM)".to_string(),
        Ending::Signal(signal) => format!("(ended by signal {signal})"),
    }
}

/// With three digits behind the point as long as they fit.
pub fn milliseconds(time: Duration) -> String {
    let microseconds = time.as_micros();
    if microseconds < 10_000_000 {
        format!("{}.{:03}", microseconds / 1_000, microseconds % 1_000)
    } else {
        format!("{}", microseconds / 1_000)
    }
}
