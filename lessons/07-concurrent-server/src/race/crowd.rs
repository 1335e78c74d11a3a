//! The crowd of the race: many callers in one thread, for a fixed time.
//!
//! It has to cost less than the servers that it measures. So it waits edge
//! triggered, receives once for each answer, and asks the clock once for each.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, SockRef, Socket, Type};

use super::machine::{self, Family};
use super::result::ENOUGH;
use super::text::Text;

/// How long the crowd waits for a connection, and for the first answers.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How the callers come, and for how long.
#[derive(Clone, Copy)]
pub struct Plan {
    /// How many callers talk.
    pub clients: usize,
    /// Not measured: caches, buffers and windows find their size.
    pub warm_up: Duration,
    /// Measured.
    pub time: Duration,
    /// Messages per second, in an even beat. Without it, a caller sends its
    /// next message when the answer to the last has come.
    pub rate: Option<f64>,
    /// Every message is a call of its own: at most so many.
    pub churn: Option<u64>,
}

/// What was measured.
pub struct Seen {
    pub took: Duration,
    pub messages: u64,
    /// In nanoseconds.
    pub latencies: Histogram<u64>,
    /// Messages of each client.
    pub served: Vec<u64>,
    pub errors: u64,
    pub first_error: Option<String>,
    pub crowd_cpu: Duration,
    pub server_cpu: Duration,
    pub switches: u64,
    pub threads: usize,
    /// What programs other than the two took, of one core.
    pub others: f64,
}

/// One caller, with at most one message on its way.
struct Caller {
    line: Option<TcpStream>,
    /// The number of its message, and how much of it is sent and answered.
    message: u64,
    sent: usize,
    received: usize,
    talking: bool,
    /// When the message began: when it was due, also if it could not be sent.
    since: Instant,
    served: u64,
}

pub struct Crowd<'a> {
    addr: SocketAddr,
    text: &'a Text,
    epoll: Epoll,
    callers: Vec<Caller>,
    events: Vec<EpollEvent>,
    buffers: Buffers,
    latencies: Histogram<u64>,
    messages: u64,
    errors: u64,
    first_error: Option<String>,
    /// Whoever has an answer sends the next message at once.
    restless: bool,
    /// The others rest here, in the order in which they were answered.
    free: VecDeque<usize>,
    /// When the next message is due, and how long after it the next one.
    due: Option<(Instant, Duration)>,
    calls_left: Option<u64>,
}

/// Asked for once, so that a message does not ask for memory.
struct Buffers {
    received: Vec<u8>,
    dressed: Vec<u8>,
}

