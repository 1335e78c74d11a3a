//! io_uring: the kernel is asked to do the reading and writing, and says when
//! it is done.
//!
//! The event loop of lesson 7 asks "who is ready?", and then makes two system
//! calls for each message. Here requests are written into one queue that the
//! kernel shares with us, and what has been done is read from another. One
//! system call hands over all requests and waits for what is done: with many
//! callers that is a small part of a call for each message.
//!
//! The queues are in `os/ring.rs`, with all that the compiler cannot check.

use std::fmt::Display;
use std::io::{self, Write};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use lesson_7::models::service::{PAUSE, Service};
use lesson_7::{Called, complain};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use socket2::SockRef;

use crate::os::pool::Received;
use crate::os::ring::{Done, Ring, What};

mod conversation;
use conversation::Conversation;

/// Receive buffers for all calls. With 64, and 4,096 clients, the kernel often
/// finds none, and each of these receives has to be asked for again.
const BUFFERS: u16 = 256;

/// So much of an answer may wait for a caller who does not take it. Above that
/// nothing more is received from this caller.
const BACKLOG: usize = 65_536;

/// Hands over what it wants done, waits, and looks at what has been done.
pub fn serve(listener: TcpListener, service: &Arc<Service>) -> Result<()> {
    let own = listener.local_addr().context("getsockname")?;
    let (bell, mut button) = UnixStream::pair().map_err(|error| explain(own, &error))?;
    let mut switchboard = Switchboard::new(own, listener, &bell, service)?;
    service.when_stopped(move |_| drop(button.write_all(b"!")))?;

    while !service.stopping() {
        switchboard.ask_for_a_call();
        switchboard.hand_over_and_wait()?;
        switchboard.look_at_results();
    }
    switchboard.close_listener();
    while switchboard.running > 0 && !service.time_left().is_zero() {
        switchboard.hand_over_and_wait()?;
        switchboard.look_at_results();
    }
    // Each call ends when the kernel has said that it is done with it.
    switchboard.cut_off();
    while switchboard.running > 0 {
        switchboard.hand_over_and_wait()?;
        switchboard.look_at_results();
    }
    Ok(())
}

/// All that is going on.
struct Switchboard {
    ring: Ring,
    service: Arc<Service>,
    own: SocketAddr,
    listener: Option<TcpListener>,
    calls: Vec<Option<Conversation>>,
    free: Vec<usize>,
    running: usize,
    /// One accept is on its way: that is enough, the next follows at once.
    accepting: bool,
    /// After a failed accept: not before this time.
    accept_again: Option<Instant>,
    /// A call goes on when its answer is handed over, and that has no result
    /// to wait for.
    hurry: bool,
    /// Asked for once, so that a message does not ask for memory.
    results: Vec<Done>,
    answers: Vec<(usize, Received)>,
}

impl Switchboard {
    fn new(
        own: SocketAddr,
        listener: TcpListener,
        bell: &UnixStream,
        service: &Arc<Service>,
    ) -> Result<Self> {
        let (descriptors, _) = getrlimit(Resource::RLIMIT_NOFILE).context("getrlimit")?;
        let places = descriptors.min(service.settings.max_clients as u64 + 1);
        let ring = Ring::new(places as u32, BUFFERS, service.settings.room);
        let mut ring = ring.map_err(|error| explain(own, &error))?;
        ring.wake_me(bell);
        Ok(Self {
            ring,
            service: service.clone(),
            own,
            listener: Some(listener),
            calls: Vec::new(),
            free: Vec::new(),
            running: 0,
            accepting: false,
            accept_again: None,
            hurry: false,
            results: Vec::with_capacity(4096),
            answers: Vec::with_capacity(BUFFERS.into()),
        })
    }

    fn ask_for_a_call(&mut self) {
        let places = self.service.settings.max_clients;
        if self.running >= places {
            self.service.full(places);
            return;
        }
        let now = Instant::now;
        if self.accepting || self.accept_again.is_some_and(|again| now() < again) {
            return;
        }
        self.accept_again = None;
        if let Some(listener) = &self.listener {
            self.accepting = true;
            self.ring.accept(listener);
        }
    }

    fn hand_over_and_wait(&mut self) -> Result<()> {
        let mut patience = self.service.time_left();
        if let Some(again) = self.accept_again {
            patience = patience.min(again.saturating_duration_since(Instant::now()));
        }
        let done = match mem::take(&mut self.hurry) {
            true => self.ring.hand_over(),
            false => self.ring.hand_over_and_wait(patience),
        };
        done.context("io_uring_enter")
    }

    fn look_at_results(&mut self) {
        let mut results = mem::take(&mut self.results);
        self.ring.results(&mut results);
        // First the answers that did not go out whole, because the buffers out
        // of which they were sent are given back next.
        for Done { place, what } in &results {
            if let What::NotAllSent(sent) = what
                && let Some(call) = &mut self.calls[*place]
            {
                call.not_all = Some(*sent);
            }
        }
        self.take_back_answers();
        for Done { place, what } in results.drain(..) {
            match what {
                What::Accepted(result) => self.accepted(result),
                What::Received { result, more } => self.received(place, result, more),
                What::Sent(bytes, result) => self.rest_is_sent(place, bytes, result),
                What::NotAllSent(_) => {}
            }
        }
        self.results = results;
    }

