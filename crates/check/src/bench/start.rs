//! Starting the program under test.

use std::io::Write;
use std::net::SocketAddr;
use std::process::ChildStdin;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::Bench;
use crate::address::Address;
use crate::command::{tell_address, words};
use crate::fault::{Fault, Verdict};
use crate::ground::Bound;
use crate::plan::Of;
use crate::program::{Program, Said};

/// A program may take so long to start: a virtual machine warms up, a slow one
/// rests first.
pub(super) const STARTS: Duration = Duration::from_secs(5);

/// Why a server cannot be called at all.
const NOWHERE: &str = "The program listens nowhere. It has ended, or waits for something else \
                       first: what it wrote may say why.";

/// How a program is started.
#[derive(Clone, Debug)]
pub struct Start {
    of: Of,
    name: String,
    address: Option<Address>,
    files: Option<u32>,
    input: Vec<u8>,
}

impl Start {
    /// The server under test.
    pub fn server() -> Self {
        Self {
            of: Of::Server,
            name: "your server".into(),
            address: None,
            files: None,
            input: Vec::new(),
        }
    }

    /// The client under test.
    pub fn client() -> Self {
        Self {
            of: Of::Client,
            name: "your client".into(),
            ..Self::server()
        }
    }

    /// Another name in the story, where there are several.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// It is told another address than usual.
    #[must_use]
    pub fn at(self, address: Address) -> Self {
        Self {
            address: Some(address),
            ..self
        }
    }

    /// It may have so many files open, sockets included.
    #[must_use]
    pub fn files(self, most: u32) -> Self {
        Self {
            files: Some(most),
            ..self
        }
    }

    /// What it reads from its standard input, before the end of it.
    #[must_use]
    pub fn input(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            input: bytes.into(),
            ..self
        }
    }
}

/// Words, and names with values.
type Command = (Vec<String>, Vec<(String, String)>);

impl Bench {
    /// Starts the server, and waits until it can be called.
    ///
    /// # Errors
    /// When it ends instead, or listens nowhere.
    pub fn server(&mut self) -> Verdict<Program> {
        self.server_as(Start::server())
    }

    /// The same, started in another way.
    ///
    /// # Errors
    /// When it ends instead, or listens nowhere.
    pub fn server_as(&mut self, start: Start) -> Verdict<Program> {
        let mut server = self.start(start)?;
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
    pub fn client(&mut self, lines: &[&str]) -> Verdict<Program> {
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        self.start(Start::client().input(input))
    }

    /// Starts a program, and does not wait for anything.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, start: Start) -> Verdict<Program> {
        let line = match start.of {
            Of::Server => self.setup.server.clone(),
            Of::Client | Of::Both => self.setup.client.clone(),
        };
        let line = line.context("no command for this side")?;
        let told = match start.address {
            Some(address) => address.choose(self.setup.private)?,
            None => self.address()?,
        };
        let (words, environment) = self.command(&line, told, start.files)?;
        let name = start.name;
        let started = self.crew.start(&name, &words, &environment);
        let started = started.with_context(|| format!("start {}", words[0]));
        let (actor, input) = started?;
        let with = match start.input.as_slice() {
            b"" => String::new(),
            bytes => format!(", with {} to read", crate::bytes::counted(bytes)),
        };
        self.story
            .step(format!("{name} was started, with the address {told}{with}"));
        feed(input, start.input);
        self.endings.push(None);
        self.said.push(Said {
            name: name.clone(),
            lines: Vec::new(),
        });
        Ok(Program {
            actor,
            name,
            told,
            address: told,
            bound: told,
        })
    }

    /// The words of the command line, and what is set in its environment.
    fn command(&self, line: &str, told: SocketAddr, files: Option<u32>) -> Verdict<Command> {
        let mut settings = self.settings.clone();
        tell_address(&mut settings, told);
        let mut words = words(line, &settings)?;
        if let Some(most) = files {
            let run = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
            let shell = ["sh".to_string(), "-c".to_string(), run];
            words = shell.into_iter().chain(words).collect();
        }
        let named = settings.into_iter();
        let named = named.map(|(name, value)| (name.to_uppercase(), value));
        // Python keeps back what it prints into a pipe until it ends.
        let python = ("PYTHONUNBUFFERED".to_string(), "1".to_string());
        Ok((words, named.chain([python]).collect()))
    }

    /// Where a server can be called: by what it has bound, and where that cannot
    /// be seen, by what it says.
    fn find(&mut self, server: &Program) -> Option<Bound> {
        let pid = self.crew.pid(server.actor);
        let Some(found) = self.sight.borrow_mut().bound(pid) else {
            return self.said_address(server);
        };
        let told = server.told.port();
        let usual = self.setup.port;
        let at = |port| found.iter().find(|bound| bound.address.port() == port);
        at(told).or_else(|| at(usual)).or(found.first()).copied()
    }

    fn said_address(&self, server: &Program) -> Option<Bound> {
        self.said[server.actor.0].lines.iter().find_map(|line| {
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
    pub fn interrupt(&mut self, program: &Program) -> Verdict {
        self.story
            .step(format!("{} was interrupted (Ctrl-C)", program.name));
        Ok(self.crew.interrupt(program.actor)?)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// A fault of ours only.
    pub fn kill(&mut self, program: &Program) -> Verdict {
        self.story.step(format!("{} was killed", program.name));
        self.crew
            .kill(program.actor)
            .map_err(|error| anyhow!("kill {}: {error}", program.name).into())
    }
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
