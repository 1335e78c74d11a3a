//! What all threads see, brought to one form and one clock.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime};

use sources::calls::{self, What};
use sources::output::{Lines, any_readable, set_nonblocking};
use sources::packets::{Capture, Captured};
use sources::states::States;
use timeline::call::{Address, Arg, CallId, End, Outcome, Start};
use timeline::packet::{Content, Packet, TcpFlags};
use timeline::{Actor, Event, Kind, Place, Stream};

use super::backlog::Counting;
use super::looks::Looks;
use super::on_wire::OnWire;
use super::owners::Owners;

/// What the recorder tells.
pub(super) enum News {
    Event(Box<Event>),
    /// A program is held before this call.
    Held(CallId, Actor),
    /// The first program listens, or is bound for UDP.
    Ready,
    /// A program has ended.
    Ended(Actor),
}

/// An output of a program.
struct Pipe {
    actor: Actor,
    stream: Stream,
    pipe: PipeReader,
    lines: Lines,
}

pub(super) struct Recorder {
    news: Counting<News>,
    /// The beginning of the timeline, on the clock that all stamps have.
    start: Duration,
    pub(super) looks: Option<Looks>,
    pub(super) owners: Owners,
    pipes: Vec<Pipe>,
    /// When each program last began to write into its output.
    printed: HashMap<Actor, Duration>,
    /// Calls of the first program that may make it ready.
    opening: HashSet<CallId>,
    /// Calls after which a UDP socket may have an address.
    binding: HashSet<CallId>,
    /// Whether every packet is the programs' own.
    alone: bool,
    /// Packets of others that were left out.
    of_others: u64,
    /// What happened up to here has been handed out.
    pub(super) given_until: Duration,
    /// What is known beside where there are two hosts.
    pub(super) wire: OnWire,
}

/// Whether a connection begins with it: then its socket is new.
fn opens(packet: &Packet) -> bool {
    matches!(&packet.content, Content::Tcp(segment)
        if segment.flags.has(TcpFlags::SYN) && !segment.flags.has(TcpFlags::ACK))
}

/// CLOCK_REALTIME, the clock of packets and of the tracer.
pub(super) fn clock() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

impl Recorder {
    /// A recorder, and the packets that it is to be given, if they can be seen.
    pub(super) fn new(news: Counting<News>, alone: bool) -> (Self, Option<Capture>) {
        let capture = Capture::on("lo");
        let recorder = Self::with(news, alone, States::open().map(|states| vec![states]));
        if let Err(error) = &capture {
            recorder.unseen(&format!(
                "packets: {error}; they need a network of our own, or root: see \"cargo dial doctor\""
            ));
        }
        (recorder, capture.ok())
    }

    /// A recorder with these ways to TCP states.
    pub(super) fn with(
        news: Counting<News>,
        alone: bool,
        states: std::io::Result<Vec<States>>,
    ) -> Self {
        let mut recorder = Self {
            news,
            start: clock(),
            looks: None,
            owners: Owners::default(),
            pipes: Vec::new(),
            printed: HashMap::new(),
            opening: HashSet::new(),
            binding: HashSet::new(),
            alone,
            of_others: 0,
            given_until: Duration::ZERO,
            wire: OnWire::default(),
        };
        match states {
            Ok(states) => recorder.looks = Some(Looks::new(states)),
            Err(error) => recorder.unseen(&format!("TCP states: {error}")),
        }
        recorder
    }

    /// The beginning of the timeline, since 1970.
    pub(super) fn start(&self) -> Duration {
        self.start
    }

    /// Since the start.
    pub(super) fn now(&self) -> Duration {
        self.since_start(clock())
    }

    /// Of a stamp.
    pub(super) fn since_start(&self, stamp: Duration) -> Duration {
        stamp.saturating_sub(self.start)
    }

    pub(super) fn started(
        &mut self,
        time: Duration,
        actor: Actor,
        lane: &str,
        command: Vec<String>,
    ) {
        let kind = Kind::Started {
            lane: lane.to_string(),
            command,
        };
        self.tell(time, Place::Actor(actor), kind);
    }

