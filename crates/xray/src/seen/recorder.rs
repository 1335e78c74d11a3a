//! What all threads see, brought to one form and one clock.

use std::collections::HashSet;
use std::io::{self, PipeReader};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::clock;
use kernel::states::States;
use sources::calls::{self, Deed};
use timeline::call::{Address, Arg, CallId, End, Outcome, Start};
use timeline::packet::{Content, Packet, TcpFlags};
use timeline::{Actor, Event, Kind, Place};

use super::backlog::Backlog;
use super::looks::Looks;
use super::owners::{Ends, Owners};
use super::pipes::Pipes;

/// What the recorder tells.
pub(crate) enum News {
    Event(Box<Event>),
    /// A program is held before this call.
    Held(CallId, Actor),
    /// The first program listens, or is bound for UDP.
    Ready,
    /// A program has ended.
    Ended(Actor),
}

/// The recorder, behind one lock: the tracer, the packet source and the cast
/// each have a hand on it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Recorder>>);

impl Shared {
    /// A thread that has panicked has said so; what it had recorded still counts.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Recorder {
    news: Sender<News>,
    backlog: Backlog,
    /// The beginning of the timeline, on the clock that all stamps have.
    pub(crate) start: Duration,
    looks: Looks,
    owners: Owners,
    pipes: Pipes,
    /// Calls of the first program that may make it ready.
    opening: HashSet<CallId>,
    /// Calls after which a UDP socket may have an address.
    binding: HashSet<CallId>,
    /// Whether every packet is the programs' own.
    alone: bool,
    /// What happened up to here has been handed out.
    pub(crate) given_until: Duration,
}