impl<'a> Crowd<'a> {
    /// Nobody has called yet.
    pub fn new(addr: SocketAddr, text: &'a Text) -> Result<Self> {
        Ok(Self {
            addr,
            text,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).context("epoll")?,
            callers: Vec::new(),
            events: vec![EpollEvent::empty(); 512],
            buffers: Buffers {
                received: vec![0; 65_536],
                dressed: Vec::new(),
            },
            // Three digits, from 1 ns to a minute.
            latencies: Histogram::new_with_bounds(1, 60_000_000_000, 3)?,
            messages: 0,
            errors: 0,
            first_error: None,
            restless: false,
            free: VecDeque::new(),
            due: None,
            calls_left: None,
        })
    }

    /// So many more callers connect, one after the other. A caller that the
    /// kernel of the server takes into its queue is connected.
    pub fn connect(&mut self, clients: usize) -> Result<()> {
        for _ in 0..clients {
            let number = self.callers.len();
            let line = TcpStream::connect_timeout(&self.addr, PATIENCE)
                .with_context(|| format!("connect {}: caller {}", self.addr, number + 1))?;
            line.set_nonblocking(true).context("set non-blocking")?;
            self.enter(&line, number)?;
            self.callers.push(Caller {
                line: Some(line),
                message: 0,
                sent: 0,
                received: 0,
                talking: false,
                since: Instant::now(),
                served: 0,
            });
        }
        Ok(())
    }

    fn enter(&self, line: &TcpStream, number: usize) -> Result<()> {
        // Edge triggered: readiness is told when it begins. The kernel does
        // not have to look again at a socket that was told already.
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        let event = EpollEvent::new(interest, number as u64);
        // Otherwise a long message waits for the acknowledgement of its head.
        line.set_nodelay(true).context("setsockopt")?;
        self.epoll.add(line, event).context("epoll_ctl")
    }

    /// Everybody gets one answer. Gives back who had none after `patience`.
    pub fn greet(&mut self, patience: Duration) -> Result<usize> {
        self.restless = false;
        (self.due, self.calls_left) = (None, None);
        for number in 0..self.callers.len() {
            self.speak(number, Instant::now());
        }
        self.finish(patience)
    }

    /// Waits until nobody waits for an answer. Gives back who still does.
    pub fn finish(&mut self, patience: Duration) -> Result<usize> {
        self.restless = false;
        self.due = None;
        let deadline = Instant::now() + patience;
        loop {
            let waiting = self.callers.iter().filter(|caller| caller.talking);
            let waiting = waiting.count();
            let left = deadline.saturating_duration_since(Instant::now());
            if waiting == 0 || left.is_zero() {
                return Ok(waiting);
            }
            self.turn(left)?;
        }
    }

    // ANCHOR: measure
    /// The first `plan.clients` callers talk, the others stay connected.
    pub fn measure(&mut self, plan: &Plan, server: &Family) -> Result<Seen> {
        let talkers = plan.clients.min(self.callers.len());
        self.calls_left = plan.churn;
        self.free.clear();
        self.restless = plan.rate.is_none();
        let beat = plan.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        self.due = beat.map(|beat| (Instant::now(), beat));
        for number in 0..talkers {
            match self.restless {
                true => self.speak(number, Instant::now()),
                false => self.free.push_back(number),
            }
        }
        self.run_until(Instant::now() + plan.warm_up)?;

        self.latencies.reset();
        self.messages = 0;
        self.callers.iter_mut().for_each(|caller| caller.served = 0);
        let before = machine::Moment::now(server)?;
        self.run_until(before.time + plan.time)?;
        // On a slow machine it takes longer until a client has had enough
        // messages to say whether others are starved.
        let latest = before.time + plan.time * 5;
        let enough = ENOUGH * talkers as u64 * 3 / 2;
        while self.restless && self.messages < enough && Instant::now() < latest {
            let soon = Instant::now() + plan.time / 10;
            self.run_until(soon.min(latest))?;
            if self.calls_left == Some(0) {
                break;
            }
        }
        let used = machine::Moment::now(server)?.since(&before);

        let served = self.callers[..talkers].iter().map(|caller| caller.served);
        Ok(Seen {
            took: used.time,
            messages: self.messages,
            latencies: self.latencies.clone(),
            served: served.collect(),
            errors: self.errors,
            first_error: self.first_error.clone(),
            crowd_cpu: used.crowd_cpu,
            server_cpu: used.server_cpu,
            switches: used.switches,
            threads: server.threads(),
            others: used.others,
        })
    }
    // ANCHOR_END: measure

    fn run_until(&mut self, end: Instant) -> Result<()> {
        loop {
            let now = Instant::now();
            if now >= end || self.calls_left == Some(0) {
                return Ok(());
            }
            self.send_what_is_due(now);
            let mut patience = end - now;
            if let (Some((due, _)), false) = (self.due, self.free.is_empty()) {
                patience = patience.min(due.saturating_duration_since(Instant::now()));
            }
            self.turn(patience)?;
        }
    }

    /// Waits once, and goes on with whoever is ready.
    fn turn(&mut self, patience: Duration) -> Result<()> {
        let mut events = mem::take(&mut self.events);
        let mut milliseconds = u16::try_from(patience.as_millis()).unwrap_or(u16::MAX);
        if self.due.is_some() && milliseconds < 10 {
            // epoll_wait counts in milliseconds, and the beat is finer.
            let mut fds = [PollFd::new(self.epoll.0.as_fd(), PollFlags::POLLIN)];
            let _ = ppoll(&mut fds, Some(patience.into()), None);
            milliseconds = 0;
        }
        let timeout = EpollTimeout::from(milliseconds);
        let ready = match self.epoll.wait(&mut events, timeout) {
            Err(Errno::EINTR) => 0,
            ready => ready.context("epoll_wait")?,
        };
        for event in &events[..ready] {
            self.go_on(event.data() as usize);
        }
        self.events = events;
        Ok(())
    }

    fn send_what_is_due(&mut self, now: Instant) {
        while let Some((due, beat)) = self.due {
            if due > now {
                return;
            }
            let Some(number) = self.free.pop_front() else {
                return; // all wait for an answer: the message will count as late
            };
            self.due = Some((due + beat, beat));
            self.speak(number, due);
        }
    }

    /// Begins a message, unless the last one is still on its way.
    fn speak(&mut self, number: usize, since: Instant) {
        if !self.callers[number].talking {
            self.begin(number, since);
            self.go_on(number);
        }
    }

    fn begin(&mut self, number: usize, since: Instant) {
        if self.calls_left.is_some() {
            self.hang_up_and_call_again(number);
        }
        let caller = &mut self.callers[number];
        caller.message += 1;
        (caller.sent, caller.received) = (0, 0);
        caller.talking = caller.line.is_some();
        caller.since = since;
    }

    fn hang_up_and_call_again(&mut self, number: usize) {
        self.callers[number].line = None;
        let call = || -> io::Result<TcpStream> {
            let line = Socket::new(Domain::for_address(self.addr), Type::STREAM, None)?;
            line.set_nonblocking(true)?;
            match line.connect(&self.addr.into()) {
                // EINPROGRESS: epoll tells when the connection stands.
                Err(error) if error.raw_os_error() != Some(nix::libc::EINPROGRESS) => Err(error),
                _ => Ok(line.into()),
            }
        };
        let line = call().map_err(anyhow::Error::from);
        let entered = line.and_then(|line| self.enter(&line, number).map(|()| line));
        match entered {
            Ok(line) => self.callers[number].line = Some(line),
            Err(error) => self.fail(number, &format!("connect: {error:#}")),
        }
    }

    // ANCHOR: go-on
    /// Sends what can be sent, and checks what has come.
    fn go_on(&mut self, number: usize) {
        while self.callers[number].talking {
            let caller = &mut self.callers[number];
            match converse(caller, number, self.text, &mut self.buffers) {
                Err(problem) => self.fail(number, &problem),
                Ok(false) => return,
                Ok(true) => {
                    let now = Instant::now();
                    self.count(number, now);
                    match self.restless {
                        true => self.begin(number, now),
                        false => self.free.push_back(number),
                    }
                }
            }
        }
    }

    fn count(&mut self, number: usize, now: Instant) {
        let caller = &mut self.callers[number];
        caller.talking = false;
        caller.served += 1;
        self.messages += 1;
        let latency = now - caller.since;
        self.latencies.saturating_record(latency.as_nanos() as u64);
        if let Some(left) = &mut self.calls_left {
            *left = left.saturating_sub(1);
        }
    }
    // ANCHOR_END: go-on

    fn fail(&mut self, number: usize, problem: &str) {
        self.errors += 1;
        let said = || format!("client {}: {problem}", number + 1);
        self.first_error.get_or_insert_with(said);
        let caller = &mut self.callers[number];
        caller.talking = false;
        caller.line = None;
    }

    /// A new caller beside all others: how long from its connect to its answer.
    pub fn newcomer(&self, patience: Duration) -> Result<Duration> {
        let began = Instant::now();
        let mut line = TcpStream::connect_timeout(&self.addr, patience).context("connect")?;
        line.set_read_timeout(Some(patience))
            .context("setsockopt")?;
        let mut asked = Vec::new();
        let message = self.text.asked(usize::MAX, 1, &mut asked);
        line.write_all(message).context("send")?;
        let mut wanted = Vec::new();
        let wanted = self.text.wanted(usize::MAX, 1, &mut wanted);
        let mut answer = vec![0; wanted.len()];
        line.read_exact(&mut answer).context("recv")?;
        ensure!(answer == wanted, "wrong bytes for the newcomer");
        Ok(began.elapsed())
    }
}

