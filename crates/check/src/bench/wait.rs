//! Waiting for what the programs do.

use std::net::Shutdown;
use std::rc::Weak;
use std::time::{Duration, Instant};

use timeline::{Ending, Stream};

use super::Bench;
use crate::bytes::quoted;
use crate::fault::{Fault, Verdict};
use crate::ground;
use crate::launch::Tested;
use crate::story::PATIENCE;

/// How often a condition is looked at that nobody announces.
const UNANNOUNCED: Duration = Duration::from_millis(1);

/// The X-ray has told all that has happened within this time, on a busy machine too.
const CATCH_UP: Duration = Duration::from_secs(10);

/// A program that waits for others notices within this time that they are gone.
const SETTLES: Duration = Duration::from_millis(20);
/// One that has not come to rest after this much work will not.
const SETTLED: Duration = Duration::from_millis(300);

impl Bench {
    /// Waits until this is so; None when the time is over.
    pub(super) fn until<T>(
        &mut self,
        time: Duration,
        mut so: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let wait = self.story.wait(time);
        loop {
            if let Some(found) = so(self) {
                return Some(found);
            }
            if wait.is_over() {
                // It may have come while we looked whether the programs rest.
                let _ = self.catch_up();
                self.pump(UNANNOUNCED);
                return so(self);
            }
            self.pump(UNANNOUNCED);
        }
    }

    /// Takes in what has happened by now, and says whether it could.
    pub(super) fn catch_up(&mut self) -> bool {
        let caught = xray::catch_up(&mut *self.cast, &mut self.log, CATCH_UP);
        // The log takes everything.
        caught.unwrap_or(false)
    }

    /// Takes in what the programs say, for this time.
    pub(super) fn pump(&mut self, time: Duration) {
        // It never fails: the log takes everything.
        let _ = xray::pass(&mut *self.cast, &mut self.log, Instant::now() + time);
    }

    /// Lets the programs finish what they do about the last event, such as a
    /// peer that left, so that two runs tell the same story.
    pub fn settle(&mut self) {
        let wait = self.story.wait(SETTLES).unless_busy_for(SETTLED);
        while !wait.is_over() {
            self.pump(UNANNOUNCED);
        }
    }

    /// Demands that the programs come to rest: nobody says anything to them. On a
    /// busy machine that may last; one that works on and on spins.
    ///
    /// # Errors
    /// When they work on.
    pub fn come_to_rest(&mut self) -> Verdict {
        self.step("nobody said anything");
        let wait = self.story.wait(SETTLES);
        while !wait.is_over() {
            self.pump(UNANNOUNCED);
        }
        match wait.has_worked_too_long() {
            false => Ok(()),
            true => Err(Fault::program(
                "a program that waits",
                "it works on and on, and takes the processor",
            )),
        }
    }

    /// Lets time pass that belongs to the matter of a check, such as between two
    /// datagrams of a stranger. It is never a way to wait for an event.
    pub fn rest(&mut self, time: Duration) {
        self.pump(time);
    }

    /// Whether a program has ended by now.
    pub fn has_ended(&self, program: &Tested) -> bool {
        self.log.ending(program.actor).is_some()
    }

    /// What a program is doing, for the sentence about what was seen.
    pub(super) fn state(&self, program: &Tested) -> String {
        let name = &program.name;
        let Some(ending) = self.log.ending(program.actor) else {
            return format!("{name} is running");
        };
        let ended = ended(ending);
        match self.log.running().next().is_none() && ground::somebody_is_left() {
            true => format!("{name} {ended}, and a process that it started goes on without it"),
            false => format!("{name} {ended}"),
        }
    }

    /// Waits for the end of a program.
    ///
    /// # Errors
    /// When it goes on.
    pub fn ends(&mut self, program: &Tested) -> Verdict<Ending> {
        self.ends_within(program, PATIENCE)
    }

    /// Waits for the end of a program, for this time at most.
    ///
    /// # Errors
    /// When it goes on.
    pub fn ends_within(&mut self, program: &Tested, time: Duration) -> Verdict<Ending> {
        let actor = program.actor;
        let mut closed = false;
        let ended_by_now = |bench: &mut Self| {
            closed |= bench.hang_up_where_the_client_has();
            bench.log.ending(actor)
        };
        let Some(ending) = self.until(time, ended_by_now) else {
            if closed {
                let step = "our server received the end of the stream, and hung up, too";
                self.story.step(step);
            }
            let seen = format!(
                "it is still running after {} s",
                (time.as_secs_f64() * 10.0).round() / 10.0
            );
            return Err(Fault::program(format!("{} ends", program.name), seen));
        };
        let name = &program.name;
        self.story.step(format!("{name} {}", ended(ending)));
        Ok(ending)
    }

