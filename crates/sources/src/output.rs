//! What programs write to stdout and stderr, line by line, and how they end.
//!
//! Two programs that talk to each other write in a certain order, and that
//! order is what a scene shows. With a pipe for each program it would be lost:
//! when two pipes are readable, nobody knows which one was written first. So on
//! Linux all programs write into *one* queue of the kernel. It is a UNIX
//! datagram socket; each stream has a sending socket with a name of its own,
//! and the name tells who wrote. Elsewhere there are pipes, and lines that come
//! within the same fraction of a millisecond may change places.

#[cfg(target_os = "linux")]
mod one_queue;
mod pipes;

use std::io;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use kernel::before_exec::end_with_parent;
use timeline::{Actor, Ending, Stream};

/// How often an end is looked for; a line is reported at once.
const ENDED_YET: Duration = Duration::from_millis(5);

/// A longer line is reported in pieces, so that no program can fill the memory.
const LONGEST_LINE: usize = 64 * 1024;

/// Something that a program did, and when.
#[derive(Debug)]
pub struct Heard {
    /// Which program.
    pub actor: Actor,
    /// When it was seen here.
    pub at: Instant,
    /// What it did.
    pub what: Said,
}

/// What a program did.
#[derive(Debug)]
pub enum Said {
    /// It wrote a line; bytes that are no UTF-8 stand as `\xNN`.
    Line(Stream, String),
    /// It ended; all that it wrote was reported before.
    Ended(Ending),
}

/// What comes out of the queue.
enum Item {
    Line(Actor, Stream, String),
    /// All that the program wrote before its end has been taken out.
    Drained(Actor),
}

type Arrival = (Instant, Item);

/// A way from the programs' outputs to us.
trait Queue {
    /// Starts the program with its outputs in the queue.
    fn spawn(&self, actor: Actor, command: &mut Command) -> io::Result<Child>;

    /// Sees to it that [`Item::Drained`] comes behind all that the program wrote.
    fn drain(&self, actor: Actor);
}

/// Programs under watch, and the one queue in which their lines arrive.
pub struct Outputs {
    queue: Box<dyn Queue>,
    arrivals: Receiver<Arrival>,
    programs: Vec<Program>,
}

struct Program {
    child: Child,
    ending: Option<Ending>,
    reported: bool,
}