    /// From now on, what the program prints is looked for.
    pub(super) fn listen_to(&mut self, actor: Actor, stdout: PipeReader, stderr: PipeReader) {
        for (stream, pipe) in [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] {
            match set_nonblocking(&pipe) {
                Ok(()) => self.pipes.push(Pipe {
                    actor,
                    stream,
                    pipe,
                    lines: Lines::default(),
                }),
                Err(error) => self.unseen(&format!("what a program prints: {error}")),
            }
        }
    }

    /// The tracer's report. The program is stopped meanwhile, so what it printed
    /// before is in the pipe already, and what it prints after is not.
    pub(super) fn call(&mut self, event: calls::Event) {
        let time = Duration::from_nanos(event.at).saturating_sub(self.start);
        // In a call it prints nothing.
        if !matches!(event.what, What::CallEnd(_)) {
            self.empty_pipes_at(time.saturating_sub(Duration::from_nanos(1)));
        }
        let place = Place::Actor(event.actor);
        match event.what {
            What::CallStart(start) => {
                self.call_starts(event.actor, &start);
                self.tell(time, place, Kind::Call(start));
            }
            What::CallEnd(end) => {
                self.call_ends(event.actor, &end);
                let id = end.id;
                self.tell(time, place, Kind::Return(end));
                self.look_if(|looks, now| looks.after_call(id, now));
            }
            What::Prints => drop(self.printed.insert(event.actor, time)),
            What::Held(call) => self.send(News::Held(call, event.actor)),
            What::ProgramEnded(ending) => {
                self.tell(self.now(), place, Kind::Ended(ending));
                self.send(News::Ended(event.actor));
            }
            What::Started { path, seen: false } | What::Exec { path, seen: false } => {
                self.unseen(&format!(
                    "the calls of {path}: it is built for another machine"
                ));
            }
            What::TaskEnded(_) => self.look_at_states(),
            _ => {}
        }
    }

    fn call_starts(&mut self, actor: Actor, start: &Start) {
        if let Some(looks) = &mut self.looks {
            looks.call_starts(start);
        }
        let Some(socket) = &start.socket else { return };
        self.owners.has(actor, socket.inode);
        if start.name == "connect" {
            for arg in &start.args {
                if let Arg::Address(Address::Ip(peer)) = arg {
                    self.owners.dials(actor, *peer);
                }
            }
        }
        let udp = socket
            .protocol
            .as_deref()
            .is_some_and(|name| name.starts_with("UDP"));
        if udp && !self.owners.knows_address(socket.inode) {
            self.binding.insert(start.id);
        }
        let opens = start.name == "listen" || (start.name == "bind" && udp);
        if actor == Actor(0) && opens {
            self.opening.insert(start.id);
        }
    }

    fn call_ends(&mut self, actor: Actor, end: &End) {
        for (_, socket) in &end.sockets {
            self.owners.has(actor, socket.inode);
        }
        // Now, while the program stands still: it may be gone when its datagram is
        // looked at.
        if self.binding.remove(&end.id) {
            self.find_udp_sockets();
        }
        if self.opening.remove(&end.id) && matches!(end.outcome, Outcome::Returned(0)) {
            self.send(News::Ready);
        }
    }

    pub(super) fn packet(&mut self, captured: Captured) {
        let time = captured.at.saturating_sub(self.start);
        let (from, to) = self.find_ends(&captured.packet);
        if !self.alone && from.is_none() && to.is_none() {
            self.of_others += 1;
            return;
        }
        let place = Place::Wire { from, to };
        let packet = captured.packet;
        self.show_packet(time, place, packet);
    }

    pub(super) fn show_packet(&mut self, time: Duration, place: Place, packet: Packet) {
        self.look_if(|looks, now| looks.after_packet(&packet, now));
        self.tell(time, place, Kind::Packet(packet));
    }