impl Drop for Crowd<'_> {
    /// All hang up with a reset. An end in good order would leave a TIME-WAIT
    /// for each (lesson 4), and the next server would start beside thousands.
    fn drop(&mut self) {
        for line in self
            .callers
            .iter()
            .filter_map(|caller| caller.line.as_ref())
        {
            let _ = SockRef::from(line).set_linger(Some(Duration::ZERO));
        }
    }
}

/// One step of a caller: true when its answer is complete and right.
fn converse(
    caller: &mut Caller,
    number: usize,
    text: &Text,
    buffers: &mut Buffers,
) -> Result<bool, String> {
    let Some(line) = &mut caller.line else {
        return Ok(false);
    };
    let (asked_len, wanted_len) = text.lengths();
    while caller.sent < asked_len {
        let message = text.asked(number, caller.message, &mut buffers.dressed);
        match line.write(&message[caller.sent..]) {
            Ok(length) => caller.sent += length,
            Err(error) if must_wait(&error) => break,
            Err(error) => return Err(format!("send: {error}")),
        }
        if caller.sent == asked_len {
            // The answer cannot be here yet: epoll tells when it is.
            return Ok(false);
        }
    }
    let buffer = &mut buffers.received;
    loop {
        // One byte more than is missing: a server that says too much is seen.
        let room = (wanted_len - caller.received + 1).min(buffer.len());
        let length = match line.read(&mut buffer[..room]) {
            Ok(0) => return Err("end of stream".into()),
            Ok(length) => length,
            Err(error) if must_wait(&error) => return Ok(false),
            Err(error) => return Err(format!("recv: {error}")),
        };
        let end = caller.received + length;
        let wanted = text.wanted(number, caller.message, &mut buffers.dressed);
        if wanted.get(caller.received..end) != Some(&buffer[..length]) {
            return Err("wrong bytes".into());
        }
        caller.received = end;
        if end == wanted_len {
            return Ok(true);
        }
        if length < room {
            return Ok(false); // it was all that had come
        }
    }
}

fn must_wait(error: &io::Error) -> bool {
    // A connection that does not stand yet says that it has no peer.
    let waits = [
        ErrorKind::WouldBlock,
        ErrorKind::NotConnected,
        ErrorKind::Interrupted,
    ];
    waits.contains(&error.kind())
}
