//! The commands of one section, run together: servers in the background,
//! clients one after the other, on ports that the system chooses.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use scene::{Actor, Program, Stage};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::compare::difference;

/// One command, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) args: Vec<String>,
    input: Option<Vec<String>>,
    background: bool,
}

impl Command {
    /// Understands `[printf '…' |] cargo run [-q] -p lesson-N [--] ARGS… [&]`,
    /// and in it `"$(printf %0Nd 0)"`, the shell's way to write N zeros.
    pub(crate) fn parse(line: &str) -> Result<Self> {
        let mut words = shell_words::split(line).with_context(|| format!("read {line:?}"))?;
        let mut input = None;
        if words.first().is_some_and(|word| word == "printf") {
            let is_piped = words.len() > 3 && words[2] == "|";
            ensure!(is_piped, "{line:?}: write printf '…' | cargo run …");
            let text = words[1].replace("\\n", "\n");
            input = Some(text.lines().map(str::to_string).collect());
            words.drain(..3);
        }
        let amp = words.last().is_some_and(|word| word == "&");
        words.truncate(words.len() - usize::from(amp));
        let mut rest = words.into_iter().peekable();
        for word in ["cargo", "run"] {
            let is_next = rest.next().as_deref() == Some(word);
            ensure!(is_next, "{line:?} is not run by cargo run");
        }
        rest.next_if(|word| word == "-q");
        let has_package = rest.next().as_deref() == Some("-p");
        ensure!(has_package, "{line:?} names no package with -p");
        rest.next();
        rest.next_if(|word| word == "--");
        let args: Vec<String> = rest.map(|word| zeros(&word)).collect();
        let background = amp || args.first().is_some_and(|side| side == "server");
        Ok(Self {
            args,
            input,
            background,
        })
    }

    /// The first word; without one, a lesson plays its scene.
    fn side(&self) -> &str {
        self.args.first().map_or("scene", String::as_str)
    }
}

/// A command that has run or still runs, and where its output is written.
pub(crate) struct Run {
    actor: Actor,
    pub(crate) output: Range<usize>,
    pub(crate) came: Vec<String>,
}

