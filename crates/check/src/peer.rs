//! Our end of a TCP connection with the program under test: polite or not.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::bytes::{counted, first_difference};
use crate::fault::{Fault, Verdict};
use crate::ground::{Sight, Taken};
use crate::story::{PATIENCE, Story};

/// A program that has not taken a piece after this time is busy with something
/// else; the next piece is sent all the same.
const TAKE: Duration = Duration::from_millis(150);
/// How often it is looked whether a piece was taken.
const LOOK: Duration = Duration::from_micros(200);
/// Where nobody can look, a piece has this time.
const BLIND: Duration = Duration::from_millis(10);
/// How many bytes are taken in one receive.
const ROOM: usize = 64 * 1024;

/// How a stream came to its end, as far as we saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The program closed: a receive of 0 bytes.
    EndOfStream,
    /// A reset: it closed with unread bytes, or asked for it.
    Reset,
    /// Nothing came for a while.
    Silence,
    /// We have as many bytes as we wanted.
    Enough,
}

impl Ending {
    fn words(self) -> String {
        match self {
            Ending::EndOfStream => "the end of the stream".into(),
            Ending::Reset => "a reset".into(),
            Ending::Silence => format!("nothing for {} s", PATIENCE.as_secs()),
            Ending::Enough => String::new(),
        }
    }
}

/// Our end of a connection. What it does becomes a step of the story.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    who: String,
    story: Story,
    sight: Rc<RefCell<Sight>>,
}