impl Recorder {
    /// A recorder with these ways to TCP states.
    pub(crate) fn shared(
        news: Sender<News>,
        backlog: Backlog,
        alone: bool,
        states: io::Result<Vec<States>>,
    ) -> Shared {
        let (states, error) = match states {
            Ok(states) => (states, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let recorder = Self {
            news,
            backlog,
            start: clock::now(),
            looks: Looks::new(states),
            owners: Owners::default(),
            pipes: Pipes::default(),
            opening: HashSet::new(),
            binding: HashSet::new(),
            alone,
            given_until: Duration::ZERO,
        };
        if let Some(error) = error {
            recorder.unseen(&format!("TCP states: {error}"));
        }
        Shared(Arc::new(Mutex::new(recorder)))
    }

    /// Since the start.
    pub(crate) fn now(&self) -> Duration {
        self.since_start(clock::now())
    }

    /// Of a stamp.
    pub(crate) fn since_start(&self, stamp: Duration) -> Duration {
        stamp.saturating_sub(self.start)
    }

    /// From now on, what the program prints is looked for.
    pub(crate) fn listen_to(&mut self, actor: Actor, stdout: PipeReader, stderr: PipeReader) {
        if let Err(error) = self.pipes.listen_to(actor, stdout, stderr) {
            self.unseen(&format!("what a program prints: {error}"));
        }
    }

    /// The tracer's report. The program is stopped meanwhile, so what it printed
    /// before is in the pipe already, and what it prints after is not.
    pub(crate) fn call(&mut self, event: calls::TaskEvent) {
        let time = self.since_start(Duration::from_nanos(event.at));
        // In a call it prints nothing.
        if !matches!(event.what, Deed::Return(_)) {
            self.empty_pipes_at(time.saturating_sub(Duration::from_nanos(1)));
        }
        let place = Place::Actor(event.actor);
        match event.what {
            Deed::Call(start) => {
                self.call_starts(event.actor, &start);
                self.tell(time, place, Kind::Call(start));
            }
            Deed::Return(end) => {
                self.call_ends(event.actor, &end);
                let id = end.id;
                self.tell(time, place, Kind::Return(end));
                self.look_if(|looks, now| looks.after_call(id, now));
            }
            Deed::Prints => self.pipes.begins_to_print(event.actor, time),
            Deed::Held(call) => self.send(News::Held(call, event.actor)),
            Deed::ProgramEnded(ending) => {
                self.tell(self.now(), place, Kind::Ended(ending));
                self.send(News::Ended(event.actor));
            }
            Deed::Started { path, seen: false } | Deed::Exec { path, seen: false } => {
                self.unseen(&format!(
                    "the calls of {path}: it is built for another machine"
                ));
            }
            Deed::TaskEnded(_) => self.look_at_states(),
            _ => {}
        }
    }

    fn call_starts(&mut self, actor: Actor, start: &Start) {
        self.looks.call_starts(start);
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

    /// A packet between these ends.
    pub(crate) fn packet(&mut self, time: Duration, (from, to): Ends, packet: Packet) {
        self.look_if(|looks, now| looks.after_packet(&packet, now));
        self.tell(time, Place::Wire { from, to }, Kind::Packet(packet));
    }

    /// Whose sockets have its two ends.
    pub(crate) fn ends(&mut self, packet: &Packet) -> Ends {
        let ends = self.owners.ends(packet);
        if ends.0.is_none() || ends.1.is_none() {
            match packet.content {
                // A look costs more than a packet, and on the machine's own loopback
                // most packets are of others: there a look is worth it where a
                // connection begins, or where one end is known to be ours.
                Content::Tcp(_) if self.alone || ends.0.or(ends.1).is_some() || opens(packet) => {
                    self.look_at_states();
                }
                Content::Tcp(_) => {}
                _ => self.find_udp_sockets(),
            }
        }
        if let (true, Some((source, destination))) = (opens(packet), packet.ends()) {
            self.owners.syn(source, destination);
        }
        self.owners.ends(packet)
    }

    /// Where the UDP sockets are, and whose they are.
    fn find_udp_sockets(&mut self) {
        for (local, inode) in self.looks.udp_sockets() {
            self.owners.udp(local, inode);
        }
    }

    /// Looks at the states, if it is worth it at this time.
    fn look_if(&mut self, worth: impl FnOnce(&mut Looks, Duration) -> bool) {
        let now = self.now();
        if worth(&mut self.looks, now) {
            self.look_at_states();
        }
    }

    /// A state is stamped after it was found, so its cause is older.
    pub(crate) fn look_at_states(&mut self) {
        let start = self.start;
        let found = self.looks.look(|| clock::now().saturating_sub(start));
        let (changes, time) = match found {
            Ok(found) => found,
            Err(error) => {
                self.looks = Looks::new(Vec::new());
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

    /// Tells what no call and no packet has brought up: what is in the pipes, and the
    /// states after the last of what happened.
    pub(crate) fn catch_up(&mut self) {
        self.empty_pipes_at(self.now());
        self.look_if(|looks, _| looks.is_due());
    }

    fn empty_pipes_at(&mut self, latest: Duration) {
        for line in self.pipes.empty(self.given_until, latest) {
            self.send(News::Event(Box::new(line)));
        }
    }

    /// The end of the timeline.
    pub(crate) fn finish(&mut self, late: u64) {
        self.empty_pipes_at(self.now());
        for line in self.pipes.finish(self.now()) {
            self.send(News::Event(Box::new(line)));
        }
        self.look_at_states();
        if late > 0 {
            self.unseen(&format!(
                "the exact place of {late} events, which came late"
            ));
        }
    }

    /// Explains something.
    pub(crate) fn note(&self, text: &str) {
        self.tell(self.now(), Place::Narrator, Kind::Note(text.to_string()));
    }

    pub(crate) fn unseen(&self, what: &str) {
        self.tell(self.now(), Place::Narrator, Kind::Unseen(what.to_string()));
    }

    pub(crate) fn tell(&self, time: Duration, place: Place, kind: Kind) {
        self.send(News::Event(Box::new(Event { time, place, kind })));
    }

    /// It fails only when nobody listens any more, and then nobody needs it.
    fn send(&self, news: News) {
        self.backlog.sent();
        let _ = self.news.send(news);
    }
}

/// Whether a connection begins with it: then its socket is new.
fn opens(packet: &Packet) -> bool {
    matches!(&packet.content, Content::Tcp(segment)
        if segment.flags.has(TcpFlags::SYN) && !segment.flags.has(TcpFlags::ACK))
}