    /// Whose sockets have its two ends.
    pub(super) fn find_ends(&mut self, packet: &Packet) -> (Option<Actor>, Option<Actor>) {
        let (mut from, mut to) = self.ends(packet);
        // A look costs more than a packet, and on the machine's own loopback most
        // packets are of others: there a look is worth it where a connection
        // begins, or where one end is known to be ours.
        let ours = self.alone || from.or(to).is_some();
        if (from.is_none() || to.is_none()) && (ours || opens(packet)) {
            self.look_at_states();
            (from, to) = self.ends(packet);
        }
        if let (true, Some((source, destination))) = (opens(packet), packet.ends()) {
            self.owners.syn(source, destination);
            (from, to) = self.ends(packet);
        }
        (from, to)
    }

    /// Looks at the states, if it is worth it at this time.
    fn look_if(&mut self, worth: impl FnOnce(&mut Looks, Duration) -> bool) {
        let now = self.now();
        if self.looks.as_mut().is_some_and(|looks| worth(looks, now)) {
            self.look_at_states();
        }
    }

    /// A state is stamped after it was found, so its cause is older.
    pub(super) fn look_at_states(&mut self) {
        let start = self.start;
        let Some(looks) = &mut self.looks else {
            return;
        };
        let (changes, time) = match looks.look(|| clock().saturating_sub(start)) {
            Ok(found) => found,
            Err(error) => {
                self.looks = None;
                return self.unseen(&format!("TCP states from here on: {error}"));
            }
        };
        for change in changes {
            let owner = self.owners.tcp(change.local, change.peer, change.inode);
            // On the machine's own loopback there are sockets of others.
            if let Some(actor) = owner {
                self.tell(time, Place::Actor(actor), Kind::State(change));
            }
        }
    }

    /// What no call and no packet has brought up: what is in the pipes, and the
    /// states after the last of what happened.
    pub(super) fn catch_up(&mut self) {
        self.empty_pipes_at(self.now());
        self.look_if(|looks, _| looks.is_due());
    }

    /// The same, for what was printed at this time at the latest. It was printed
    /// when the program began to write: whoever empties the pipe comes later, and
    /// perhaps after the program's next call.
    fn empty_pipes_at(&mut self, time: Duration) {
        let pipes = self.pipes.iter().map(|pipe| pipe.pipe.as_fd());
        if !any_readable(pipes) {
            return;
        }
        let mut found = Vec::new();
        self.pipes.retain_mut(|pipe| {
            let Pipe {
                actor,
                stream,
                pipe,
                lines,
            } = pipe;
            let (actor, stream) = (*actor, *stream);
            let mut line = |text| found.push((actor, Kind::Line { stream, text }));
            let mut buffer = [0; 8192];
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => {
                        lines.finish(&mut line);
                        return false;
                    }
                    Ok(length) => lines.feed(&buffer[..length], &mut line),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return error.kind() == ErrorKind::WouldBlock,
                }
            }
        });
        for (actor, kind) in found {
            let printed = self.printed.get(&actor).copied().unwrap_or(time);
            // A program that was held up between that moment and the write itself
            // may come too late for it.
            let printed = printed.max(self.given_until);
            self.tell(printed.min(time), Place::Actor(actor), kind);
        }
    }

    /// The end of the timeline: what has no line end yet is a line, too.
    pub(super) fn finish(&mut self, late: u64) {
        self.empty_pipes_at(self.now());
        let time = self.now();
        for mut pipe in std::mem::take(&mut self.pipes) {
            let (actor, stream) = (pipe.actor, pipe.stream);
            pipe.lines.finish(|text| {
                self.tell(time, Place::Actor(actor), Kind::Line { stream, text });
            });
        }
        self.look_at_states();
        if late > 0 {
            self.unseen(&format!(
                "the exact place of {late} events, which came late"
            ));
        }
        if self.of_others > 0 {
            self.unseen(&format!(
                "{} packets of other programs were left out",
                self.of_others
            ));
        }
    }

    pub(super) fn unseen(&self, what: &str) {
        self.tell(self.now(), Place::Narrator, Kind::Unseen(what.to_string()));
    }

    pub(super) fn tell(&self, time: Duration, place: Place, kind: Kind) {
        self.send(News::Event(Box::new(Event { time, place, kind })));
    }

    /// It fails only when nobody listens any more, and then nobody needs it.
    fn send(&self, news: News) {
        let _ = self.news.send(news);
    }
}
