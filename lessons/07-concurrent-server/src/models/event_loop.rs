//! The event loop: one thread that never waits for one call, only for all.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, SocketAddr};
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::super::explain;
use super::service::{Call, PAUSE, ROOM, Service};

/// Names for what can become ready. The calls have the numbers from 2 on.
const LISTENER: Token = Token(0);
const STOP: Token = Token(1);

/// So many answers in a row, then it is the turn of the others.
const TURN: usize = 16;

// ANCHOR: serve
/// Waits until something is ready, serves what is ready, and waits again.
pub fn serve(listener: net::TcpListener, service: &Arc<Service>) -> Result<()> {
    // Non-blocking: a call of the system that would have to wait fails with
    // WouldBlock instead. The waiting is done in one place, in poll.
    listener.set_nonblocking(true).context("set non-blocking")?;
    let own = listener.local_addr().context("getsockname")?;
    let poll = Poll::new().map_err(|error| explain("epoll for", own, &error))?;
    let waker =
        Waker::new(poll.registry(), STOP).map_err(|error| explain("waker for", own, &error))?;
    let waker = Arc::new(waker);
    let mut switchboard = Switchboard::new(own, listener, poll, service)?;
    let bell = waker.clone();
    service.when_stopped(move |_| drop(bell.wake()))?;

    let mut events = Events::with_capacity(256);
    while !service.stopping() {
        switchboard.wait(&mut events)?;
        switchboard.serve_the_due();
        switchboard.accept_calls();
    }
    switchboard.close_listener();
    while !switchboard.calls.is_empty() && !service.time_left().is_zero() {
        switchboard.wait(&mut events)?;
        switchboard.serve_the_due();
    }
    // What is left at the deadline is dropped here: that hangs up.
    Ok(())
}
// ANCHOR_END: serve

/// All that is going on. In the other models it lies on the threads' stacks.
struct Switchboard {
    poll: Poll,
    service: Arc<Service>,
    own: SocketAddr,
    listener: Option<TcpListener>,
    calls: HashMap<Token, Conversation>,
    next: Token,
    /// Calls that are to be served now, each of them once.
    due: VecDeque<Token>,
    /// Somebody may be in the accept queue. Readiness is told when it begins,
    /// and not again: whoever stops before WouldBlock has to remember it.
    callers_wait: bool,
    /// After a failed accept: not before this time.
    accept_again: Option<Instant>,
}

impl Switchboard {
    fn new(
        own: SocketAddr,
        listener: net::TcpListener,
        poll: Poll,
        service: &Arc<Service>,
    ) -> Result<Self> {
        let mut listener = TcpListener::from_std(listener);
        let registry = poll.registry();
        let registered = registry.register(&mut listener, LISTENER, Interest::READABLE);
        registered.map_err(|error| explain("epoll for", own, &error))?;
        Ok(Self {
            poll,
            service: service.clone(),
            own,
            listener: Some(listener),
            calls: HashMap::new(),
            next: Token(STOP.0 + 1),
            due: VecDeque::new(),
            callers_wait: false,
            accept_again: None,
        })
    }

