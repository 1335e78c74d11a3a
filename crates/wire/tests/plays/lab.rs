//! A wire with rules on it, and everything that was seen of it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use timeline::cable::{Fate, Later, Passage};
use timeline::packet::{Content, Packet};
use timeline::state::{TcpState, Transition};
use wire::rules::Rules;
use wire::{CableControl, Frame, Host, Report, Side, Wire};

use super::counters::counters;

/// Nothing in a play takes longer, unless it says so.
const DEADLINE: Duration = Duration::from_secs(20);
/// How soon to look again where no report comes.
const AGAIN: Duration = Duration::from_millis(10);

pub struct Lab {
    pub wire: Wire,
    pub control: CableControl,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

#[derive(Default)]
struct Seen {
    reports: Vec<Report>,
    states: Vec<(Side, Transition)>,
}

impl Lab {
    pub fn new(rules: &str) -> Self {
        Self::with(rules, |_| {})
    }

    /// Two hosts that were prepared, and rules on the cable.
    pub fn with(rules: &str, prepare: impl FnOnce(&Wire)) -> Self {
        kernel::network::enter_private().unwrap();
        Self::further(rules, prepare)
    }

    /// One more of them in this process.
    pub fn further(rules: &str, prepare: impl FnOnce(&Wire)) -> Self {
        let mut wire = Wire::new().unwrap();
        prepare(&wire);
        let rules = Rules::parse(rules).unwrap_or_else(|error| panic!("{error}"));
        let settings = rules.settings();
        let seen: Arc<(Mutex<Seen>, Condvar)> = Arc::default();
        let mut looks = Side::BOTH.map(|side| (side, wire.host(side).states().unwrap()));
        let writes = Arc::clone(&seen);
        let report = move |report| {
            let mut seen = writes.0.lock().unwrap();
            for (side, states) in &mut looks {
                let changes = states.look().unwrap().into_iter();
                seen.states.extend(changes.map(|change| (*side, change)));
            }
            seen.reports.push(report);
            writes.1.notify_all();
        };
        let control = wire.plug(rules, settings, report).unwrap();
        Self {
            wire,
            control,
            seen,
        }
    }

    pub fn server(&self) -> &Host {
        self.wire.host(Side::Server)
    }

    pub fn client(&self) -> &Host {
        self.wire.host(Side::Client)
    }

    pub fn counters(&self, side: Side) -> BTreeMap<String, u64> {
        counters(self.wire.host(side))
    }

    pub fn listener(&self) -> TcpListener {
        let bind = || TcpListener::bind("10.0.0.1:8081");
        self.server().inside(bind).unwrap()
    }

    pub fn connect(&self) -> std::io::Result<TcpStream> {
        let connect = || TcpStream::connect("10.0.0.1:8081");
        self.client().inside(connect)
    }

    /// A connection, the server's end first.
    pub fn pair(&self) -> (TcpStream, TcpStream) {
        let listener = self.listener();
        let client = self.connect().unwrap();
        let (server, _) = listener.accept().unwrap();
        for stream in [&server, &client] {
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            stream.set_nodelay(true).unwrap();
        }
        (server, client)
    }

    /// Two UDP sockets that know each other, the server's first.
    pub fn datagrams(&self) -> (UdpSocket, UdpSocket) {
        let bind = |addr: &'static str| move || UdpSocket::bind(addr);
        let server = self.server().inside(bind("10.0.0.1:7788")).unwrap();
        let client = self.client().inside(bind("10.0.0.2:5000")).unwrap();
        server.connect("10.0.0.2:5000").unwrap();
        client.connect("10.0.0.1:7788").unwrap();
        for socket in [&server, &client] {
            socket.set_read_timeout(Some(DEADLINE)).unwrap();
        }
        (server, client)
    }

    pub fn reports(&self) -> Vec<Report> {
        self.seen.0.lock().unwrap().reports.clone()
    }