/// The commands of one section.
pub(crate) struct Group<'a> {
    executable: &'a str,
    stage: Stage,
    background: Vec<Run>,
    /// From the port in the README to the port of this run.
    ports: HashMap<u16, u16>,
    first_server: Option<SocketAddr>,
    /// Held so that nobody else takes the port: bound, but not listening.
    closed: Vec<Socket>,
    /// Where its clients save files, and the folder that is written instead.
    inbox: Option<(TempDir, String)>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(executable: &'a str) -> Self {
        Self {
            executable,
            stage: Stage::rehearsal(),
            background: Vec::new(),
            ports: HashMap::new(),
            first_server: None,
            closed: Vec::new(),
            inbox: None,
        }
    }

    /// Runs a command; gives its output, or nothing while it is in the background.
    pub(crate) fn run(
        &mut self,
        mut command: Command,
        output: Range<usize>,
        written: &[String],
    ) -> Result<Option<Run>> {
        match command.side() {
            "server" => self.address_of_server(&mut command, written)?,
            "client" => {
                self.address_of_client(&mut command)?;
                self.folder_of_client(&mut command)?;
            }
            _ => {}
        }
        let server = command.side() == "server";
        let program = Program::new(self.executable).args(&command.args);
        let actor = self.stage.start(command.side(), &program)?;
        for line in command.input.iter().flatten() {
            self.stage.tell(actor, line)?;
        }
        let mut run = Run {
            actor,
            output,
            came: Vec::new(),
        };
        if command.background {
            if server {
                self.learn_port(actor, written)?;
            }
            self.background.push(run);
            return Ok(None);
        }
        self.stage.end_input(actor);
        self.stage.wait_exit(actor)?;
        run.came = self.said(&run, None);
        Ok(Some(run))
    }

    /// Waits until the background has said what is written, and ends it. With
    /// `update` what it will say is not known, so it gets half a second.
    pub(crate) fn end(mut self, written: &[String], update: bool) -> Result<Vec<Run>> {
        let mut runs = std::mem::take(&mut self.background);
        for run in &mut runs {
            let expected = &written[run.output.clone()];
            let interrupt = expected.iter().position(|line| line == "^C");
            let awaited = &expected[..interrupt.unwrap_or(expected.len())];
            let patience = Duration::from_millis(if update { 500 } else { 10_000 });
            self.stage.deadline(patience);
            // What does not come within the deadline shows in the comparison.
            while difference(awaited, &self.said(run, None)).is_some() {
                if self.stage.wait_line(run.actor, "").is_err() {
                    break;
                }
            }
            wait_for_rest(self.stage.pid(run.actor));
            match interrupt {
                Some(_) => self.stage.interrupt(run.actor)?,
                None => self.stage.kill(run.actor)?,
            }
            self.stage.wait_exit(run.actor)?;
            run.came = self.said(run, interrupt);
        }
        Ok(runs)
    }

    /// What it said, with the ports and the folder of the README in place of this
    /// run's.
    fn said(&self, run: &Run, interrupt: Option<usize>) -> Vec<String> {
        let mut lines = self.stage.lines(run.actor);
        if let Some(at) = interrupt {
            lines.insert(at.min(lines.len()), "^C".to_string());
        }
        for line in &mut lines {
            for (written, real) in &self.ports {
                *line = line.replace(&format!(":{real}"), &format!(":{written}"));
            }
            if let Some((inbox, written)) = &self.inbox {
                *line = line.replace(&inbox.path().display().to_string(), written);
            }
        }
        lines
    }

    /// Port 0, or the port that this group gave to the same number before.
    fn address_of_server(&mut self, command: &mut Command, written: &[String]) -> Result<()> {
        let at = match value_of(&command.args, &["--addr"]) {
            Some(at) => at,
            None => {
                let first = written.first();
                let first = first.context("the block of a server shows no output")?;
                let said = last_word(first);
                let is_address = port_in(said).is_some();
                ensure!(is_address, "{first:?} does not end with the address");
                command.args.extend(["--addr", said].map(str::to_string));
                command.args.len() - 1
            }
        };
        let addr = &mut command.args[at];
        if let Some(port) = port_in(addr) {
            let real = self.ports.get(&port).copied().unwrap_or(0);
            *addr = with_port(addr, real);
        }
        Ok(())
    }

    fn learn_port(&mut self, server: Actor, written: &[String]) -> Result<()> {
        let said = self.stage.wait_line(server, "")?;
        let Ok(real) = last_word(&said).parse::<SocketAddr>() else {
            return Ok(()); // It failed to start, and that may be what is written.
        };
        self.first_server.get_or_insert(real);
        if let Some(port) = written.first().and_then(|first| port_in(first)) {
            self.ports.insert(port, real.port());
        }
        Ok(())
    }

    fn address_of_client(&mut self, command: &mut Command) -> Result<()> {
        if let Some(at) = value_of(&command.args, &["--addr", "--to"]) {
            let addr = command.args[at].clone();
            if let Some(real) = port_in(&addr).and_then(|port| self.ports.get(&port)) {
                command.args[at] = with_port(&addr, *real);
            }
            return Ok(());
        }
        let help = self.help_of_client()?;
        let flag = match help.contains("--to ") {
            true => "--to",
            false => "--addr",
        };
        let addr = match self.first_server {
            Some(addr) if addr.ip().is_unspecified() => {
                SocketAddr::from((Ipv4Addr::LOCALHOST, addr.port()))
            }
            Some(addr) => addr,
            None => {
                let closed = self.closed_port(flag)?;
                let (_, usual) = help.split_once("[default: ").unwrap_or_default();
                let usual = usual.split(']').next().and_then(port_in);
                self.ports.extend(usual.map(|port| (port, closed.port())));
                closed
            }
        };
        command.args.extend([flag.to_string(), addr.to_string()]);
        Ok(())
    }

    /// A folder that was empty when the section began, and goes with it.
    fn folder_of_client(&mut self, command: &mut Command) -> Result<()> {
        if let Some(at) = value_of(&command.args, &["--into"]) {
            let inbox = match self.inbox.take() {
                Some((inbox, _)) => inbox,
                None => tempfile::tempdir()?,
            };
            let real = inbox.path().display().to_string();
            let written = std::mem::replace(&mut command.args[at], real);
            self.inbox = Some((inbox, written));
        }
        Ok(())
    }

    /// It says what the client calls its address, and which one is the default.
    fn help_of_client(&mut self) -> Result<String> {
        let help = Program::new(self.executable).args(["client", "--help"]);
        let help = self.stage.start("help", &help)?;
        self.stage.end_input(help);
        self.stage.wait_exit(help)?;
        Ok(self.stage.lines(help).join("\n"))
    }

    /// An address where nobody listens.
    fn closed_port(&mut self, flag: &str) -> Result<SocketAddr> {
        let kind = match flag {
            "--to" => Type::DGRAM,
            _ => Type::STREAM,
        };
        let socket = Socket::new(Domain::IPV4, kind, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let addr = socket.local_addr()?.as_socket().context("no IP address")?;
        // A bound datagram socket already receives; so its port is given back.
        if kind == Type::STREAM {
            self.closed.push(socket);
        }
        Ok(addr)
    }
}

/// What the shell would put in place of `$(printf %0Nd 0)`.
fn zeros(word: &str) -> String {
    let digits = word.strip_prefix("$(printf %0");
    let digits = digits.and_then(|rest| rest.strip_suffix("d 0)"));
    let count = digits.and_then(|digits| digits.parse().ok());
    count.map_or_else(|| word.to_string(), |count| "0".repeat(count))
}

/// Where the value of the first of these flags stands.
fn value_of(args: &[String], flags: &[&str]) -> Option<usize> {
    let at = args.iter().position(|arg| flags.contains(&arg.as_str()))?;
    (at + 1 < args.len()).then_some(at + 1)
}

fn last_word(line: &str) -> &str {
    line.rsplit(' ').next().unwrap_or_default()
}

fn port_in(addr: &str) -> Option<u16> {
    addr.rsplit_once(':')?.1.parse().ok()
}

fn with_port(addr: &str, port: u16) -> String {
    let host = addr.rsplit_once(':').map_or(addr, |(host, _)| host);
    format!("{host}:{port}")
}

/// A program may say what it is about to do: then it is given the time to do it.
/// Nothing announces that it waits for others; /proc/PID/stat knows it (proc(5)).
fn wait_for_rest(pid: u32) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while is_running(pid) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether it is neither waiting nor gone. Where there is no /proc, nobody knows.
fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything.
    let rest = stat.rsplit(") ").next();
    rest.is_some_and(|rest| rest.starts_with('R'))
}
