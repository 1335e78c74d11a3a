//! Starting the program under test.

use std::io::Write;
use std::process::ChildStdin;
use std::thread;

use anyhow::{Context, anyhow};
use xray::Program;

use super::{Bench, STARTS};
use crate::command::{Settings, tell_address, words};
use crate::fault::{Fault, Verdict};
use crate::ground::Bound;
use crate::launch::{Launch, Tested};

/// Why a server cannot be called at all.
const NOWHERE: &str = "The program listens nowhere. It has ended, or waits for something else \
                       first: what it wrote may say why.";

impl Bench {
    /// Starts the server, and waits until it can be called.
    ///
    /// # Errors
    /// When it ends instead, or listens nowhere.
    pub fn server(&mut self) -> Verdict<Tested> {
        self.server_as(Launch::server())
    }

    /// Like `server`, started in another way.
    ///
    /// # Errors
    /// When it ends instead, or listens nowhere.
    pub fn server_as(&mut self, launch: Launch) -> Verdict<Tested> {
        let mut server = self.start(launch)?;
        let bound = self.until(STARTS, |bench| {
            bench.find(&server).map(Some).or_else(|| {
                let ended = bench.has_ended(&server);
                ended.then_some(None)
            })
        });
        let Some(Some(bound)) = bound else {
            let state = self.state(&server);
            let expected = "a server that can be called";
            // A later one is what the check is about.
            let first = server.actor.0 == 0;
            return Err(match first {
                true => Fault::before(expected, state, NOWHERE),
                false => Fault::program(expected, state),
            });
        };
        self.story.meet();
        server.bound = bound.address;
        server.address = bound.address;
        if bound.address.ip().is_unspecified() {
            server.address.set_ip(server.told.ip());
        }
        let what = if bound.datagrams {
            "is bound to"
        } else {
            "listens on"
        };
        let name = &server.name;
        self.story.step(format!("{name} {what} {}", bound.address));
        Ok(server)
    }

    /// Starts the client with these lines as its input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn client(&mut self, lines: &[&str]) -> Verdict<Tested> {
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.start(Launch::client().input(input))
    }

    /// Starts a program, and does not wait for anything.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, launch: Launch) -> Verdict<Tested> {
        let line = self.setup.command(launch.of).map(str::to_string);
        let line = line.context("no command for this side")?;
        let told = match launch.address {
            Some(address) => address.choose(self.setup.private)?,
            None => self.address()?,
        };
        let mut settings = self.settings.clone();
        tell_address(&mut settings, told);
        let words = words(&line, &settings)?;
        let name = launch.name;
        let program = program(&words, launch.files, settings);
        let started = self.cast.start(&name, &program);
        let (actor, input) = started.with_context(|| format!("start {}", words[0]))?;
        let with = match launch.input.as_slice() {
            b"" => String::new(),
            bytes => format!(", with {} to read", crate::bytes::counted(bytes)),
        };
        self.story
            .step(format!("{name} was started, with the address {told}{with}"));
        feed(input, launch.input);
        self.log.starts(&name);
        Ok(Tested {
            actor,
            name,
            told,
            address: told,
            bound: told,
        })
    }

    /// Where a server can be called: by what it has bound, and where that cannot
    /// be seen, by what it says.
    fn find(&mut self, server: &Tested) -> Option<Bound> {
        let pid = self.cast.pid(server.actor);
        let Some(found) = self.sight.borrow_mut().bound(pid) else {
            return self.said_address(server);
        };
        let told = server.told.port();
        let usual = self.setup.port;
        let at = |port| found.iter().find(|bound| bound.address.port() == port);
        at(told).or_else(|| at(usual)).or(found.first()).copied()
    }

    fn said_address(&self, server: &Tested) -> Option<Bound> {
        self.log.said(server.actor).lines.iter().find_map(|line| {
            let listens = line.text.strip_prefix("listening on ");
            let address = listens.or_else(|| line.text.strip_prefix("bound to "))?;
            Some(Bound {
                address: address.trim().parse().ok()?,
                datagrams: listens.is_none(),
            })
        })
    }

    /// SIGINT, as Ctrl-C sends it.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn interrupt(&mut self, program: &Tested) -> Verdict {
        self.story
            .step(format!("{} was interrupted (Ctrl-C)", program.name));
        Ok(self.cast.interrupt(program.actor)?)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn kill(&mut self, program: &Tested) -> Verdict {
        self.story.step(format!("{} was killed", program.name));
        self.cast
            .kill(program.actor)
            .map_err(|error| anyhow!("kill {}: {error}", program.name).into())
    }
}

/// A program with these words, and with these settings in its environment.
fn program(words: &[String], files: Option<u32>, settings: Settings) -> Program {
    let program = match files {
        Some(most) => {
            let run = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
            Program::new("sh").args(["-c", &run]).args(words)
        }
        None => Program::new(&words[0]).args(&words[1..]),
    };
    // Python keeps back what it prints into a pipe until it ends.
    let program = program.env("PYTHONUNBUFFERED", "1");
    settings
        .into_iter()
        .fold(program, |program, (name, value)| {
            program.env(name.to_uppercase(), value)
        })
}

/// A thread of its own writes: a program that does not read must not stop us.
fn feed(stdin: Option<ChildStdin>, input: Vec<u8>) {
    if let Some(mut stdin) = stdin {
        thread::spawn(move || {
            // A program need not read its input.
            let _ = stdin.write_all(&input);
        });
    }
}