    /// Each frame that came onto the cable.
    pub fn frames(&self) -> Vec<Frame> {
        let reports = self.reports().into_iter();
        let frames = reports.filter_map(|report| match report {
            Report::Packet(frame) => Some(frame),
            _ => None,
        });
        frames.collect()
    }

    /// Waits until so many frames came from this side, went on, and were dropped.
    pub fn wait_counts(&self, side: Side, wanted: (u64, u64, u64)) {
        self.wait(&format!("counts {wanted:?}"), |lab| {
            let counts = lab.control.counts(side);
            (wanted == (counts.came, counts.delivered, counts.dropped)).then_some(())
        });
    }

    /// What became later of frames, when it is known of so many.
    pub fn wait_laters(&self, count: usize) -> Vec<Later> {
        let laters = |lab: &Self| Some(lab.laters()).filter(|laters| laters.len() >= count);
        let laters = self.wait("fate of late frames", laters);
        assert_eq!(laters.len(), count, "{laters:?}");
        laters
    }

    /// What became later of frames.
    fn laters(&self) -> Vec<Later> {
        let reports = self.reports().into_iter();
        let laters = reports.filter_map(|report| match report {
            Report::Later { later, .. } => Some(later),
            _ => None,
        });
        laters.collect()
    }

    /// The states that sockets of this side were seen in, each once, in order.
    pub fn states(&self, side: Side) -> Vec<&'static str> {
        let seen = self.seen.0.lock().unwrap();
        let mut names: Vec<&str> = Vec::new();
        for (_, change) in seen.states.iter().filter(|(of, _)| *of == side) {
            let listens = [change.from, Some(change.to)].contains(&Some(TcpState::Listen));
            if !listens && names.last() != Some(&change.to.name()) {
                names.push(change.to.name());
            }
        }
        names
    }

    /// Waits until what was seen fits. It looks again at each report, and now and
    /// then without one, since what is on the cable is counted after the report.
    pub fn wait<T>(&self, wanted: &str, fits: impl Fn(&Self) -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = fits(self) {
                return found;
            }
            let story = || self.story().join("\n");
            assert!(Instant::now() < end, "no {wanted}:\n{}", story());
            let seen = self.seen.0.lock().unwrap();
            drop(self.seen.1.wait_timeout(seen, AGAIN).unwrap());
        }
    }

    /// All frames as text, for messages.
    pub fn story(&self) -> Vec<String> {
        self.frames().iter().map(line).collect()
    }
}

pub fn line(frame: &Frame) -> String {
    let passage = passage(frame);
    let again = passage.again.map(|again| format!(" again {again}"));
    format!(
        "{} {} {} {:?}{}",
        frame.id,
        frame.from.name(),
        label(&frame.packet),
        passage.fate,
        again.unwrap_or_default()
    )
}

/// `SYN`, `PSH ACK 5`, `UDP 5`.
pub fn label(packet: &Packet) -> String {
    match &packet.content {
        Content::Tcp(tcp) if tcp.length > 0 => {
            format!("{} {}", tcp.flags.names().join(" "), tcp.length)
        }
        Content::Tcp(tcp) => tcp.flags.names().join(" "),
        Content::Udp(udp) => format!("UDP {}", udp.length),
        other => format!("{other:?}"),
    }
}

pub fn passage(frame: &Frame) -> Passage {
    frame.packet.passage.clone().expect("a passage")
}

pub fn fate(frame: &Frame) -> Fate {
    passage(frame).fate
}

/// What came of a call on a socket that has a deadline. A machine that is halted for
/// a moment interrupts such a call (EINTR, signal(7)); then it is made again.
pub fn again<T>(mut call: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Sends it, and waits until it has arrived.
pub fn talk(from: &mut TcpStream, to: &mut TcpStream, text: &[u8]) {
    from.write_all(text).unwrap();
    let mut got = vec![0; text.len()];
    to.read_exact(&mut got).unwrap();
    assert_eq!(got, text);
}
