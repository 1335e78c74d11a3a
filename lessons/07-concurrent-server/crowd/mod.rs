//! A crowd: many callers in one program, each with one message on its way.
//!
//! One thread drives them all, as in the server's event loop. So it can be the
//! crowd that is slow, and not the server: it says for which part of the time
//! it was busy.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::{Events, Poll};
use socket2::{Domain, Socket, Type};

use crate::say;

mod caller;
mod report;
mod text;

use caller::{Caller, Phase};
use report::{Failure, Failures, Report};
use text::Text;

/// A caller receives at most so many bytes at once: more than a datagram has.
const ROOM: usize = 65_536;

/// What the crowd shall do.
pub struct Plan {
    /// Whom to call.
    pub addr: SocketAddr,
    /// Send datagrams.
    pub udp: bool,
    /// How many callers there are.
    pub clients: usize,
    /// How many messages each of them sends.
    pub messages: usize,
    /// How many bytes a message has.
    pub size: usize,
    /// The answers are in upper case.
    pub upper: bool,
    /// How long each thinks before a message.
    pub think: Duration,
    /// How long a connect or an answer may take.
    pub deadline: Duration,
}

/// Lets everybody talk, until each caller is through or has failed, and says what
/// was seen.
///
/// # Errors
/// When one caller has failed, or the system lacks descriptors for all.
pub fn run(plan: &Plan) -> Result<()> {
    check_descriptors(plan)?;
    let mut poll = Poll::new().context("epoll")?;
    let mut crowd = Crowd::new(plan);
    let began = Instant::now();
    crowd.dial(&poll);
    let mut events = Events::with_capacity(1024);
    let mut idle = Duration::ZERO;
    while crowd.talking > 0 {
        let waiting = Instant::now();
        match poll.poll(&mut events, Some(crowd.until_the_next_alarm())) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(error).context("poll");
            }
            _ => idle += waiting.elapsed(),
        }
        for event in &events {
            crowd.go_on(event.token().0);
        }
        crowd.wake_who_has_thought();
        crowd.give_up_who_is_late();
    }
    let report = crowd.report(began.elapsed(), idle);
    say(&report);
    report.verdict()
}

/// Takes as many descriptors as the crowd needs, and gives them back. It is
/// better to learn now that there are too few than in the middle of the calls.
fn check_descriptors(plan: &Plan) -> Result<()> {
    let clients = plan.clients;
    let mut taken = Vec::new();
    for number in 1..=clients {
        match Socket::new(Domain::for_address(plan.addr), Type::STREAM, None) {
            Ok(socket) => taken.push(socket),
            Err(error) => {
                let reason = error.to_string().to_lowercase();
                bail!(
                    "socket {number} of {clients}: {reason}; raise the limit with \
                     \"ulimit -n {}\", or pass fewer --clients",
                    clients + 50
                );
            }
        }
    }
    Ok(())
}

struct Crowd<'a> {
    plan: &'a Plan,
    text: Text,
    /// Who is through or has failed is gone, and its socket is closed.
    callers: Vec<Option<Caller>>,
    talking: usize,
    /// Who thinks about the next message, and until when.
    thinkers: BinaryHeap<Reverse<(Instant, usize)>>,
    next_look: Instant,
    scratch: Vec<u8>,
    latencies: Vec<Duration>,
    failures: Failures,
}

impl Crowd<'_> {
    fn new(plan: &Plan) -> Crowd<'_> {
        Crowd {
            plan,
            text: Text::new(plan),
            callers: Vec::with_capacity(plan.clients),
            talking: 0,
            thinkers: BinaryHeap::new(),
            next_look: Instant::now(),
            scratch: vec![0; ROOM],
            latencies: Vec::new(),
            failures: Failures::default(),
        }
    }

    /// Everybody dials at once.
    fn dial(&mut self, poll: &Poll) {
        for number in 0..self.plan.clients {
            let caller = match Caller::dial(number, self.plan, poll) {
                Ok(caller) => {
                    self.talking += 1;
                    Some(caller)
                }
                Err(error) => {
                    self.failures.add(number, self.plan.addr, Failure::Connect(error));
                    None
                }
            };
            self.callers.push(caller);
        }
    }

    /// A caller goes on as far as it can without waiting.
    fn go_on(&mut self, number: usize) {
        let Some(caller) = &mut self.callers[number] else {
            return;
        };
        let (plan, text) = (self.plan, &self.text);
        match caller.go_on(plan, text, &mut self.scratch, &mut self.latencies) {
            Ok(Phase::Through) => self.leave(number),
            Ok(Phase::Thinking) => {
                let until = caller.since + self.plan.think;
                self.thinkers.push(Reverse((until, number)));
            }
            Ok(_) => {}
            Err(failure) => {
                self.failures.add(number, self.plan.addr, failure);
                self.leave(number);
            }
        }
    }

    fn leave(&mut self, number: usize) {
        self.callers[number] = None;
        self.talking -= 1;
    }

    fn wake_who_has_thought(&mut self) {
        while let Some(Reverse((until, number))) = self.thinkers.peek().copied() {
            if until > Instant::now() {
                return;
            }
            self.thinkers.pop();
            self.go_on(number);
        }
    }

    /// Ten looks per deadline are exact enough, and cost little.
    fn give_up_who_is_late(&mut self) {
        let now = Instant::now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + (self.plan.deadline / 10).min(Duration::from_millis(100));
        for number in 0..self.callers.len() {
            let Some(caller) = &self.callers[number] else {
                continue;
            };
            if caller.phase == Phase::Thinking || now - caller.since < self.plan.deadline {
                continue;
            }
            let failure = match caller.phase {
                Phase::Connecting => Failure::Connect(ErrorKind::TimedOut.into()),
                _ => Failure::TimedOut,
            };
            self.failures.add(number, self.plan.addr, failure);
            self.leave(number);
        }
    }

    fn until_the_next_alarm(&self) -> Duration {
        let thought = self.thinkers.peek().map(|Reverse((until, _))| *until);
        let alarm = thought.map_or(self.next_look, |until| until.min(self.next_look));
        alarm.saturating_duration_since(Instant::now())
    }

    fn report(mut self, took: Duration, idle: Duration) -> Report {
        self.latencies.sort_unstable();
        Report {
            clients: self.plan.clients,
            messages: self.plan.messages,
            size: self.plan.size,
            took,
            idle,
            latencies: self.latencies,
            failures: self.failures,
        }
    }
}