    /// A client may end its sending side and wait until the server hangs up: so
    /// do all of Node. Whether our server did so now.
    fn hang_up_where_the_client_has(&self) -> bool {
        let connections = self.taken.iter().filter_map(Weak::upgrade);
        let mut closed = false;
        for connection in connections {
            let at_its_end = connection.set_nonblocking(true).is_ok()
                && matches!(connection.peek(&mut [0]), Ok(0));
            // Both fail only when the connection is gone already.
            let _ = connection.set_nonblocking(false);
            if at_its_end {
                closed |= connection.shutdown(Shutdown::Write).is_ok();
            }
        }
        closed
    }

    /// Demands that it ends with this status.
    ///
    /// # Errors
    /// When it goes on, or ends otherwise.
    pub fn ends_with_status(&mut self, program: &Tested, status: i32) -> Verdict {
        let ending = self.ends(program)?;
        if ending == Ending::Status(status) {
            return Ok(());
        }
        Err(Fault::program(
            format!("{} ends with status {status}", program.name),
            format!("it {}", ended(ending)),
        ))
    }

    /// Demands that it ends with status 1, and says why in one line on stderr.
    ///
    /// # Errors
    /// When it goes on, ends otherwise, or says nothing or too much.
    pub fn ends_with_one_line(&mut self, program: &Tested) -> Verdict<String> {
        self.ends_with_status(program, 1)?;
        let said = self.log.said(program.actor);
        let lines: Vec<&str> = said.on(Stream::Stderr).collect();
        if let [line] = lines[..]
            && !line.trim().is_empty()
        {
            return Ok(line.to_string());
        }
        let seen = match lines[..] {
            [] => "nothing on stderr".to_string(),
            [_] => "an empty line on stderr".to_string(),
            [.., last] => {
                let (count, last) = (lines.len(), quoted(last.as_bytes()));
                format!("{count} lines, the last {last}")
            }
        };
        Err(Fault::program(
            "one line on stderr that says what failed",
            seen,
        ))
    }

    /// Demands that a program still runs.
    ///
    /// # Errors
    /// When it has ended.
    pub fn still_runs(&mut self, program: &Tested) -> Verdict {
        self.pump(Duration::from_millis(20));
        match self.log.ending(program.actor) {
            None => Ok(()),
            Some(ending) => Err(Fault::program(
                format!("{} goes on", program.name),
                format!("it {}", ended(ending)),
            )),
        }
    }

    /// Waits for the line with which a server says where it is: `words` and the
    /// address that it has bound. A host may stand for all addresses.
    ///
    /// # Errors
    /// When it says nothing such, or another address.
    pub fn says_where(&mut self, server: &Tested, words: &str) -> Verdict {
        let [bound, called] =
            [server.bound, server.address].map(|address| format!("{words} {address}"));
        let expected = format!("{} says {bound:?}", server.name);
        self.says_what(server, &expected, |line| {
            line.trim_end() == bound || line.trim_end() == called
        })?;
        Ok(())
    }

    /// Waits until the program says this, on stdout or stderr.
    ///
    /// # Errors
    /// When it does not.
    pub fn says(&mut self, program: &Tested, fragment: &str) -> Verdict<String> {
        let expected = format!("{} says {}", program.name, quoted(fragment.as_bytes()));
        self.says_what(program, &expected, |line| line.contains(fragment))
    }

    /// Waits for a line that fits.
    ///
    /// # Errors
    /// When none comes.
    pub fn says_what(
        &mut self,
        program: &Tested,
        expected: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Verdict<String> {
        let actor = program.actor;
        let found = self.until(PATIENCE, |bench| {
            let mut lines = bench.log.said(actor).lines.iter();
            match lines.find(|line| fits(&line.text)) {
                Some(line) => Some(Some(line.text.clone())),
                None if bench.log.ending(actor).is_some() => Some(None),
                None => None,
            }
        });
        if let Some(Some(line)) = found {
            return Ok(line);
        }
        let lines = &self.log.said(actor).lines;
        let last = lines.last().map(|last| quoted(last.text.as_bytes()));
        let seen = match (lines.len(), last) {
            (_, None) => "no line".to_string(),
            (1, Some(line)) => format!("another line: {line}"),
            (count, Some(last)) => format!("{count} other lines, the last {last}"),
        };
        Err(Fault::program(expected, seen))
    }

    /// What it wrote so far to stdout.
    pub fn stdout(&mut self, program: &Tested) -> Vec<String> {
        self.pump(UNANNOUNCED);
        let said = self.log.said(program.actor);
        said.on(Stream::Stdout).map(str::to_string).collect()
    }
}

fn ended(ending: Ending) -> String {
    match ending {
        Ending::Status(status) => format!("ended with status {status}"),
        Ending::Signal(signal) => format!("was ended by signal {signal}"),
    }
}
