//! What programs print while they are seen. The tracer stops a program at its
//! calls, and in that moment its pipes are emptied.

use std::collections::HashMap;
use std::io::{self, ErrorKind, PipeReader, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use kernel::file::set_nonblocking;
use sources::output::{Lines, any_readable};
use timeline::{Actor, Event, Kind, Place, Stream};

/// An output of a program.
struct Pipe {
    actor: Actor,
    stream: Stream,
    pipe: PipeReader,
    lines: Lines,
}

/// The outputs of all programs.
#[derive(Default)]
pub(crate) struct Pipes {
    pipes: Vec<Pipe>,
    /// When each program last began to write into its output.
    began: HashMap<Actor, Duration>,
}

impl Pipes {
    /// From now on, what the program prints is looked for.
    pub(crate) fn listen_to(
        &mut self,
        actor: Actor,
        stdout: PipeReader,
        stderr: PipeReader,
    ) -> io::Result<()> {
        for (stream, pipe) in [(Stream::Stdout, stdout), (Stream::Stderr, stderr)] {
            set_nonblocking(&pipe)?;
            self.pipes.push(Pipe {
                actor,
                stream,
                pipe,
                lines: Lines::default(),
            });
        }
        Ok(())
    }

    /// The program is about to write into its output.
    pub(crate) fn begins_to_print(&mut self, actor: Actor, time: Duration) {
        self.began.insert(actor, time);
    }

    /// What is in the pipes. It was printed at `latest` at the latest, and when
    /// the program began to write: whoever empties the pipe comes later, and
    /// perhaps after the program's next call. A program that was held up between
    /// that moment and the write itself may come too late for it, so that nothing
    /// is printed before `earliest`.
    pub(crate) fn empty(&mut self, earliest: Duration, latest: Duration) -> Vec<Event> {
        let mut printed = Vec::new();
        if !any_readable(self.pipes.iter().map(|pipe| pipe.pipe.as_fd())) {
            return printed;
        }
        let Self { pipes, began } = self;
        pipes.retain_mut(|pipe| {
            let began = began.get(&pipe.actor).copied().unwrap_or(latest);
            let time = began.max(earliest).min(latest);
            pipe.read(time, &mut printed)
        });
        printed
    }

    /// All is over: what has no line end yet is a line, too.
    pub(crate) fn finish(&mut self, time: Duration) -> Vec<Event> {
        let mut printed = Vec::new();
        for mut pipe in self.pipes.drain(..) {
            pipe.finish(time, &mut printed);
        }
        printed
    }
}

impl Pipe {
    /// Takes what is there; false at its end.
    fn read(&mut self, time: Duration, printed: &mut Vec<Event>) -> bool {
        let mut buffer = [0; 8192];
        loop {
            match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.finish(time, printed);
                    return false;
                }
                Ok(length) => {
                    let line = self.line(time);
                    let piece = &buffer[..length];
                    self.lines.feed(piece, |text| printed.push(line(text)));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    fn finish(&mut self, time: Duration, printed: &mut Vec<Event>) {
        let line = self.line(time);
        self.lines.finish(|text| printed.push(line(text)));
    }

    fn line(&self, time: Duration) -> impl Fn(String) -> Event + use<> {
        let (place, stream) = (Place::Actor(self.actor), self.stream);
        move |text| Event {
            time,
            place,
            kind: Kind::Line { stream, text },
        }
    }
}
