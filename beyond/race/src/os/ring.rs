//! An io_uring whose requests own their memory, so that all of it can be used
//! without care: requests go in, and what has been done comes out.
//!
//! Connections are named by their place in a table of the ring. Then the kernel
//! does not have to look up and hold a descriptor for each request.

#![allow(unsafe_code)]

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::TcpStream;
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::ptr;
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use nix::errno::Errno;

use super::pool::{GROUP, Pool, Received};

/// What a request was about: the upper half of the number that the kernel hands
/// back with its result. The lower half is the place of the connection.
const ACCEPT: u64 = 1 << 32;
const BELL: u64 = 2 << 32;
const RECEIVE: u64 = 3 << 32;
const ALL_OR_TELL: u64 = 4 << 32;
const SEND: u64 = 5 << 32;
const CANCEL: u64 = 6 << 32;
const WHAT: u64 = !0 << 32;

/// How many requests can wait to be handed over. A short queue stays in the
/// cache of the core; when it is full, it is handed over early.
const REQUESTS: u32 = 256;
const RESULTS: u32 = 4096;

/// The queues that we share with the kernel, and all memory of the requests.
pub struct Ring {
    kernel: IoUring,
    pool: Pool,
    /// Out of these the kernel sends while their requests are handed over.
    lent: Vec<(usize, Received)>,
    /// Out of these it sends until it has said that it is done. By place.
    sending: HashMap<usize, Vec<u8>>,
}

/// Something that has been done for the connection at this place.
pub struct Done {
    pub place: usize,
    pub what: What,
}

pub enum What {
    Accepted(Result<TcpStream, Errno>),
    /// A message, or the end of the stream. Without `more`, nothing is received
    /// here until it is asked for again.
    Received {
        result: Result<Option<Received>, Errno>,
        more: bool,
    },
    /// Of an answer not all was sent, but so much. Whole ones have no result:
    /// that is one result less to read.
    NotAllSent(Result<usize, Errno>),
    /// These bytes were to be sent, and so many of them were.
    Sent(Vec<u8>, Result<usize, Errno>),
}

impl Ring {
    /// At most so many `places`; with a pool of so many `buffers`, each with so
    /// much `room`. It fails where the kernel has no io_uring, or forbids it.
    pub fn new(places: u32, buffers: u16, room: usize) -> io::Result<Self> {
        let kernel = IoUring::builder()
            .setup_cqsize(RESULTS)
            // One thread uses the ring, and results are worked out while it
            // waits for them: nothing has to interrupt it in between.
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(REQUESTS)?;
        kernel.submitter().register_files_sparse(places)?;
        let pool = Pool::new(&kernel, buffers, room)?;
        Ok(Self {
            kernel,
            pool,
            lent: Vec::with_capacity(buffers.into()),
            sending: HashMap::new(),
        })
    }

    /// From now on this connection has this place. The descriptor may be closed
    /// meanwhile: the table keeps the connection open.
    pub fn enter(&self, place: usize, connection: impl AsFd) -> io::Result<()> {
        let descriptor = [connection.as_fd().as_raw_fd()];
        let table = self.kernel.submitter();
        table
            .register_files_update(place as u32, &descriptor)
            .map(drop)
    }

    /// The table lets go of this connection.
    pub fn leave(&self, place: usize) {
        let table = self.kernel.submitter();
        let _ = table.register_files_update(place as u32, &[-1]);
    }

    /// Asks for one call, of a listener that must stay open until it comes.
    pub fn accept(&mut self, listener: impl AsFd) {
        let fd = Fd(listener.as_fd().as_raw_fd());
        let accept = opcode::Accept::new(fd, ptr::null_mut(), ptr::null_mut());
        let accept = accept.flags(libc::SOCK_CLOEXEC).build();
        self.ask(accept.user_data(ACCEPT));
    }

    /// Asks to be woken when this can be read from. There is no other result.
    pub fn wake_me(&mut self, bell: impl AsFd) {
        let bell = Fd(bell.as_fd().as_raw_fd());
        let poll = opcode::PollAdd::new(bell, libc::POLLIN as u32).build();
        self.ask(poll.user_data(BELL));
    }

    /// Asks for all that comes. Asked for once, done for each message: multishot.
    /// The kernel picks a buffer only when there is something to put into it, so
    /// an idle caller costs none.
    pub fn receive(&mut self, place: usize) {
        let receive = opcode::RecvMulti::new(Fixed(place as u32), GROUP).build();
        self.ask(receive.user_data(RECEIVE | place as u64));
    }

    /// Asks for the end of that.
    pub fn stop_receiving(&mut self, place: usize) {
        let stop = opcode::AsyncCancel::new(RECEIVE | place as u64).build();
        self.ask(stop.user_data(CANCEL));
    }

    /// Asks to send an answer out of the buffer into which the message was
    /// received. See `handed_over`.
    pub fn answer(&mut self, place: usize, message: Received) {
        // DONTWAIT: it is sent while it is handed over, or it fails. So the
        // buffer is free right after that.
        let send = sending(place, message.bytes(), libc::MSG_DONTWAIT);
        let send = send.flags(squeue::Flags::SKIP_SUCCESS);
        self.lent.push((place, message));
        self.ask(send.user_data(ALL_OR_TELL | place as u64));
    }

