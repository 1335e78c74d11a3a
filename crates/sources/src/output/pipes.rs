//! A pipe for each stream and a thread for each pipe: works everywhere, but
//! lines that two programs write at nearly the same time may change places.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, PipeReader, Read};
use std::mem;
use std::process::{Child, Command};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use timeline::{Actor, Stream};

use super::{Arrival, Item, Lines, Queue};

pub(super) struct Pipes {
    arrivals: Sender<Arrival>,
    most: u64,
    readers: RefCell<HashMap<Actor, [Arc<Reader>; 2]>>,
}

impl Pipes {
    pub(super) fn new(arrivals: Sender<Arrival>, most: u64) -> Self {
        Self {
            arrivals,
            most,
            readers: RefCell::default(),
        }
    }
}

impl Queue for Pipes {
    fn spawn(&self, actor: Actor, command: &mut Command) -> io::Result<Child> {
        let ((stdout, out), (stderr, err)) = (io::pipe()?, io::pipe()?);
        let child = command.stdout(out).stderr(err).spawn()?;
        let readers = [(Stream::Stdout, stdout), (Stream::Stderr, stderr)].map(|(stream, pipe)| {
            let reader = Arc::new(Reader {
                actor,
                stream,
                pipe,
                most: self.most,
                arrivals: self.arrivals.clone(),
                progress: Mutex::default(),
                news: Condvar::new(),
            });
            let reads = Arc::clone(&reader);
            thread::spawn(move || reads.read());
            reader
        });
        self.readers.borrow_mut().insert(actor, readers);
        Ok(child)
    }

    /// Waits, aside, until all is read that the program has written.
    fn drain(&self, actor: Actor) {
        let readers = self.readers.borrow_mut().remove(&actor);
        let arrivals = self.arrivals.clone();
        thread::spawn(move || {
            readers.iter().flatten().for_each(|reader| reader.drain());
            let _ = arrivals.send((Instant::now(), Item::Drained(actor)));
        });
    }
}

/// One stream of a program, read by a thread of its own.
struct Reader {
    actor: Actor,
    stream: Stream,
    pipe: PipeReader,
    /// How many bytes are reported.
    most: u64,
    arrivals: Sender<Arrival>,
    progress: Mutex<Progress>,
    news: Condvar,
}

#[derive(Default)]
struct Progress {
    lines: Lines,
    /// Bytes that were taken out of the pipe, and how many of them were thrown away.
    read: u64,
    thrown: u64,
    is_at_end: bool,
}

impl Reader {
    /// Reads to the end of the pipe. What is taken out of it is also reported before
    /// anybody else can look at the progress.
    fn read(&self) {
        let mut buffer = [0; 4096];
        let mut read = 0;
        loop {
            #[cfg(unix)]
            unix::wait_for(&self.pipe);
            #[cfg(unix)]
            let mut progress = self.progress();
            let length = (&self.pipe).read(&mut buffer).unwrap_or(0);
            #[cfg(not(unix))]
            let mut progress = self.progress();
            let kept = (self.most - self.most.min(read)).min(length as u64);
            progress
                .lines
                .feed(&buffer[..kept as usize], |text| self.tell(text));
            read += length as u64;
            progress.read = read;
            progress.thrown += length as u64 - kept;
            progress.is_at_end = length == 0;
            self.news.notify_all();
            if progress.is_at_end {
                return self.finish(&mut progress);
            }
        }
    }

    /// The program has ended. It may have started others that hold the pipe, so that
    /// its end may be long in coming: only what is in it by now is waited for.
    fn drain(&self) {
        let progress = self.progress();
        #[cfg(unix)]
        let all = progress.read + unix::waiting(&self.pipe);
        // Where the pipe cannot be asked, its end is waited for.
        #[cfg(not(unix))]
        let all = u64::MAX;
        let is_to_come = |progress: &mut Progress| progress.read < all && !progress.is_at_end;
        let progress = self.news.wait_while(progress, is_to_come);
        self.finish(&mut progress.expect("a reader does not panic"));
    }

    /// The last line may have no end, and what was not kept is counted.
    fn finish(&self, progress: &mut Progress) {
        progress.lines.finish(|text| self.tell(text));
        match mem::take(&mut progress.thrown) {
            0 => {}
            thrown => self.tell(format!("({thrown} bytes more, which were not kept)")),
        }
    }

    fn tell(&self, text: String) {
        let line = Item::Line(self.actor, self.stream, text);
        let _ = self.arrivals.send((Instant::now(), line));
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().expect("a reader does not panic")
    }
}

/// A pipe is asked before it is read, so that no read waits.
#[cfg(unix)]
mod unix {
    use std::io::{ErrorKind, PipeReader};
    use std::os::fd::AsFd;

    use kernel::wait;

    pub(super) fn wait_for(pipe: &PipeReader) {
        let wait = || wait::readable(&[pipe.as_fd()], None);
        // If it fails otherwise, the read will say why.
        while wait().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {}
    }

    pub(super) fn waiting(pipe: &PipeReader) -> u64 {
        wait::bytes_waiting(pipe).unwrap_or(0)
    }
}