    fn accepted(&mut self, result: Result<TcpStream, Errno>) {
        self.accepting = false;
        let accepted = result
            .map_err(io::Error::from)
            .called("accept on", self.own);
        let connection = match accepted {
            _ if self.listener.is_none() => return,
            Ok(connection) => connection,
            Err(error) => {
                self.service.accept_failed(error);
                self.accept_again = Some(Instant::now() + PAUSE);
                return;
            }
        };
        let Ok(peer) = connection.peer_addr() else {
            return; // it has left already
        };
        let call = Conversation::new(connection, self.service.open(peer));
        let place = self.free.pop().unwrap_or(self.calls.len());
        let entered = self.ring.enter(place, &call.connection);
        if let Err(error) = entered.called("register", peer) {
            complain(error);
            return;
        }
        match self.calls.get_mut(place) {
            Some(free) => *free = Some(call),
            None => self.calls.push(Some(call)),
        }
        self.running += 1;
        self.go_on(place);
    }

    /// The result of a receive: a message, the end, or the reason why not.
    fn received(&mut self, place: usize, result: Result<Option<Received>, Errno>, more: bool) {
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        call.receiving = more;
        match result {
            Ok(Some(message)) => self.handle(place, message),
            Ok(None) => call.hung_up = true,
            // No buffer was free; or we asked for an end, for want of room.
            Err(Errno::ENOBUFS | Errno::ECANCELED) => {}
            Err(_) if call.over => {}
            Err(error) => {
                call.call.ended(Err(error.into()));
                call.over = true;
            }
        }
        if !more {
            self.go_on(place);
        }
    }

    /// One message of a call. A panic ends this call and no other.
    fn handle(&mut self, place: usize, mut message: Received) {
        let Some(call) = self.calls[place].as_mut().filter(|call| !call.over) else {
            return self.ring.give_back(message);
        };
        let answer = AssertUnwindSafe(|| call.call.answer(message.bytes_mut()));
        if panic::catch_unwind(answer).is_err() {
            call.call.panicked();
            call.over = true;
            let _ = call.connection.shutdown(Shutdown::Both);
            self.ring.give_back(message);
            return self.go_on(place);
        }
        self.converse(place, message);
    }

    /// Sends an answer out of the buffer into which the message was received.
    fn converse(&mut self, place: usize, message: Received) {
        let Some(call) = &mut self.calls[place] else {
            return self.ring.give_back(message);
        };
        if call.is_sending() {
            // Something is on its way before it. Two at once could overtake
            // each other, so it is kept.
            call.unsent.extend_from_slice(message.bytes());
            self.ring.give_back(message);
            return self.go_on(place);
        }
        call.answering = true;
        self.ring.answer(place, message);
    }

    /// Answers that are handed over are out, or the kernel has said why not.
    fn take_back_answers(&mut self) {
        let mut answers = mem::take(&mut self.answers);
        self.ring.handed_over(&mut answers);
        for (place, message) in answers.drain(..) {
            if let Some(call) = &mut self.calls[place] {
                call.answering = false;
                match call.not_all.take() {
                    // What came after it in the meantime is in `unsent` already.
                    Some(Ok(sent)) => call.put_first(&message.bytes()[sent..]),
                    Some(Err(Errno::EAGAIN)) => call.put_first(message.bytes()),
                    Some(Err(error)) => call.broken(error),
                    None => {}
                }
                if call.hung_up || call.over || !call.unsent.is_empty() {
                    self.go_on(place);
                }
            }
            self.ring.give_back(message);
        }
        self.answers = answers;
    }

    fn rest_is_sent(&mut self, place: usize, bytes: Vec<u8>, result: Result<usize, Errno>) {
        if let Some(call) = &mut self.calls[place] {
            call.sending = 0;
            match result {
                Ok(sent @ 1..) => call.put_first(&bytes[sent..]),
                Ok(0) => call.broken(Errno::EPIPE),
                Err(error) => call.broken(error),
            }
            self.go_on(place);
        }
    }

    /// Asks for what this call needs next, or lets it end.
    fn go_on(&mut self, place: usize) {
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        if !call.is_sending() && !call.unsent.is_empty() {
            call.sending = call.unsent.len();
            self.ring.send(place, mem::take(&mut call.unsent));
        }
        let has_more = call.hung_up || call.over || !call.unsent.is_empty();
        self.hurry |= call.answering && has_more;
        if call.hung_up && !call.is_sending() && !call.over {
            call.call.ended(Ok(()));
            call.over = true;
        }
        if call.over {
            if !call.receiving && !call.is_sending() {
                // The last owner closes the socket: the table lets go first.
                self.ring.leave(place);
                self.calls[place] = None;
                self.free.push(place);
                self.running -= 1;
            }
            return;
        }
        // Backpressure: who does not take its answers is not received from.
        let full = call.sending + call.unsent.len() > BACKLOG;
        if full && call.receiving {
            self.ring.stop_receiving(place);
        } else if !full && !call.receiving && !call.hung_up {
            call.receiving = true;
            self.ring.receive(place);
        }
    }

    fn close_listener(&mut self) {
        if let Some(listener) = self.listener.take() {
            // The accept on its way holds the listener. This ends both.
            let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
        }
        self.accept_again = None;
        self.service.closed_the_listener();
    }

    fn cut_off(&mut self) {
        for place in 0..self.calls.len() {
            if let Some(call) = &mut self.calls[place] {
                call.over = true;
                let _ = call.connection.shutdown(Shutdown::Both);
                self.go_on(place);
            }
        }
    }
}

/// One line: the operation, its subject, the reason, the way out.
fn explain(own: impl Display, error: &io::Error) -> anyhow::Error {
    let reason = error.to_string().to_lowercase();
    anyhow!(
        "io_uring for {own}: {reason}; if it is not about open files (\"ulimit -n\"), the kernel \
         is older than Linux 6.1, or does not allow it: see \"sysctl kernel.io_uring_disabled\", \
         or pass --model event-loop"
    )
}