    // ANCHOR: wait
    /// The only place where this model waits: for all sockets at once.
    fn wait(&mut self, events: &mut Events) -> Result<()> {
        let mut timeout = self.service.time_left();
        if let Some(again) = self.accept_again {
            timeout = timeout.min(again.saturating_duration_since(Instant::now()));
        }
        if !self.due.is_empty() {
            timeout = Duration::ZERO;
        }
        let timeout = (timeout < Duration::MAX).then_some(timeout);
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(error).context("poll");
            }
            _ => {}
        }
        for event in events.iter() {
            match event.token() {
                LISTENER => self.callers_wait = true,
                STOP => {} // the loops in serve ask the service
                token => {
                    if let Some(call) = self.calls.get_mut(&token)
                        && !call.due
                    {
                        call.due = true;
                        self.due.push_back(token);
                    }
                }
            }
        }
        Ok(())
    }
    // ANCHOR_END: wait

    // ANCHOR: serve-the-due
    /// Goes on with each call that is ready, as far as it goes without waiting.
    fn serve_the_due(&mut self) {
        for _ in 0..self.due.len() {
            let Some(token) = self.due.pop_front() else {
                return;
            };
            let Some(call) = self.calls.get_mut(&token) else {
                continue;
            };
            call.due = false;
            match call.handle() {
                Next::Wait => {}
                Next::GoOn => {
                    call.due = true;
                    self.due.push_back(token);
                }
                Next::HangUp => drop(self.calls.remove(&token)),
            }
        }
    }
    // ANCHOR_END: serve-the-due

    /// Takes calls as long as there are some, and places for them.
    fn accept_calls(&mut self) {
        if self
            .accept_again
            .is_some_and(|again| Instant::now() < again)
        {
            return;
        }
        self.accept_again = None;
        let places = self.service.settings.max_clients;
        while let (true, Some(listener)) = (self.callers_wait, &self.listener) {
            if self.calls.len() >= places {
                self.service.full(places);
                return;
            }
            match listener.accept() {
                Ok((connection, peer)) => self.enter(connection, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.callers_wait = false,
                Err(error) => {
                    self.service.accept_failed(self.own, &error);
                    self.accept_again = Some(Instant::now() + PAUSE);
                    return;
                }
            }
        }
    }

    /// From now on poll tells when this call can be read from or written to.
    fn enter(&mut self, connection: TcpStream, peer: SocketAddr) {
        let mut call = Conversation {
            connection,
            call: self.service.open(peer),
            buffer: vec![0; ROOM],
            unsent: 0..0,
            due: false,
        };
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        if let Err(error) = registry.register(&mut call.connection, self.next, interest) {
            self.service.complain("register", peer, &error);
            return;
        }
        self.calls.insert(self.next, call);
        self.next.0 += 1; // a number is never used twice: no event can be mistaken
    }

    fn close_listener(&mut self) {
        self.listener = None;
        self.accept_again = None;
        self.service.closed_the_listener();
    }
}

// ANCHOR: conversation
/// One call. It remembers where it was when it had to wait. The fields are
/// dropped in this order: the connection before the call.
struct Conversation {
    connection: TcpStream,
    call: Call,
    buffer: Vec<u8>,
    /// The part of the answer, in the buffer, that the kernel has not taken yet.
    unsent: Range<usize>,
    due: bool,
}
// ANCHOR_END: conversation

/// What a call needs next.
enum Next {
    Wait,
    GoOn,
    HangUp,
}

impl Conversation {
    /// One turn of a call, and its end, whatever end that is.
    fn handle(&mut self) -> Next {
        // A panic would unwind through serve to main, and end all calls.
        let conversation = AssertUnwindSafe(|| self.converse());
        match panic::catch_unwind(conversation) {
            Ok(Ok(Next::HangUp)) => self.call.ended(Ok(())),
            Ok(Ok(next)) => return next,
            Ok(Err(error)) if error.kind() == ErrorKind::WouldBlock => return Next::Wait,
            Ok(Err(error)) => self.call.ended(Err(error)),
            Err(_) => self.call.panicked(),
        }
        Next::HangUp
    }

    // ANCHOR: converse
    /// A loop of messages. read and write do not wait: they fail with
    /// WouldBlock, and the next turn goes on here with what is unsent.
    fn converse(&mut self) -> io::Result<Next> {
        for _ in 0..TURN {
            // Backpressure: as long as the caller does not take its answer, it
            // is not read from. Then its own send queue fills, and it waits.
            self.write_all()?;
            let length = match self.connection.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            if length == 0 {
                return Ok(Next::HangUp);
            }
            self.call.answer(&mut self.buffer[..length]);
            self.unsent = 0..length;
        }
        // Whoever talks without a pause shall not keep the others waiting.
        Ok(Next::GoOn)
    }

    fn write_all(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.connection.write(&self.buffer[self.unsent.clone()]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => self.unsent.start += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
    // ANCHOR_END: converse
}
