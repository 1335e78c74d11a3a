//! Waiting for what the programs do.

use std::net::Shutdown;
use std::rc::Weak;
use std::time::Duration;

use sources::output::What;
use timeline::{Ending, Stream};

use super::Bench;
use crate::bytes::quoted;
#[cfg(target_os = "linux")]
use crate::crew::Crew;
use crate::fault::{Fault, Verdict};
use crate::ground;
use crate::program::{Line, Program};
use crate::story::PATIENCE;

/// How often a condition is looked at that nobody announces.
const LOOK: Duration = Duration::from_millis(1);

/// A program that waits for others notices within this time that they are gone.
const SETTLES: Duration = Duration::from_millis(20);
/// One that has not come to rest after so much work will not.
const SETTLED: Duration = Duration::from_millis(300);

/// So many lines of a program are kept.
const MOST_LINES: usize = 20_000;

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
                // It may have come while it was looked whether the programs rest.
                self.catch_up();
                return so(self);
            }
            self.pump(LOOK);
        }
    }

    /// Takes in what has happened by now.
    fn catch_up(&mut self) {
        #[cfg(target_os = "linux")]
        if let Crew::Seen(seen) = &mut self.crew {
            seen.stage.catch_up();
        }
        self.pump(LOOK);
        while self.crew.is_an_end_on_its_way() && !self.story.is_over() {
            self.pump(LOOK);
        }
    }

    /// Takes in what the programs say, for so long.
    pub(super) fn pump(&mut self, time: Duration) {
        let (said, endings) = (&mut self.said, &mut self.endings);
        self.crew.pass(time, |actor, what| match what {
            What::Line(stream, text) => {
                let lines = &mut said[actor.0].lines;
                if lines.len() < MOST_LINES {
                    lines.push(Line { stream, text });
                }
            }
            What::Ended(ending) => endings[actor.0] = Some(ending),
        });
    }

    /// Lets the programs finish what they do about the last event, such as a
    /// peer that left, so that two runs tell the same story.
    pub fn settle(&mut self) {
        let wait = self.story.wait(SETTLES).unless_busy_for(SETTLED);
        while !wait.is_over() {
            self.pump(LOOK);
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
            self.pump(LOOK);
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
    /// datagrams of a stranger. It is never how to wait for an event.
    pub fn rest(&mut self, time: Duration) {
        self.pump(time);
    }

    /// Whether a program has ended by now.
    pub fn has_ended(&self, program: &Program) -> bool {
        self.endings[program.actor.0].is_some()
    }

    /// What a program is doing, for the sentence about what was seen.
    pub(super) fn state(&self, program: &Program) -> String {
        match self.endings[program.actor.0] {
            None => format!("{} is running", program.name),
            Some(ending) => {
                let left = match !self.endings.contains(&None) && ground::somebody_is_left() {
                    true => ", and a process that it started goes on without it",
                    false => "",
                };
                format!("{} {}{left}", program.name, ended(ending))
            }
        }
    }

    /// Waits for the end of a program.
    ///
    /// # Errors
    /// When it goes on.
    pub fn ends(&mut self, program: &Program) -> Verdict<Ending> {
        self.ends_within(program, PATIENCE)
    }

    /// Waits for the end of a program, for so long.
    ///
    /// # Errors
    /// When it goes on.
    pub fn ends_within(&mut self, program: &Program, time: Duration) -> Verdict<Ending> {
        let actor = program.actor.0;
        let mut closed = false;
        let ended_by_now = |bench: &mut Self| {
            closed |= bench.hang_up_where_the_client_has();
            bench.endings[actor]
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
    pub fn ends_with_status(&mut self, program: &Program, status: i32) -> Verdict {
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
    pub fn ends_with_one_line(&mut self, program: &Program) -> Verdict<String> {
        self.ends_with_status(program, 1)?;
        let said = &self.said[program.actor.0];
        let lines: Vec<&str> = said.on(Stream::Stderr).collect();
        if let [line] = lines[..]
            && !line.trim().is_empty()
        {
            return Ok(line.to_string());
        }
        let seen = match lines.last() {
            None => "nothing on stderr".to_string(),
            Some(_) if lines.len() == 1 => "an empty line on stderr".to_string(),
            Some(last) => format!(
                "{} lines, the last {}",
                lines.len(),
                quoted(last.as_bytes())
            ),
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
    pub fn still_runs(&mut self, program: &Program) -> Verdict {
        self.pump(Duration::from_millis(20));
        match self.endings[program.actor.0] {
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
    pub fn says_where(&mut self, server: &Program, words: &str) -> Verdict {
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
    pub fn says(&mut self, program: &Program, fragment: &str) -> Verdict<String> {
        let expected = format!("{} says {}", program.name, quoted(fragment.as_bytes()));
        self.says_what(program, &expected, |line| line.contains(fragment))
    }

    /// Waits for a line that fits.
    ///
    /// # Errors
    /// When none comes.
    pub fn says_what(
        &mut self,
        program: &Program,
        expected: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Verdict<String> {
        let actor = program.actor.0;
        let found = self.until(PATIENCE, |bench| {
            let mut lines = bench.said[actor].lines.iter();
            match lines.find(|line| fits(&line.text)) {
                Some(line) => Some(Some(line.text.clone())),
                None if bench.endings[actor].is_some() => Some(None),
                None => None,
            }
        });
        if let Some(Some(line)) = found {
            return Ok(line);
        }
        let said = &self.said[actor].lines;
        let seen = match said.last() {
            None => "no line".to_string(),
            Some(last) => {
                let last = quoted(last.text.as_bytes());
                match said.len() {
                    1 => format!("another line: {last}"),
                    count => format!("{count} other lines, the last {last}"),
                }
            }
        };
        Err(Fault::program(expected, seen))
    }

    /// What it wrote so far to stdout.
    pub fn stdout(&mut self, program: &Program) -> Vec<String> {
        self.pump(LOOK);
        let said = &self.said[program.actor.0];
        said.on(Stream::Stdout).map(str::to_string).collect()
    }
}

fn ended(ending: Ending) -> String {
    match ending {
        Ending::Status(status) => format!("ended with status {status}"),
        Ending::Signal(signal) => format!("was ended by signal {signal}"),
    }
}