    /// Asks to send these bytes, with patience. Only one at a time for a place.
    pub fn send(&mut self, place: usize, bytes: Vec<u8>) {
        let busy = self.sending.contains_key(&place);
        assert!(
            !busy,
            "place {place} is sending: two at once could overtake"
        );
        // Without DONTWAIT: the kernel tries until all is sent.
        let send = sending(place, &bytes, 0);
        self.sending.insert(place, bytes);
        self.ask(send.user_data(SEND | place as u64));
    }

    /// Asks to send words that are never freed, with patience. Only a failure has
    /// a result.
    pub fn say(&mut self, place: usize, words: &'static [u8]) {
        let send = sending(place, words, 0).flags(squeue::Flags::SKIP_SUCCESS);
        self.ask(send.user_data(ALL_OR_TELL | place as u64));
    }

    /// Puts a request into the queue.
    fn ask(&mut self, request: squeue::Entry) {
        // SAFETY: what a request points to stays where it is until its result has
        // come, because the ring owns it: the pool is never freed, what is lent
        // and what is being sent is handed out afterwards or never (see drop),
        // and the rest is never freed.
        while unsafe { self.kernel.submission().push(&request) }.is_err() {
            // The queue is full. An error leaves it full, and is tried again.
            let _ = self.kernel.submit();
        }
    }

    /// The kernel may receive into this buffer again.
    pub fn give_back(&mut self, message: Received) {
        self.pool.give_back(message);
    }

    /// Hands over all requests, and does not wait.
    pub fn hand_over(&mut self) -> io::Result<()> {
        self.pool.publish();
        forgive(self.kernel.submit())
    }

    // ANCHOR: wait
    /// The only system call that messages need: hands over all requests, and
    /// waits until something is done, at most this long.
    pub fn hand_over_and_wait(&mut self, patience: Duration) -> io::Result<()> {
        self.pool.publish();
        forgive(match patience {
            Duration::MAX => self.kernel.submit_and_wait(1),
            patience => {
                let timeout = Timespec::from(patience);
                let wait = SubmitArgs::new().timespec(&timeout);
                self.kernel.submitter().submit_with_args(1, &wait)
            }
        })
    }
    // ANCHOR_END: wait

    /// The messages of `answer` that have been handed over: the kernel does not
    /// need them any more.
    pub fn handed_over(&mut self, messages: &mut Vec<(usize, Received)>) {
        if self.kernel.submission().is_empty() {
            messages.append(&mut self.lent);
        }
    }

    /// What has been done since the last time.
    pub fn results(&mut self, all: &mut Vec<Done>) {
        for done in self.kernel.completion() {
            let (name, result, flags) = (done.user_data(), done.result(), done.flags());
            let place = (name & !WHAT) as usize;
            let mut tell = |what| all.push(Done { place, what });
            let count = match result {
                0.. => Ok(result as usize),
                _ => Err(Errno::from_raw(-result)),
            };
            match name & WHAT {
                // SAFETY: the kernel has made this descriptor for us, and tells
                // it once.
                ACCEPT => tell(What::Accepted(
                    count.map(|_| unsafe { TcpStream::from_raw_fd(result) }),
                )),
                RECEIVE => {
                    let buffer = cqueue::buffer_select(flags);
                    let taken = |length| self.pool.take(buffer?, length);
                    tell(What::Received {
                        result: count.map(taken),
                        more: cqueue::more(flags),
                    });
                }
                ALL_OR_TELL => tell(What::NotAllSent(count)),
                SEND => {
                    let bytes = self.sending.remove(&place).unwrap_or_default();
                    tell(What::Sent(bytes, count));
                }
                _ => {} // BELL and CANCEL
            }
        }
    }

    /// Ends all requests: their results come at once.
    pub fn cancel_all(&self) {
        let all = CancelBuilder::any();
        let _ = self.kernel.submitter().register_sync_cancel(None, all);
    }

    /// The table lets go of all connections.
    pub fn leave_all(&self) {
        let _ = self.kernel.submitter().unregister_files();
    }
}

impl Drop for Ring {
    /// After an error there may be requests whose results never come, and the
    /// kernel ends them some time later. What they send from is never freed.
    fn drop(&mut self) {
        self.sending
            .drain()
            .for_each(|(_, bytes)| mem::forget(bytes));
    }
}

/// A request to send all of these bytes: a part is a failure (WAITALL).
fn sending(place: usize, bytes: &[u8], how: libc::c_int) -> squeue::Entry {
    let send = opcode::Send::new(Fixed(place as u32), bytes.as_ptr(), bytes.len() as u32);
    let flags = how | libc::MSG_WAITALL | libc::MSG_NOSIGNAL;
    send.flags(flags).build()
}

/// Not an error: a signal, the end of the time, or results that have to be read
/// before more can be asked for.
fn forgive(handed_over: io::Result<usize>) -> io::Result<()> {
    match handed_over {
        Err(error) => match error.raw_os_error() {
            Some(libc::EINTR | libc::ETIME | libc::EBUSY) => Ok(()),
            _ => Err(error),
        },
        Ok(_) => Ok(()),
    }
}
