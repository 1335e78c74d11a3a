//! io_uring: the kernel is asked to do the reading and writing, and says when
//! it is done.
//!
//! The event loop next door asks "who is ready?", and then makes two system
//! calls for each message. Here requests are written into one queue that the
//! kernel shares with us, and what has been done is read from another. One
//! system call hands over all requests and waits for what is done: with many
//! callers that is a small part of a call for each message.
//!
//! This file and its folder hold unsafe code, and nothing else in the lesson
//! does: while a request is on its way, the kernel reads or writes memory behind
//! the compiler's back.

#![allow(unsafe_code)]

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixStream;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{mem, ptr};

use anyhow::{Context, Result};
use io_uring::types::{Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::sys::resource::{Resource, getrlimit};
use socket2::SockRef;

use super::super::explain;
use super::service::{Call, PAUSE, Service};

#[allow(dead_code, reason = "the race uses it, and the server alone does not")]
pub mod lines;
mod pool;
pub mod scheduling;
use pool::Pool;

/// What a request was about: the upper half of the number that the kernel hands
/// back with its result. The lower half is the place of the call.
const ACCEPT: u64 = 1 << 32;
const STOP: u64 = 2 << 32;
const RECEIVE: u64 = 3 << 32;
const ANSWER: u64 = 4 << 32;
const REST: u64 = 5 << 32;
const CANCEL: u64 = 6 << 32;
const WHAT: u64 = !0 << 32;

/// How many requests can wait to be handed over. A short queue stays in the
/// cache of the core; when it is full, it is handed over early.
const REQUESTS: u32 = 256;
const RESULTS: u32 = 4096;

/// Receive buffers for all calls. With 64, and 4,096 clients, the kernel often
/// finds none, and each of these receives has to be asked for again.
const BUFFERS: u16 = 256;

/// So much of an answer may wait for a caller who does not take it. Above that
/// nothing more is received from this caller.
const BACKLOG: usize = 65_536;

// ANCHOR: serve
/// Hands over what it wants done, waits, and looks at what has been done.
pub fn serve(listener: TcpListener, service: &Arc<Service>) -> Result<()> {
    let own = listener.local_addr().context("getsockname")?;
    scheduling::in_batches();
    let (bell, mut button) =
        UnixStream::pair().map_err(|error| explain("socketpair for", own, &error))?;
    let mut switchboard = Switchboard::new(own, listener, bell, service)?;
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
    // The kernel still writes into the memory of these calls. So they are shut
    // down, and forgotten when it has said that it is done.
    switchboard.cut_off();
    while switchboard.running > 0 {
        switchboard.hand_over_and_wait()?;
        switchboard.look_at_results();
    }
    Ok(())
}
// ANCHOR_END: serve

/// All that is going on.
struct Switchboard {
    ring: IoUring,
    pool: Pool,
    service: Arc<Service>,
    own: SocketAddr,
    listener: Option<TcpListener>,
    _bell: UnixStream,
    calls: Vec<Option<Conversation>>,
    free: Vec<usize>,
    running: usize,
    /// One accept is on its way: that is enough, the next follows at once.
    accepting: bool,
    /// After a failed accept: not before this time.
    accept_again: Option<Instant>,
    /// Buffers out of which the kernel sends, until the requests are handed over.
    lent: Vec<(u16, usize)>,
    /// A call goes on when its answer is handed over, and that has no result
    /// to wait for.
    hurry: bool,
    results: Vec<(u64, i32, u32)>,
}

/// One call, and which requests of it are on their way.
struct Conversation {
    connection: TcpStream,
    call: Call,
    receiving: bool,
    /// The answer that is on its way out of a buffer of the pool.
    answering: Option<(u16, usize)>,
    /// What the kernel did not take at once is sent from here, with patience.
    rest: Vec<u8>,
    /// What comes after that.
    unsent: Vec<u8>,
    /// The caller sends no more; it gets what is unsent, and that is the end.
    hung_up: bool,
    /// It is over. What is on its way still has to come back.
    over: bool,
}

impl Switchboard {
    fn new(
        own: SocketAddr,
        listener: TcpListener,
        bell: UnixStream,
        service: &Arc<Service>,
    ) -> Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(RESULTS)
            // One thread uses the ring, and results are worked out while it
            // waits for them: nothing has to interrupt it in between.
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(REQUESTS)
            .map_err(|error| explain("io_uring for", own, &error))?;
        // The connections are entered into a table of the ring (enter below). A
        // request then names its place there, and the kernel does not have to
        // look up and hold a descriptor for each.
        let (descriptors, _) = getrlimit(Resource::RLIMIT_NOFILE).context("getrlimit")?;
        let places = descriptors.min(service.settings.max_clients as u64 + 1);
        let table = ring.submitter().register_files_sparse(places as u32);
        table.map_err(|error| explain("io_uring for", own, &error))?;
        let pool = Pool::new(&ring, BUFFERS, service.settings.room);
        let pool = pool.map_err(|error| explain("io_uring for", own, &error))?;
        let mut switchboard = Self {
            ring,
            pool,
            service: service.clone(),
            own,
            listener: Some(listener),
            calls: Vec::new(),
            free: Vec::new(),
            running: 0,
            accepting: false,
            accept_again: None,
            lent: Vec::with_capacity(BUFFERS.into()),
            hurry: false,
            results: Vec::with_capacity(RESULTS as usize),
            _bell: bell,
        };
        let bell = Fd(switchboard._bell.as_raw_fd());
        let ring_me = opcode::PollAdd::new(bell, libc::POLLIN as u32).build();
        switchboard.ask(ring_me.user_data(STOP));
        Ok(switchboard)
    }

    /// Puts a request into the queue.
    fn ask(&mut self, request: squeue::Entry) {
        // SAFETY: what a request points to stays where it is until its result
        // has come: buffers of the pool are never freed, `rest` is not touched
        // while it is on its way, and a call with requests is not dropped.
        while unsafe { self.ring.submission().push(&request) }.is_err() {
            // The queue is full. An error leaves it full, and is tried again.
            let _ = self.ring.submit();
        }
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
            let fd = Fd(listener.as_raw_fd());
            let accept = opcode::Accept::new(fd, ptr::null_mut(), ptr::null_mut());
            let accept = accept.flags(libc::SOCK_CLOEXEC).build();
            self.accepting = true;
            self.ask(accept.user_data(ACCEPT));
        }
    }

    // ANCHOR: wait
    /// The only system call that messages need: hands over all requests, and
    /// waits until something is done.
    fn hand_over_and_wait(&mut self) -> Result<()> {
        let mut timeout = self.service.time_left();
        if let Some(again) = self.accept_again {
            timeout = timeout.min(again.saturating_duration_since(Instant::now()));
        }
        let done = match timeout {
            _ if mem::take(&mut self.hurry) => self.ring.submit(),
            Duration::MAX => self.ring.submit_and_wait(1),
            timeout => {
                let timeout = Timespec::from(timeout);
                let wait = SubmitArgs::new().timespec(&timeout);
                self.ring.submitter().submit_with_args(1, &wait)
            }
        };
        match done.map_err(|error| (error.raw_os_error(), error)) {
            Err((Some(libc::EINTR | libc::ETIME | libc::EBUSY), _)) | Ok(_) => Ok(()),
            Err((_, error)) => Err(error).context("io_uring_enter"),
        }
    }
    // ANCHOR_END: wait

    // ANCHOR: results
    fn look_at_results(&mut self) {
        let mut results = mem::take(&mut self.results);
        let queue = self.ring.completion();
        results.extend(queue.map(|done| (done.user_data(), done.result(), done.flags())));
        // First the answers that did not go out whole, because the buffers out
        // of which they were sent are given back next. An answer that went out
        // whole has no result: we asked for silence, one result less to read.
        for (name, result, _) in &results {
            if name & WHAT == ANSWER {
                self.keep_the_rest((name & !WHAT) as usize, *result);
            }
        }
        if self.ring.submission().is_empty() {
            let mut lent = mem::take(&mut self.lent);
            for (buffer, place) in lent.drain(..) {
                self.pool.give_back(buffer);
                if let Some(call) = &mut self.calls[place] {
                    call.answering = None;
                    if call.hung_up || call.over || !call.unsent.is_empty() {
                        self.go_on(place);
                    }
                }
            }
            self.lent = lent;
            self.pool.publish();
        }
        for (name, result, flags) in results.drain(..) {
            let place = (name & !WHAT) as usize;
            match name & WHAT {
                ACCEPT => self.accepted(result),
                RECEIVE => self.received(place, result, flags),
                REST => self.rest_is_sent(place, result),
                _ => {} // STOP: the loops in serve ask the service
            }
        }
        self.results = results;
    }
    // ANCHOR_END: results

    fn accepted(&mut self, result: i32) {
        self.accepting = false;
        if result < 0 {
            if self.listener.is_some() {
                let error = io::Error::from_raw_os_error(-result);
                self.service.accept_failed(self.own, &error);
                self.accept_again = Some(Instant::now() + PAUSE);
            }
            return;
        }
        // SAFETY: the kernel has made this descriptor for us, and for nobody else.
        let connection = unsafe { TcpStream::from_raw_fd(result) };
        let Ok(peer) = connection.peer_addr() else {
            return; // it has left already
        };
        if self.listener.is_none() {
            return;
        }
        let call = Conversation {
            connection,
            call: self.service.open(peer),
            receiving: false,
            answering: None,
            rest: Vec::new(),
            unsent: Vec::new(),
            hung_up: false,
            over: false,
        };
        let place = self.free.pop().unwrap_or(self.calls.len());
        let descriptor = [call.connection.as_raw_fd()];
        let entered = self
            .ring
            .submitter()
            .register_files_update(place as u32, &descriptor);
        if let Err(error) = entered {
            self.service.complain("register", peer, &error);
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
    fn received(&mut self, place: usize, result: i32, flags: u32) {
        let message = cqueue::buffer_select(flags).map(|buffer| (buffer, result.max(0) as usize));
        let Some(call) = self.calls[place].as_mut() else {
            return;
        };
        call.receiving = cqueue::more(flags);
        match result {
            1.. => {
                if let Some((buffer, length)) = message {
                    self.handle(place, buffer, length);
                }
            }
            0 => call.hung_up = true,
            // No buffer was free; or we asked for an end, for want of room.
            _ if [libc::ENOBUFS, libc::ECANCELED].contains(&-result) => {}
            _ if call.over => {}
            _ => {
                call.call.ended(Err(io::Error::from_raw_os_error(-result)));
                call.over = true;
            }
        }
        if !cqueue::more(flags) {
            self.go_on(place);
        }
    }

    /// One message of a call. A panic ends this call and no other.
    fn handle(&mut self, place: usize, buffer: u16, length: usize) {
        let Some(call) = self.calls[place].as_mut().filter(|call| !call.over) else {
            self.pool.give_back(buffer);
            return;
        };
        let message = self.pool.bytes(buffer, length);
        if panic::catch_unwind(AssertUnwindSafe(|| call.call.answer(message))).is_err() {
            call.call.panicked();
            call.over = true;
            let _ = call.connection.shutdown(Shutdown::Both);
            self.pool.give_back(buffer);
            return self.go_on(place);
        }
        self.converse(place, buffer, length);
    }

    // ANCHOR: converse
    /// Sends an answer out of the buffer into which the message was received.
    fn converse(&mut self, place: usize, buffer: u16, length: usize) {
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        let message = self.pool.bytes(buffer, length);
        if call.answering.is_some() || !call.rest.is_empty() {
            // Something is on its way before it. Two at once could overtake
            // each other, so it is kept.
            call.unsent.extend_from_slice(message);
            self.pool.give_back(buffer);
            return self.go_on(place);
        }
        call.answering = Some((buffer, length));
        let fd = Fixed(place as u32);
        // DONTWAIT: it is sent while it is handed over, or it fails. So the
        // buffer is free right after that. WAITALL: a part is a failure too.
        let send = opcode::Send::new(fd, message.as_ptr(), length as u32);
        let send = send.flags(libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL);
        let send = send.build().flags(squeue::Flags::SKIP_SUCCESS);
        self.lent.push((buffer, place));
        self.ask(send.user_data(ANSWER | place as u64));
    }
    // ANCHOR_END: converse

    /// An answer went out in part, or not at all.
    fn keep_the_rest(&mut self, place: usize, result: i32) {
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        let Some((buffer, length)) = call.answering else {
            return;
        };
        let sent = match result {
            0.. => result as usize,
            _ if -result == libc::EAGAIN => 0,
            _ => return self.broken(place, result),
        };
        // What came after it in the meantime stands in `unsent` already.
        let rest = &self.pool.bytes(buffer, length)[sent..];
        call.unsent.splice(..0, rest.iter().copied());
    }

    fn send_the_rest(&mut self, place: usize) {
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        let waits = call.answering.is_some() || !call.rest.is_empty();
        if waits || call.unsent.is_empty() {
            return;
        }
        call.rest = mem::take(&mut call.unsent);
        let fd = Fixed(place as u32);
        // Without DONTWAIT: the kernel tries until all is sent.
        let send = opcode::Send::new(fd, call.rest.as_ptr(), call.rest.len() as u32);
        let send = send.flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL).build();
        self.ask(send.user_data(REST | place as u64));
    }

    fn rest_is_sent(&mut self, place: usize, result: i32) {
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        let mut rest = mem::take(&mut call.rest);
        if result <= 0 {
            self.broken(place, result);
        } else {
            rest.drain(..result as usize);
            call.unsent.splice(..0, rest);
        }
        self.go_on(place);
    }

    fn broken(&mut self, place: usize, result: i32) {
        if let Some(call) = self.calls[place].as_mut().filter(|call| !call.over) {
            call.call.ended(Err(io::Error::from_raw_os_error(-result)));
            call.over = true;
            let _ = call.connection.shutdown(Shutdown::Both);
        }
    }

    // ANCHOR: go-on
    /// Asks for what this call needs next, or lets it end.
    fn go_on(&mut self, place: usize) {
        self.send_the_rest(place);
        let Some(call) = &mut self.calls[place] else {
            return;
        };
        let fd = Fixed(place as u32);
        let is_sending = call.answering.is_some() || !call.rest.is_empty();
        let has_more = call.hung_up || call.over || !call.unsent.is_empty();
        self.hurry |= call.answering.is_some() && has_more;
        if call.hung_up && !is_sending && !call.over {
            call.call.ended(Ok(()));
            call.over = true;
        }
        if call.over {
            if !call.receiving && !is_sending {
                // The last owner closes the socket: the table lets go first.
                let _ = self
                    .ring
                    .submitter()
                    .register_files_update(place as u32, &[-1]);
                self.calls[place] = None;
                self.free.push(place);
                self.running -= 1;
            }
            return;
        }
        // Backpressure: who does not take its answers is not received from.
        let full = call.rest.len() + call.unsent.len() > BACKLOG;
        if full && call.receiving {
            let stop = opcode::AsyncCancel::new(RECEIVE | place as u64).build();
            self.ask(stop.user_data(CANCEL));
        } else if !full && !call.receiving && !call.hung_up {
            call.receiving = true;
            // Asked for once, done for each message: multishot. The kernel
            // picks a buffer only when there is something to put into it, so
            // an idle caller costs none.
            let receive = opcode::RecvMulti::new(fd, pool::GROUP).build();
            self.ask(receive.user_data(RECEIVE | place as u64));
        }
    }
    // ANCHOR_END: go-on

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
