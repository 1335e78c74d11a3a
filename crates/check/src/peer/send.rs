//! Sending: at once, in pieces, or while receiving.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{ASK_AGAIN, BLIND, Peer, ROOM, TAKE, has_gone, lower};
use crate::bytes::counted;
use crate::fault::{Fault, Verdict};
use crate::ground::Taken;
use crate::story::PATIENCE;

/// When nothing was taken for this time, and the programs rest, all buffers are full.
const FULL: Duration = Duration::from_millis(20);

impl Peer {
    /// Sends all of it at once.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send(&mut self, bytes: &[u8]) -> Verdict {
        self.step(format!("sent {}", counted(bytes)));
        self.send_quietly(bytes)
    }

    /// Sends it in pieces of `size` bytes, each when the program has taken the
    /// one before: so each piece is a receive of its own.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send_in_pieces(&mut self, bytes: &[u8], size: usize) -> Verdict {
        let size_words = match size {
            1 => "one byte at a time".into(),
            _ => format!("{size} bytes at a time"),
        };
        let what = counted(bytes);
        self.step(format!("sent {what}, {size_words}"));
        for piece in bytes.chunks(size) {
            self.send_quietly(piece)?;
            self.until_taken();
        }
        Ok(())
    }

    /// Sends it cut at these places, each piece when the one before is taken.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send_cut(&mut self, bytes: &[u8], places: &[usize]) -> Verdict {
        let mut from = 0;
        for place in places.iter().copied().chain([bytes.len()]) {
            self.send(&bytes[from..place])?;
            self.until_taken();
            from = place;
        }
        Ok(())
    }

    /// Waits until the program has accepted the call.
    pub fn until_accepted(&self) {
        self.until_taken();
    }

    /// Waits until the program has taken all that was sent. For one that does not we
    /// wait no longer: what it does next will show it.
    pub fn until_taken(&self) {
        let (Ok(ours), Ok(theirs)) = (self.stream.local_addr(), self.stream.peer_addr()) else {
            return;
        };
        let wait = self.story.wait(TAKE);
        while !wait.is_over() {
            match self.sight.borrow_mut().taken(ours, theirs) {
                Taken::All | Taken::Gone => return,
                Taken::NotYet => thread::sleep(ASK_AGAIN),
                Taken::Unknown => return thread::sleep(BLIND),
            }
        }
    }

    /// Sends; it is no step of the story.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send_quietly(&mut self, bytes: &[u8]) -> Verdict {
        self.put_counting(bytes, PATIENCE, &mut 0)
    }

    /// Sends until all is sent, or until the program closes or takes no more:
    /// neither is wrong here. It gives back how many bytes were sent.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_as_much_as_it_takes(&mut self, bytes: &[u8]) -> Verdict<usize> {
        self.step(format!(
            "sent {}, as far as they were taken",
            counted(bytes)
        ));
        let mut sent = 0;
        match self.put_counting(bytes, FULL, &mut sent) {
            Err(Fault::Checker(error)) => Err(Fault::Checker(error)),
            _ => Ok(sent),
        }
    }

    /// Sends, and begins to receive when all buffers are full, so that a send of
    /// the program has taken a part; then it does both at the same time.
    ///
    /// # Errors
    /// When the program does not take all, or answers something else.
    pub fn exchange(&mut self, sent: &[u8], expected: &[u8]) -> Verdict {
        let what = counted(sent);
        self.step(format!("sent {what}, and received when no more was taken"));
        let mut sender = self.stream.try_clone()?;
        let time = self.story.at_most(4 * PATIENCE);
        sender.set_write_timeout(Some(time))?;
        let taken = AtomicUsize::new(0);
        thread::scope(|scope| {
            let sending = scope.spawn(|| {
                sent.chunks(ROOM).try_for_each(|piece| {
                    sender.write_all(piece)?;
                    taken.fetch_add(piece.len(), Ordering::Relaxed);
                    io::Result::Ok(())
                })
            });
            let mut before = usize::MAX;
            while !sending.is_finished() && taken.load(Ordering::Relaxed) != before {
                before = taken.load(Ordering::Relaxed);
                let wait = self.story.wait(FULL);
                while !wait.is_over() && !sending.is_finished() {
                    thread::sleep(ASK_AGAIN);
                }
            }
            let received = self.expect(expected);
            if received.is_err() {
                // The sender may wait for a program that takes no more.
                let _ = self.stream.shutdown(Shutdown::Both);
            }
            let sending = sending.join();
            received?;
            let failed = |seen: &str| Err(Fault::program("all bytes are taken", seen));
            match sending {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) if has_gone(&error) => failed("the connection is closed"),
                Ok(Err(error)) => failed(&lower(&error)),
                Err(_) => Err(anyhow::anyhow!("our sender panicked").into()),
            }
        })
    }

    /// Sends until all is sent, or nothing was taken for this time.
    fn put_counting(&mut self, bytes: &[u8], time: Duration, sent: &mut usize) -> Verdict {
        let refused = |seen: String| Fault::program("the bytes are received", seen);
        let mut left = bytes;
        while !left.is_empty() {
            let taken = self.story.retry(time, |slice| {
                self.stream.set_write_timeout(Some(slice))?;
                (&**self.stream).write(left)
            });
            match taken {
                Ok(Some(taken)) => {
                    left = &left[taken..];
                    *sent += taken;
                }
                Ok(None) => {
                    let time = time.as_secs();
                    return Err(refused(format!("nothing is received for {time} s")));
                }
                // Which of the two comes is a matter of moments.
                Err(error) if has_gone(&error) => {
                    return Err(refused("our send failed: the connection is closed".into()));
                }
                Err(error) => return Err(refused(format!("our send failed: {}", lower(&error)))),
            }
        }
        Ok(())
    }
}