impl Peer {
    pub(crate) fn new(
        stream: TcpStream,
        who: &str,
        story: &Story,
        sight: &Rc<RefCell<Sight>>,
    ) -> io::Result<Self> {
        // A piece is on its way as soon as it is sent.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            who: who.to_string(),
            story: story.clone(),
            sight: Rc::clone(sight),
        })
    }

    /// Sends all of it at once.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send(&mut self, bytes: &[u8]) -> Verdict {
        self.story
            .step(format!("{} sent {}", self.who, counted(bytes)));
        self.put(bytes)
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
        self.story
            .step(format!("{} sent {what}, {size_words}", self.who));
        for piece in bytes.chunks(size) {
            self.put(piece)?;
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

    /// Waits until the program has taken all that was sent. A program that does
    /// not is none to wait for: it is told by what it does next.
    pub fn until_taken(&self) {
        let (Ok(ours), Ok(theirs)) = (self.stream.local_addr(), self.stream.peer_addr()) else {
            return;
        };
        let wait = self.story.wait(TAKE);
        while !wait.is_over() {
            match self.sight.borrow_mut().taken(ours, theirs) {
                Taken::All | Taken::Gone => return,
                Taken::NotYet => thread::sleep(LOOK),
                Taken::Unknown => return thread::sleep(BLIND),
            }
        }
    }

    /// Receives, and demands exactly these bytes.
    ///
    /// # Errors
    /// When others come, or not all of them.
    pub fn expect(&mut self, expected: &[u8]) -> Verdict {
        let (seen, ending) = self.take(expected.len(), |seen| !expected.starts_with(seen))?;
        self.compare(expected, seen, ending)
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
            Err(Ending::EndOfStream) => Ok(Vec::new()),
            Err(ending) => Err(Fault::program("more bytes", ending.words())),
        }
    }

    /// Sends; it is no step of the story.
    ///
    /// # Errors
    /// When the program does not take it, or has closed.
    pub fn send_quietly(&mut self, bytes: &[u8]) -> Verdict {
        self.put(bytes)
    }

    /// Sends until all is sent, or until the program closes or takes no more:
    /// neither is wrong here.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn send_as_much_as_it_takes(&mut self, bytes: &[u8]) -> Verdict {
        self.story.step(format!(
            "{} sent {}, as far as they were taken",
            self.who,
            counted(bytes)
        ));
        match self.put(bytes) {
            Err(Fault::Checker(error)) => Err(Fault::Checker(error)),
            _ => Ok(()),
        }
    }

    /// Receives until the stream has an end, one way or another.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn receive_to_end(&mut self, most: usize) -> Verdict<(Vec<u8>, Ending)> {
        let (seen, ending) = self.take(most, |_| false)?;
        let then = ending.words();
        let what = counted(&seen);
        self.story
            .step(format!("{} received {what}, then {then}", self.who));
        Ok((seen, ending))
    }

    /// Demands the end of the stream, and nothing before it.
    ///
    /// # Errors
    /// When more bytes come, a reset, or nothing.
    pub fn expect_end(&mut self) -> Verdict {
        let (seen, ending) = self.take(1, |_| true)?;
        if ending == Ending::EndOfStream && seen.is_empty() {
            self.story
                .step(format!("{} received the end of the stream", self.who));
            return Ok(());
        }
        let seen = match ending {
            Ending::Enough => format!("more bytes: {}", counted(&seen)),
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
        match self.stream.read(&mut buffer) {
            Err(error) if is_timeout(&error) => Ok(()),
            Ok(0) => Err(Fault::program(
                "silence, and an open connection",
                "the end of the stream",
            )),
            Ok(length) => Err(Fault::program("silence", counted(&buffer[..length]))),
            Err(error) => Err(Fault::program("silence", lower(&error))),
        }
    }

    /// Sends and receives at the same time, so that no buffer is ever full.
    ///
    /// # Errors
    /// When the program does not take all, or answers something else.
    pub fn exchange(&mut self, sent: &[u8], expected: &[u8]) -> Verdict {
        let what = counted(sent);
        self.story.step(format!(
            "{} sent {what}, and received at the same time",
            self.who
        ));
        let mut sender = self.stream.try_clone()?;
        let time = self.story.at_most(4 * PATIENCE);
        sender.set_write_timeout(Some(time))?;
        thread::scope(|scope| {
            let sending = scope.spawn(move || sender.write_all(sent));
            let received = self.expect(expected);
            if received.is_err() {
                // The sender may wait for a program that takes no more.
                let _ = self.stream.shutdown(Shutdown::Both);
            }
            let sending = sending.join();
            received?;
            match sending {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Fault::program("all bytes are taken", lower(&error))),
                Err(_) => Err(anyhow::anyhow!("our sender panicked").into()),
            }
        })
    }

    /// shutdown(SHUT_WR): says that we will not send any more.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn half_close(&mut self) -> Verdict {
        self.story.step(format!(
            "{} ended the sending side, and went on receiving",
            self.who
        ));
        match self.stream.shutdown(Shutdown::Write) {
            // The program may have reset the connection already.
            Err(error) if error.kind() != ErrorKind::NotConnected => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Closes.
    pub fn hang_up(self) {
        self.story.step(format!("{} hung up", self.who));
    }

    /// Closes with a reset, as a connection ends that is no longer wanted: close
    /// with SO_LINGER of 0.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn reset(self) -> Verdict {
        self.story
            .step(format!("{} reset the connection", self.who));
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
        Ok(())
    }

    /// Limits our buffers, so that a program that does not read, or that we do
    /// not read from, is noticed early.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn small_buffers(&self) -> Verdict {
        let socket = SockRef::from(&self.stream);
        socket.set_recv_buffer_size(16 * 1024)?;
        socket.set_send_buffer_size(16 * 1024)?;
        Ok(())
    }

    /// The other name in the story.
    pub fn who(&self) -> &str {
        &self.who
    }

    fn compare(&mut self, expected: &[u8], seen: Vec<u8>, ending: Ending) -> Verdict {
        if seen == expected {
            if !expected.is_empty() {
                self.heard(&seen);
            }
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

    fn heard(&self, bytes: &[u8]) {
        self.story
            .step(format!("{} received {}", self.who, counted(bytes)));
    }

    fn put(&mut self, bytes: &[u8]) -> Verdict {
        let refused = |seen: String| Fault::program("the bytes are received", seen);
        let mut wait = self.story.wait(PATIENCE);
        let mut left = bytes;
        while !left.is_empty() {
            self.stream.set_write_timeout(Some(wait.slice()))?;
            match self.stream.write(left) {
                Ok(taken) => {
                    left = &left[taken..];
                    wait = self.story.wait(PATIENCE);
                }
                Err(error) if is_timeout(&error) && wait.is_over() => {
                    let time = PATIENCE.as_secs();
                    return Err(refused(format!("nothing is received for {time} s")));
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(refused(format!("our send failed: {}", lower(&error)))),
            }
        }
        Ok(())
    }

    /// Receives until there are so many, or one is wrong, or no more come.
    fn take(
        &mut self,
        most: usize,
        wrong: impl Fn(&[u8]) -> bool,
    ) -> Verdict<(Vec<u8>, Ending)> {
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
        Ok((seen, Ending::Enough))
    }

    /// One receive; the inner error is an end.
    fn take_once(&mut self, buffer: &mut [u8]) -> Verdict<Result<usize, Ending>> {
        let wait = self.story.wait(PATIENCE);
        loop {
            self.stream.set_read_timeout(Some(wait.slice()))?;
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Err(Ending::EndOfStream)),
                Ok(length) => return Ok(Ok(length)),
                Err(error) if is_timeout(&error) && wait.is_over() => {
                    return Ok(Err(Ending::Silence));
                }
                Err(error) if is_timeout(&error) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Ok(Err(Ending::Reset));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What a system says when the time of a call is over.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// An error as a part of a sentence.
pub(crate) fn lower(error: &io::Error) -> String {
    error.to_string().to_lowercase()
}
