//! A pipe for each stream and a thread for each pipe: works everywhere, but
//! lines that two programs write at nearly the same time may change places.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use timeline::{Actor, Stream};

use super::{Arrival, Item, Lines, Queue};

pub(super) struct Pipes {
    arrivals: Sender<Arrival>,
    most: u64,
    readers: RefCell<HashMap<Actor, Vec<Reader>>>,
}

/// A thread that reads a pipe, and how many bytes it has read.
struct Reader {
    thread: JoinHandle<()>,
    count: Arc<AtomicU64>,
}

/// A program has ended, and its pipe has no end: somebody that it has started
/// holds it. When nothing came for so long, the program's own words are all read.
const QUIET: Duration = Duration::from_millis(100);
/// How often it is looked whether the readers have come to the end.
const DRAINED_YET: Duration = Duration::from_millis(1);

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
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let readers = vec![
            self.read(actor, Stream::Stdout, stdout),
            self.read(actor, Stream::Stderr, stderr),
        ];
        self.readers.borrow_mut().insert(actor, readers);
        Ok(child)
    }

    /// Waits, aside, until both pipes are at their end, or quiet.
    fn drain(&self, actor: Actor) {
        let readers = self.readers.borrow_mut().remove(&actor).unwrap_or_default();
        let arrivals = self.arrivals.clone();
        thread::spawn(move || {
            let count = || -> u64 {
                let counts = readers.iter().map(|reader| &reader.count);
                counts.map(|count| count.load(Ordering::Relaxed)).sum()
            };
            let (mut before, mut since) = (count(), Instant::now());
            while !readers.iter().all(|reader| reader.thread.is_finished()) {
                if count() != before {
                    (before, since) = (count(), Instant::now());
                } else if since.elapsed() > QUIET {
                    break;
                }
                thread::sleep(DRAINED_YET);
            }
            let _ = arrivals.send((Instant::now(), Item::Drained(actor)));
        });
    }
}

impl Pipes {
    fn read(&self, actor: Actor, stream: Stream, mut pipe: impl Read + Send + 'static) -> Reader {
        let count = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&count);
        let arrivals = self.arrivals.clone();
        let most = self.most;
        let thread = thread::spawn(move || {
            let (mut taken, mut thrown) = (0, 0);
            let mut lines = Lines::default();
            let mut buffer = [0; 4096];
            let tell = |text| {
                let _ = arrivals.send((Instant::now(), Item::Line(actor, stream, text)));
            };
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                let room = (most - taken).min(length as u64);
                lines.feed(&buffer[..room as usize], tell);
                taken += room;
                thrown += length as u64 - room;
                counted.fetch_add(length as u64, Ordering::Relaxed);
            }
            lines.finish(tell);
            if thrown > 0 {
                tell(format!("({thrown} bytes more, which were not kept)"));
            }
        });
        Reader { thread, count }
    }
}