impl Outputs {
    /// Makes the queue.
    ///
    /// # Errors
    /// When the system has no more descriptors or threads.
    pub fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        {
            let (sender, arrivals) = mpsc::channel();
            let queue = one_queue::OneQueue::new(sender)?;
            Ok(Self::from(queue, arrivals))
        }
        #[cfg(not(target_os = "linux"))]
        Ok(Self::at_most(u64::MAX))
    }

    /// The way that works on every system: a pipe for each stream, of which only
    /// the first `most` bytes are reported. The rest is taken out and thrown away,
    /// and one line at the end counts it: so no program can fill the memory, and
    /// none has to wait for us.
    pub fn at_most(most: u64) -> Self {
        let (sender, arrivals) = mpsc::channel();
        Self::from(pipes::Pipes::new(sender, most), arrivals)
    }

    fn from(queue: impl Queue + 'static, arrivals: Receiver<Arrival>) -> Self {
        Self {
            queue: Box::new(queue),
            arrivals,
            programs: Vec::new(),
        }
    }

    /// Starts a program with its input from a pipe and its output into the queue.
    /// Actors are numbered in the order of their start. The program ends with us.
    ///
    /// # Errors
    /// Those of [`Command::spawn`], such as a program that does not exist.
    pub fn start(&mut self, mut command: Command) -> io::Result<Actor> {
        let actor = Actor(self.programs.len());
        command.stdin(Stdio::piped());
        end_with_parent(&mut command);
        let child = self.queue.spawn(actor, &mut command)?;
        self.programs.push(Program {
            child,
            ending: None,
            reported: false,
        });
        Ok(actor)
    }

    /// The next thing that any program did, or None when the deadline passed.
    pub fn next(&mut self, deadline: Instant) -> Option<Heard> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((at, item)) = self.arrivals.recv_timeout(left.min(ENDED_YET)) else {
                self.look_for_ends();
                if Instant::now() >= deadline {
                    return None;
                }
                continue;
            };
            let (actor, what) = match item {
                Item::Line(actor, stream, text) => (actor, Said::Line(stream, text)),
                Item::Drained(actor) => {
                    let program = &mut self.programs[actor.0];
                    program.reported = true;
                    let ending = program
                        .ending
                        .expect("an end is known before it is drained");
                    (actor, Said::Ended(ending))
                }
            };
            return Some(Heard { actor, at, what });
        }
    }

    /// The process id, for as long as it runs, and after.
    pub fn pid(&self, actor: Actor) -> u32 {
        self.programs[actor.0].child.id()
    }

    /// The pipe to its standard input; None after it was taken.
    pub fn take_stdin(&mut self, actor: Actor) -> Option<ChildStdin> {
        self.programs[actor.0].child.stdin.take()
    }

    /// Whether its end was reported.
    pub fn has_ended(&self, actor: Actor) -> bool {
        self.programs[actor.0].reported
    }

    /// Whether the end of a program is known, and not yet reported: its last words
    /// are on their way.
    pub fn is_an_end_on_its_way(&self) -> bool {
        let mut programs = self.programs.iter();
        programs.any(|program| program.ending.is_some() && !program.reported)
    }

    /// Ends it at once: SIGKILL, or what the system has in its place. A program
    /// that has ended already is no error.
    ///
    /// # Errors
    /// Those of kill(2).
    pub fn kill(&mut self, actor: Actor) -> io::Result<()> {
        self.programs[actor.0].child.kill()
    }

    /// Ctrl-C for this program alone: SIGINT.
    ///
    /// # Errors
    /// Those of kill(2); "unsupported" where there are no signals.
    pub fn interrupt(&mut self, actor: Actor) -> io::Result<()> {
        let program = &mut self.programs[actor.0];
        if program.child.try_wait()?.is_some() {
            return Ok(());
        }
        #[cfg(unix)]
        {
            use kernel::signal::{SIGINT, send};
            send(program.child.id(), SIGINT)
        }
        #[cfg(not(unix))]
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system cannot send Ctrl-C to one program",
        ))
    }

    fn look_for_ends(&mut self) {
        for (index, program) in self.programs.iter_mut().enumerate() {
            if program.ending.is_some() {
                continue;
            }
            if let Ok(Some(status)) = program.child.try_wait() {
                program.ending = Some(ending(status));
                self.queue.drain(Actor(index));
            }
        }
    }
}

impl Drop for Outputs {
    fn drop(&mut self) {
        for program in &mut self.programs {
            // Both fail only when the program is gone already.
            let _ = program.child.kill();
            let _ = program.child.wait();
        }
    }
}

fn ending(status: ExitStatus) -> Ending {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ending::Signal(signal);
    }
    Ending::Status(status.code().unwrap_or(-1))
}

/// Whether a read of one of these pipes would give something, if only its end.
#[cfg(unix)]
pub fn any_readable<'a>(pipes: impl Iterator<Item = std::os::fd::BorrowedFd<'a>>) -> bool {
    let pipes: Vec<_> = pipes.collect();
    let found = kernel::wait::readable(&pipes, Some(Duration::ZERO));
    // If it fails, the reads will say why.
    !pipes.is_empty() && found.map_or(true, |found| found.contains(&true))
}

/// Cuts what arrives in pieces into lines.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes a piece and gives each line that is complete now.
    pub fn feed(&mut self, piece: &[u8], mut line: impl FnMut(String)) {
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LONGEST_LINE {
                line(self.take());
            }
        }
    }

    /// The line that has no end yet, if there is one.
    pub fn finish(&mut self, line: impl FnOnce(String)) {
        if !self.rest.is_empty() {
            line(self.take());
        }
    }

    fn take(&mut self) -> String {
        let bytes = std::mem::take(&mut self.rest);
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let mut text = String::new();
        for chunk in bytes.utf8_chunks() {
            text += chunk.valid();
            text += &chunk.invalid().escape_ascii().to_string();
        }
        text
    }
}
