//! The other side: many callers in one thread, over one io_uring. The crowd
//! speaks through it, because a crowd that makes two system calls for each message
//! costs more than the server next door.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::Duration;

use nix::errno::Errno;

use crate::os::ring::{Done, Ring, What};

/// As many as the results of one wait, which come some dozens at a time. With 32,
/// 4,096 lines ask for their receive anew again and again; 256 of 16 KiB are more
/// than the cache near the core holds.
const BUFFERS: u16 = 128;

/// Connections, with the places 0, 1, 2, … in the order in which they entered.
pub struct Lines {
    ring: Ring,
    entered: usize,
    news: Vec<Done>,
}

impl Lines {
    /// At most `places` lines; at most `room` bytes are told at once. It fails
    /// where the kernel has no io_uring, or does not allow it.
    pub fn new(places: u32, room: usize) -> io::Result<Self> {
        Ok(Self {
            ring: Ring::new(places, BUFFERS, room)?,
            entered: 0,
            news: Vec::new(),
        })
    }

    /// From now on all that comes on this line is received. It must be a
    /// blocking one: on others the kernel fails with EAGAIN and does not wait.
    pub fn enter(&mut self, line: &TcpStream) -> io::Result<()> {
        self.ring.enter(self.entered, line)?;
        self.ring.receive(self.entered);
        self.entered += 1;
        Ok(())
    }

    /// Sends all of it, in the next `wait`. Only a failure is news.
    pub fn say(&mut self, place: usize, words: &'static [u8]) {
        self.ring.say(place, words);
    }

    /// Hands over what was said, and waits until there is news. How much?
    pub fn wait(&mut self, patience: Duration) -> io::Result<usize> {
        for old in self.news.drain(..) {
            if let What::Received {
                result: Ok(Some(message)),
                ..
            } = old.what
            {
                self.ring.give_back(message);
            }
        }
        self.ring.hand_over_and_wait(patience)?;
        self.ring.results(&mut self.news);
        // No more comes after the end and after an error; but a want of buffers is
        // over as soon as these are given back.
        for Done { place, what } in &self.news {
            if let What::Received {
                result: Ok(Some(_)) | Err(Errno::ENOBUFS),
                more: false,
            } = what
            {
                self.ring.receive(*place);
            }
        }
        Ok(self.news.len())
    }

    /// One piece of news: what came on which line. No bytes are the end of the
    /// stream; None says that nothing came.
    pub fn news(&self, index: usize) -> (usize, io::Result<Option<&[u8]>>) {
        let Done { place, what } = &self.news[index];
        let news = match what {
            What::Received { result, .. } => match result {
                Ok(Some(message)) => Ok(Some(message.bytes())),
                Ok(None) => Ok(Some(&[][..])),
                Err(Errno::ENOBUFS) => Ok(None),
                Err(error) => Err((*error).into()),
            },
            What::NotAllSent(Err(error)) => Err((*error).into()),
            What::NotAllSent(Ok(_)) => Err(ErrorKind::WriteZero.into()),
            What::Accepted(_) | What::Sent(..) => Ok(None),
        };
        (*place, news)
    }
}

impl Drop for Lines {
    /// Lets go of all lines now. Otherwise the kernel does it some time later,
    /// and the next server would start beside them.
    fn drop(&mut self) {
        self.ring.cancel_all();
        // A cancelled request holds its line until its result has been handed out.
        while self.wait(Duration::ZERO).is_ok_and(|news| news > 0) {}
        self.ring.leave_all();
    }
}
