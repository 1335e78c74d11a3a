//! The crowd of the race: many callers in one thread, for a fixed time.
//!
//! It has to cost less than the servers that it measures. Nearly all of its time
//! is spent in the kernel, so it hands over many messages in one system call,
//! with io_uring. Where that is not allowed it waits with epoll: edge triggered,
//! with one receive and one send for each message.

mod caller;
mod lines;
mod plan;

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, SockRef, Socket, Type};

use super::machine::{self, Family};
use super::text::Text;
use caller::{Buffers, Caller};
use lines::Lines;
pub use plan::{Plan, Seen, Way};

/// So many messages of a client are enough to say that another gets too few.
pub const ENOUGH: u64 = 10;

/// How long the crowd waits for a connection, and for the first answers.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// No crowd is larger.
pub const MOST: u32 = 20_000;

/// So much is received at once.
const RECEIVED: usize = 65_536;

pub struct Crowd<'a> {
    addr: SocketAddr,
    text: &'a Text,
    /// With io_uring. Without it, epoll is asked.
    lines: Option<Lines>,
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

impl<'a> Crowd<'a> {
    /// Nobody has called yet. Where there is no io_uring, it is epoll.
    pub fn new(addr: SocketAddr, text: &'a Text, way: Way) -> Result<Self> {
        let lines = match way {
            Way::IoUring if text.is_bare() => {
                let most = machine::raise_file_limit(0)?;
                // One byte more than a message: a server that says too much is seen.
                let room = (text.lengths().1 + 1).min(RECEIVED);
                Lines::new(most.min(MOST.into()) as u32, room).ok()
            }
            _ => None,
        };
        Ok(Self {
            addr,
            text,
            lines,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).context("epoll")?,
            callers: Vec::new(),
            events: vec![EpollEvent::empty(); 512],
            buffers: Buffers {
                received: vec![0; RECEIVED],
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
            self.enter(&line, number)?;
            self.callers.push(Caller::new(line));
        }
        Ok(())
    }

    fn enter(&mut self, line: &TcpStream, number: usize) -> Result<()> {
        // Otherwise a long message waits for the acknowledgement of its head.
        line.set_nodelay(true).context("setsockopt")?;
        if let Some(lines) = &mut self.lines {
            return lines.enter(line).context("io_uring_register");
        }
        line.set_nonblocking(true).context("set non-blocking")?;
        // Edge triggered: readiness is told when it begins. The kernel does
        // not have to look again at a socket that was told already.
        let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        let event = EpollEvent::new(interest, number as u64);
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

    /// So many callers talk, the first ones; the others stay connected.
    pub fn measure(&mut self, clients: usize, plan: &Plan, server: &Family) -> Result<Seen> {
        let talkers = clients.min(self.callers.len());
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
            used,
            messages: self.messages,
            latencies: self.latencies.clone(),
            served: served.collect(),
            errors: self.errors,
            first_error: self.first_error.clone(),
            threads: server.threads(),
        })
    }

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
        if let Some(mut lines) = self.lines.take() {
            let heard = self.hear(&mut lines, patience);
            self.lines = Some(lines);
            return heard;
        }
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

    /// With io_uring: one system call sends what was said in the last turn, and
    /// brings what came meanwhile.
    fn hear(&mut self, lines: &mut Lines, patience: Duration) -> Result<()> {
        for index in 0..lines.wait(patience).context("io_uring_enter")? {
            let (number, news) = lines.news(index);
            let caller = &mut self.callers[number];
            if caller.line.is_none() {
                continue; // it has failed before
            }
            let wanted = self.text.bare(number, caller.message);
            let complete = match news {
                Ok(None) => Ok(false),
                Ok(Some(bytes)) => caller.check(bytes, wanted),
                Err(error) => Err(error.to_string()),
            };
            match complete {
                Err(problem) => self.fail(number, &problem),
                Ok(false) => {}
                Ok(true) if self.answered(number) => {
                    lines.say(number, self.words_of(number));
                }
                Ok(true) => {}
            }
        }
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
            let words = self.words_of(number);
            match &mut self.lines {
                Some(lines) if self.callers[number].talking => lines.say(number, words),
                _ => self.go_on(number),
            }
        }
    }

    /// What this caller says now, bare.
    fn words_of(&self, number: usize) -> &'static [u8] {
        self.text.bare(number, self.callers[number].message)
    }

    fn begin(&mut self, number: usize, since: Instant) {
        if self.calls_left.is_some() {
            self.hang_up_and_call_again(number);
        }
        self.callers[number].begin(since);
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

    /// With epoll: sends what can be sent, and checks what has come.
    fn go_on(&mut self, number: usize) {
        while self.callers[number].talking {
            let caller = &mut self.callers[number];
            match caller.converse(number, self.text, &mut self.buffers) {
                Err(problem) => self.fail(number, &problem),
                Ok(false) => return,
                Ok(true) => {
                    self.answered(number);
                }
            }
        }
    }

    /// An answer is complete and right. True if the next message begins at once.
    fn answered(&mut self, number: usize) -> bool {
        let now = Instant::now();
        self.count(number, now);
        match self.restless {
            true => self.begin(number, now),
            false => self.free.push_back(number),
        }
        self.callers[number].talking
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

    fn fail(&mut self, number: usize, problem: &str) {
        self.errors += 1;
        let said = || format!("client {}: {problem}", number + 1);
        self.first_error.get_or_insert_with(said);
        let caller = &mut self.callers[number];
        caller.talking = false;
        if let Some(line) = caller.line.take() {
            // The ring holds the line too: closing alone would not end it.
            let _ = line.shutdown(Shutdown::Both);
        }
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
