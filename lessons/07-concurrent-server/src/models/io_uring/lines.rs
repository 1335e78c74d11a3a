//! The other side: many callers in one thread, over one io_uring. The crowd of
//! the race speaks through it, because a crowd that makes two system calls for
//! each message costs more than the server next door.

#![allow(unsafe_code)]

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::Duration;

use io_uring::types::{CancelBuilder, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use super::pool::{self, Pool};

/// What a request was about, in the upper half of its number; the lower half is
/// the place of the line.
const RECEIVE: u64 = 1 << 32;
const SEND: u64 = 2 << 32;
const WHAT: u64 = !0 << 32;

const REQUESTS: u32 = 256;
const RESULTS: u32 = 4096;

/// As many as the results of one wait, which come some dozens at a time. With 32,
/// 4,096 lines ask for their receive anew again and again; 256 of 16 KiB are more
/// than the cache near the core holds.
const BUFFERS: u16 = 128;

/// Connections, with the places 0, 1, 2, … in the order in which they entered.
pub struct Lines {
    ring: IoUring,
    pool: Pool,
    entered: u32,
    /// What has been done: the number of the request, its result, its flags.
    news: Vec<(u64, i32, u32)>,
}

impl Lines {
    /// At most `places` lines; at most `room` bytes are told at once. It fails
    /// where the kernel has no io_uring, or does not allow it.
    pub fn new(places: usize, room: usize) -> io::Result<Self> {
        let ring = IoUring::builder()
            .setup_cqsize(RESULTS)
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(REQUESTS)?;
        ring.submitter().register_files_sparse(places as u32)?;
        let pool = Pool::new(&ring, BUFFERS, room)?;
        Ok(Self {
            ring,
            pool,
            entered: 0,
            news: Vec::new(),
        })
    }

    /// From now on all that comes on this line is received. It must be a
    /// blocking one: on others the kernel fails with EAGAIN and does not wait.
    pub fn enter(&mut self, line: &TcpStream) -> io::Result<()> {
        let place = self.entered;
        let table = self.ring.submitter();
        table.register_files_update(place, &[line.as_raw_fd()])?;
        self.entered += 1;
        self.receive(place);
        Ok(())
    }

    fn receive(&mut self, place: u32) {
        let receive = opcode::RecvMulti::new(Fixed(place), pool::GROUP).build();
        self.ask(receive.user_data(RECEIVE | u64::from(place)));
    }

    /// Sends all of it, in the next `wait`. Only a failure is news.
    pub fn say(&mut self, place: usize, words: &'static [u8]) {
        let send = opcode::Send::new(Fixed(place as u32), words.as_ptr(), words.len() as u32);
        let send = send.flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL).build();
        let send = send.flags(squeue::Flags::SKIP_SUCCESS);
        self.ask(send.user_data(SEND | place as u64));
    }

    fn ask(&mut self, request: squeue::Entry) {
        // SAFETY: a send reads from words that live for ever; a receive writes
        // into the pool, which is never freed.
        while unsafe { self.ring.submission().push(&request) }.is_err() {
            let _ = self.ring.submit(); // the queue is full
        }
    }

    /// Hands over what was said, and waits until there is news. How much?
    pub fn wait(&mut self, patience: Duration) -> io::Result<usize> {
        self.pool.publish();
        let timeout = Timespec::from(patience);
        let wait = SubmitArgs::new().timespec(&timeout);
        if let Err(error) = self.ring.submitter().submit_with_args(1, &wait) {
            match error.raw_os_error() {
                Some(libc::EINTR | libc::ETIME | libc::EBUSY) => {}
                _ => return Err(error),
            }
        }
        let results = self.ring.completion();
        self.news.clear();
        self.news
            .extend(results.map(|done| (done.user_data(), done.result(), done.flags())));
        for index in 0..self.news.len() {
            let (name, result, flags) = self.news[index];
            let goes_on = result > 0 || result == -libc::ENOBUFS;
            if name & WHAT == RECEIVE && goes_on && !cqueue::more(flags) {
                self.receive((name & !WHAT) as u32);
            }
        }
        Ok(self.news.len())
    }

    /// One piece of news: what came on which line. No bytes are the end of the
    /// stream; None says that nothing came yet.
    pub fn news(&mut self, index: usize) -> (usize, io::Result<Option<&[u8]>>) {
        let (name, result, flags) = self.news[index];
        let place = (name & !WHAT) as usize;
        let bytes = match (result, cqueue::buffer_select(flags)) {
            (1.., Some(buffer)) => {
                // The kernel is told in the next wait. Until then the bytes stay.
                self.pool.give_back(buffer);
                Ok(Some(&*self.pool.bytes(buffer, result as usize)))
            }
            (0, _) => Ok(Some(&[][..])),
            (_, _) if result == -libc::ENOBUFS => Ok(None),
            _ => Err(io::Error::from_raw_os_error(-result)),
        };
        (place, bytes)
    }
}

impl Drop for Lines {
    /// Lets go of all lines now. Otherwise the kernel does it some time later,
    /// and the next server would start beside them.
    fn drop(&mut self) {
        let cancel = CancelBuilder::any();
        let _ = self.ring.submitter().register_sync_cancel(None, cancel);
        // A cancelled request holds its line until its result has been handed out.
        while self.wait(Duration::ZERO).is_ok_and(|news| news > 0) {}
        let _ = self.ring.submitter().unregister_files();
    }
}
