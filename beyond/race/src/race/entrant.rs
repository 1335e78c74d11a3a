//! Who takes part in the race, and how it is started.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scene::{Actor, Program, Stage};

use super::machine::{self, Family};
use super::text::Dialect;

/// All models, as the flag of the server names them.
pub const MODELS: [&str; 6] = [
    "one-at-a-time",
    "thread-per-client",
    "thread-pool",
    "event-loop",
    "async",
    "io-uring",
];

/// A program that takes part.
#[derive(Clone)]
pub struct Entrant {
    pub name: String,
    /// What a shell would run; `{port}` stands for the port.
    pub command: String,
    pub dialect: Dialect,
    /// How many callers it serves at once, if it has such a limit.
    pub places: Option<usize>,
}

impl Entrant {
    /// One of the models: this program, started again.
    pub fn model(name: &str, more: &str) -> Result<Self> {
        let words = format!("--model {name} --max-clients 1000000 {more}");
        let places = match name {
            "one-at-a-time" => Some(1),
            "thread-pool" => Some(8),
            _ => None,
        };
        let ours = Self::ours(name, &words)?;
        Ok(Self { places, ..ours })
    }

    /// Our own server, with these words more.
    pub fn ours(name: &str, words: &str) -> Result<Self> {
        let own = env::current_exe().context("find our own executable")?;
        let own = own.display();
        Ok(Self {
            name: name.into(),
            command: format!(
                "'{own}' server {words} --addr 127.0.0.1:{{port}} --reply echo --quiet"
            ),
            dialect: Dialect::Echo,
            places: None,
        })
    }

    /// Reads `NAME=COMMAND`. A name that begins with redis is asked in Redis's
    /// own protocol.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((name, command)) = text.split_once('=') else {
            return Err("write NAME='command with {port}'".into());
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if name.is_empty() || name.len() > 17 || !name.chars().all(plain) {
            return Err("the name has 1 to 17 letters, digits, or one of - _ . +".into());
        }
        if !command.contains("{port}") {
            return Err("the command has no {port}: there the race puts the port".into());
        }
        Ok(Self {
            name: name.into(),
            command: command.into(),
            dialect: match name.starts_with("redis") {
                true => Dialect::Redis,
                false => Dialect::Echo,
            },
            places: None,
        })
    }
}

/// Peers that most machines have. Each is a whole server in a few lines.
pub fn python_peers() -> Vec<Entrant> {
    let answer = Command::new("python3").arg("--version").output();
    if !answer.is_ok_and(|output| output.status.success()) {
        return Vec::new();
    }
    let peer = |name: &str, source: &str| Entrant {
        name: name.into(),
        command: format!("python3 -c '{source}' {{port}}"),
        dialect: Dialect::Echo,
        places: None,
    };
    vec![
        peer("py-threads", include_str!("../../peers/threads.py")),
        peer("py-asyncio", include_str!("../../peers/streams.py")),
    ]
}

/// A server that runs, alone on its stage. It ends when this is dropped.
pub struct Server {
    stage: Stage,
    actor: Actor,
    pub addr: SocketAddr,
    pub family: Family,
}

impl Server {
    /// Starts it on these cores, and waits until it takes calls.
    pub fn start(entrant: &Entrant, cores: &[usize]) -> Result<Self> {
        let before = machine::cores()?;
        machine::stay_on(cores)?; // what is started now inherits this
        let server = Self::start_here(entrant);
        machine::stay_on(&before)?;
        server
    }

    fn start_here(entrant: &Entrant) -> Result<Self> {
        let port = free_port()?;
        let command = entrant.command.replace("{port}", &port.to_string());
        // exec: the shell becomes the program, and keeps its process number.
        // What it says on stdout is not read during the race, so it must not
        // wait for a reader.
        let line = match entrant.command.contains(" --udp ") {
            true => format!("exec {command}"), // it says how many calls it made
            false => format!("exec {command} >/dev/null"),
        };
        let mut stage = Stage::rehearsal();
        let actor = stage.start(&entrant.name, &Program::new("sh").args(["-c", &line]))?;
        let family = Family::new(stage.pid(actor));
        let mut server = Self {
            stage,
            actor,
            addr: ([127, 0, 0, 1], port).into(),
            family,
        };
        server.wait_until_it_listens(entrant)?;
        Ok(server)
    }

    /// A program of somebody else does not say when it is ready: it is called
    /// until it takes the call. Datagrams: until there is such a socket.
    fn wait_until_it_listens(&mut self, entrant: &Entrant) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(self.addr).is_err()
            && machine::udp_socket(self.addr.port()).is_none()
        {
            if is_gone(self.stage.pid(self.actor)) {
                let _ = self.stage.wait_exit(self.actor);
                let said = match &self.stage.lines(self.actor)[..] {
                    [] => " and said nothing on stderr".into(),
                    lines => format!(":\n  {}", lines.join("\n  ")),
                };
                bail!("{} ended before it took a call{said}", entrant.name);
            }
            let (name, command) = (&entrant.name, &entrant.command);
            ensure!(
                Instant::now() < deadline,
                "{name} does not listen on {}: {command}",
                self.addr,
            );
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// Stops the program for a while: it is not run until it is released.
    pub fn hold(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets a program go on that was held.
    pub fn release(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.stage.pid(self.actor) as i32);
        kill(pid, signal).with_context(|| format!("send {signal}"))
    }

    /// Ends one of our own servers, which says then how many system calls its
    /// datagrams took. None if it is somebody else's.
    pub fn system_calls(mut self) -> Result<Option<u64>> {
        self.stage.interrupt(self.actor)?;
        self.stage.wait_exit(self.actor)?;
        let lines = self.stage.lines(self.actor);
        let line = lines.iter().find_map(|line| line.strip_prefix("used "));
        Ok(line.and_then(|line| line.split(' ').next()?.parse().ok()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stage.kill(self.actor);
        let _ = self.stage.wait_exit(self.actor);
    }
}

/// Whether the program has ended, also if nobody has asked for its status yet.
fn is_gone(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default();
    stat.is_empty() || state.trim_start().starts_with('Z')
}

/// A port that was free a moment ago. Nothing in Linux can keep it for a
/// program that is not there yet; if somebody is faster, the race says so.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("bind 127.0.0.1:0")?;
    Ok(listener.local_addr().context("getsockname")?.port())
}
