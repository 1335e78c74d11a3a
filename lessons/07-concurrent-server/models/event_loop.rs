//! The event loop: one thread that never waits for one call, only for all.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{self, SocketAddr};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

use super::service::{Call, PAUSE, Service};
use crate::{Called, complain};

/// Names for what can become ready. The calls have the numbers from 0 on, which
/// are their places in the list.
const LISTENER: Token = Token(usize::MAX - 1);
const STOP: Token = Token(usize::MAX - 2); // mio keeps usize::MAX for itself

/// Whether poll tells of new bytes also when the last read was not tried until
/// WouldBlock. epoll and kqueue do; Windows only begins to look again then.
const TELLS_AGAIN: bool = cfg!(any(target_os = "linux", target_os = "macos"));

/// So many answers in a row, then it is the turn of the others.
const TURN: usize = 16;

/// Waits until something is ready, serves what is ready, and waits again.
pub fn serve(listener: net::TcpListener, service: &Arc<Service>) -> Result<()> {
    // Non-blocking: a call of the system that would have to wait fails with
    // WouldBlock instead. The waiting is done in one place, in poll.
    listener.set_nonblocking(true).called("fcntl of", "the listener")?;
    let own = listener.local_addr().called("getsockname of", "the listener")?;
    let poll = Poll::new().called("epoll for", own)?;
    let waker = Arc::new(Waker::new(poll.registry(), STOP).called("waker for", own)?);
    let mut switchboard = Switchboard::new(own, listener, poll, service)?;
    let bell = waker.clone();
    service.when_stopped(move |_| drop(bell.wake()))?;

    let mut events = Events::with_capacity(256);
    while !service.stopping() {
        switchboard.wait(&mut events)?;
        switchboard.serve_the_ready(&events);
        switchboard.accept_calls();
    }
    switchboard.close_listener();
    while switchboard.running > 0 && !service.time_left().is_zero() {
        switchboard.wait(&mut events)?;
        switchboard.serve_the_ready(&events);
    }
    // What is left at the deadline is dropped here: that hangs up.
    Ok(())
}

/// All that is going on. In the other models it lies on the threads' stacks.
struct Switchboard {
    poll: Poll,
    service: Arc<Service>,
    own: SocketAddr,
    listener: Option<TcpListener>,
    /// A call is found by its place, without a search. Places become free.
    calls: Vec<Option<Conversation>>,
    free: Vec<usize>,
    running: usize,
    /// One buffer for all: only one call is read from at a time. A buffer for
    /// each would be most of the memory that an idle caller costs.
    buffer: Vec<u8>,
    /// Calls that have more to do and gave their turn away.
    due: VecDeque<usize>,
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
        registered.called("epoll for", own)?;
        Ok(Self {
            poll,
            service: service.clone(),
            own,
            listener: Some(listener),
            calls: Vec::new(),
            free: Vec::new(),
            running: 0,
            buffer: vec![0; service.settings.room],
            due: VecDeque::new(),
            callers_wait: false,
            accept_again: None,
        })
    }

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
        Ok(())
    }

    /// Goes on with each call that is ready, as far as it goes without waiting.
    fn serve_the_ready(&mut self, events: &Events) {
        for _ in 0..self.due.len() {
            if let Some(place) = self.due.pop_front() {
                self.serve(place, true, false);
            }
        }
        for event in events {
            match event.token() {
                LISTENER => self.callers_wait = true,
                STOP => {} // the loops in serve ask the service
                Token(place) => self.serve(place, false, event.is_read_closed()),
            }
        }
    }

    fn serve(&mut self, place: usize, was_due: bool, hung_up: bool) {
        let Some(call) = self.calls.get_mut(place).and_then(Option::as_mut) else {
            return;
        };
        call.hung_up |= hung_up;
        if call.due && !was_due {
            return; // its turn is still to come
        }
        call.due = false;
        match call.handle(&mut self.buffer) {
            Next::Wait => {}
            Next::GoOn => {
                call.due = true;
                self.due.push_back(place);
            }
            Next::HangUp => {
                self.calls[place] = None;
                self.free.push(place);
                self.running -= 1;
            }
        }
    }

    /// Takes calls as long as there are some, and places for them.
    fn accept_calls(&mut self) {
        if self.accept_again.is_some_and(|again| Instant::now() < again) {
            return;
        }
        self.accept_again = None;
        let places = self.service.settings.max_clients;
        while let (true, Some(listener)) = (self.callers_wait, &self.listener) {
            if self.running >= places {
                self.service.full(places);
                return;
            }
            let accepted = match listener.accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.callers_wait = false;
                    return;
                }
                accepted => accepted.called("accept on", self.own),
            };
            match accepted {
                Ok((connection, peer)) => self.enter(connection, peer),
                Err(error) => {
                    self.service.accept_failed(error);
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
            unsent: Vec::new(),
            hung_up: false,
            due: false,
        };
        let place = self.free.pop().unwrap_or(self.calls.len());
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        let registered = registry.register(&mut call.connection, Token(place), interest);
        if let Err(error) = registered.called("register", peer) {
            complain(error);
            return;
        }
        match self.calls.get_mut(place) {
            Some(free) => *free = Some(call),
            None => {
                self.calls.push(Some(call));
                // All calls can be due at once; no message makes the list grow.
                self.due.reserve(self.calls.len());
            }
        }
        self.running += 1;
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
    /// The part of an answer that the kernel has not taken yet. Mostly it takes
    /// all at once, and nothing is kept here.
    unsent: Vec<u8>,
    /// The caller will send no more; what it sent before may still be unread.
    hung_up: bool,
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
    fn handle(&mut self, buffer: &mut [u8]) -> Next {
        // A panic would unwind through serve to main, and end all calls.
        let conversation = AssertUnwindSafe(|| self.converse(buffer));
        match panic::catch_unwind(conversation) {
            Ok(Ok(Next::HangUp)) => self.call.ended(Ok(())),
            Ok(Ok(next)) => return next,
            Ok(Err(error)) if error.kind() == ErrorKind::WouldBlock => return Next::Wait,
            Ok(Err(error)) => self.call.ended(Err(error)),
            Err(_) => self.call.panicked(),
        }
        Next::HangUp
    }

    /// A loop of messages. read and write do not wait: they fail with
    /// WouldBlock, and the next turn goes on here with what is unsent.
    fn converse(&mut self, buffer: &mut [u8]) -> io::Result<Next> {
        for _ in 0..TURN {
            // Backpressure: as long as the caller does not take its answer, it
            // is not read from. Then its own send queue fills, and it waits.
            self.write_unsent()?;
            let length = match self.connection.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            if length == 0 {
                return Ok(Next::HangUp);
            }
            let message = &mut buffer[..length];
            self.call.answer(message);
            let written = match self.connection.write(message) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                written => written?,
            };
            self.unsent.extend_from_slice(&message[written..]);
            // The message did not fill the buffer, so it was all that had come.
            // Reading once more to be told WouldBlock would be a third system
            // call for each message. But the end of the stream is news that
            // comes once: then it has to be read up to the end.
            if length < buffer.len() && self.unsent.is_empty() && TELLS_AGAIN && !self.hung_up {
                return Ok(Next::Wait);
            }
        }
        // Whoever talks without a pause shall not keep the others waiting.
        Ok(Next::GoOn)
    }

    /// The rest of an answer, as far as the kernel takes it now.
    fn write_unsent(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.connection.write(&self.unsent) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(length) => drop(self.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.unsent = Vec::new(); // gives the memory back
        Ok(())
    }
}
