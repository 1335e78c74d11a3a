//! Receiving, and what is demanded of it.

use std::io::{ErrorKind, Read};
use std::time::Duration;

use super::{Peer, PeerEnding, ROOM, lower};
use crate::bytes::{counted, first_difference};
use crate::fault::{Fault, Verdict};
use crate::story::{PATIENCE, is_timeout};

impl Peer {
    /// Receives, and demands exactly these bytes.
    ///
    /// # Errors
    /// When others come, or not all of them.
    pub fn expect(&mut self, expected: &[u8]) -> Verdict {
        self.expect_quietly(expected)?;
        if !expected.is_empty() {
            self.heard(expected);
        }
        Ok(())
    }

    /// Like `expect`; it is no step of the story.
    ///
    /// # Errors
    /// When others come, or not all of them.
    pub fn expect_quietly(&mut self, expected: &[u8]) -> Verdict {
        let (seen, ending) = self.take(expected.len(), |seen| !expected.starts_with(seen))?;
        if seen == expected {
            return Ok(());
        }
        let differs = first_difference(expected, &seen) < seen.len();
        let then = if differs {
            String::new()
        } else {
            ending.words()
        };
        Err(Fault::bytes(expected, seen, then))
    }

    /// Receives so many bytes, whatever they are. `what` names them.
    ///
    /// # Errors
    /// When fewer come.
    pub fn receive(&mut self, count: usize, what: &str) -> Verdict<Vec<u8>> {
        let (seen, ending) = self.take(count, |_| false)?;
        if seen.len() < count {
            let expected = format!("{count} bytes: {what}");
            let seen = format!("{}, then {}", counted(&seen), ending.words());
            return Err(Fault::program(expected, seen));
        }
        if count > 0 {
            self.heard(&seen);
        }
        Ok(seen)
    }

    /// Receives what comes next, however much that is.
    ///
    /// # Errors
    /// When nothing comes, or the program has closed.
    pub fn receive_some(&mut self, what: &str) -> Verdict<Vec<u8>> {
        let mut buffer = [0; ROOM];
        match self.take_once(&mut buffer)? {
            Ok(length) => {
                self.heard(&buffer[..length]);
                Ok(buffer[..length].to_vec())
            }
            Err(ending) => Err(Fault::program(what, ending.words())),
        }
    }

    /// Receives what is there, at most so much; it is no step of the story. Of
    /// an end of the stream, nothing.
    ///
    /// # Errors
    /// When nothing comes, or a reset.
    pub fn receive_quietly(&mut self, most: usize) -> Verdict<Vec<u8>> {
        let mut buffer = vec![0; most];
        match self.take_once(&mut buffer)? {
            Ok(length) => {
                buffer.truncate(length);
                Ok(buffer)
            }
            Err(PeerEnding::EndOfStream) => Ok(Vec::new()),
            Err(ending) => Err(Fault::program("more bytes", ending.words())),
        }
    }

    /// Receives until the stream has an end, one way or another.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn receive_to_end(&mut self, most: usize) -> Verdict<(Vec<u8>, PeerEnding)> {
        let (seen, ending) = self.take(most, |_| false)?;
        let then = ending.words();
        let what = counted(&seen);
        self.step(format!("received {what}, then {then}"));
        Ok((seen, ending))
    }

    /// Demands the end of the stream, and nothing before it.
    ///
    /// # Errors
    /// When more bytes come, a reset, or nothing.
    pub fn expect_end(&mut self) -> Verdict {
        let (seen, ending) = self.take(1, |_| true)?;
        if ending == PeerEnding::EndOfStream && seen.is_empty() {
            self.step("received the end of the stream");
            return Ok(());
        }
        let seen = match ending {
            PeerEnding::Enough => format!("more bytes: {}", counted(&seen)),
            other => other.words(),
        };
        Err(Fault::program("the end of the stream", seen))
    }

    /// Demands that within this time nothing comes and the stream stays open.
    ///
    /// # Errors
    /// When something comes.
    pub fn expect_silence(&mut self, time: Duration) -> Verdict {
        self.stream
            .set_read_timeout(Some(self.story.at_most(time)))?;
        let mut buffer = [0; 256];
        match (&**self.stream).read(&mut buffer) {
            Err(error) if is_timeout(&error) => Ok(()),
            Ok(0) => Err(Fault::program(
                "silence, and an open connection",
                "the end of the stream",
            )),
            Ok(length) => Err(Fault::program("silence", counted(&buffer[..length]))),
            Err(error) => Err(Fault::program("silence", lower(&error))),
        }
    }

    fn heard(&self, bytes: &[u8]) {
        self.step(format!("received {}", counted(bytes)));
    }

    /// Receives until there are so many, or one is wrong, or no more come.
    fn take(
        &mut self,
        most: usize,
        wrong: impl Fn(&[u8]) -> bool,
    ) -> Verdict<(Vec<u8>, PeerEnding)> {
        let mut seen = Vec::new();
        let mut buffer = vec![0; ROOM];
        let mut checked = 0;
        while seen.len() < most {
            let room = ROOM.min(most - seen.len());
            match self.take_once(&mut buffer[..room])? {
                Ok(length) => seen.extend_from_slice(&buffer[..length]),
                Err(ending) => return Ok((seen, ending)),
            }
            // A long answer is compared now and then, not from its start each time.
            if seen.len() - checked >= checked / 8 || seen.len() == most {
                checked = seen.len();
                if wrong(&seen) {
                    break;
                }
            }
        }
        Ok((seen, PeerEnding::Enough))
    }

    /// One receive; the inner error is an end.
    fn take_once(&mut self, buffer: &mut [u8]) -> Verdict<Result<usize, PeerEnding>> {
        let received = self.story.retry(PATIENCE, |slice| {
            self.stream.set_read_timeout(Some(slice))?;
            (&**self.stream).read(buffer)
        });
        match received {
            Ok(Some(0)) => Ok(Err(PeerEnding::EndOfStream)),
            Ok(Some(length)) => Ok(Ok(length)),
            Ok(None) => Ok(Err(PeerEnding::Silence)),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(Err(PeerEnding::Reset)),
            Err(error) => Err(error.into()),
        }
    }
}
