//! Runs programs under a tracer and puts their calls together.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use sources::calls::{Deed, Started, TaskEvent, Tracer, Tracing, channel};
use timeline::call::{CallId, End, Outcome, Start};
use timeline::{Actor, Ending};

/// Long enough for a busy machine, and the end of a test that hangs.
const DEADLINE: Duration = Duration::from_secs(60);

pub const FIRST: Actor = Actor(0);
pub const SECOND: Actor = Actor(1);

/// A part of `part.rs` with which nobody talks.
pub fn part(name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_calls-part"));
    command.arg(name).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A part of `part.rs` with pipes to its input and from its output.
pub fn piped(name: &str) -> Command {
    let mut command = part(name);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// The client of `part.rs`, which calls this address.
pub fn client(address: impl ToString) -> Command {
    let mut client = part("client");
    client.arg(address.to_string());
    client
}

/// A listener of the test's own, for a program that calls.
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// A Python program of the folder `talks`.
pub fn talk(name: &str) -> Command {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("python3 is installed");
    let python = String::from_utf8_lossy(&output.stdout);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/talks");
    let mut command = Command::new(python.trim());
    command.arg(folder.join(format!("{name}.py")));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// The first line that a program writes.
pub fn first_line(started: &mut Started) -> String {
    let stdout = started.stdout.as_mut().expect("its stdout is a pipe");
    let mut line = String::new();
    let read = BufReader::new(stdout).read_line(&mut line);
    read.expect("the pipe can be read");
    line.trim_end().to_string()
}

/// A call, from its begin to its end.
#[derive(Clone, Debug)]
pub struct Call {
    pub actor: Actor,
    pub begin: u64,
    pub start: Start,
    pub end: Option<(u64, End)>,
}

impl Call {
    pub fn outcome(&self) -> &Outcome {
        &self.end.as_ref().expect("the call has ended").1.outcome
    }

    pub fn returned(&self) -> Option<i64> {
        match self.outcome() {
            Outcome::Returned(value) => Some(*value),
            _ => None,
        }
    }
}

/// Programs, and all events that were seen so far.
pub struct Stage {
    pub tracer: Tracer,
    receiver: Receiver<TaskEvent>,
    pub events: Vec<TaskEvent>,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Tracing::default())
    }

    pub fn with(options: Tracing) -> Self {
        let (tracer, receiver) = channel(options).expect("calls can be observed here");
        Self {
            tracer,
            receiver,
            events: Vec::new(),
        }
    }

    /// Each call is held before it begins.
    pub fn holding() -> Self {
        let hold = true;
        Self::with(Tracing {
            hold,
            ..Default::default()
        })
    }

    /// Has the server and the client of `part.rs` talk, to their ends.
    pub fn server_and_client(&mut self) {
        let mut server = self.start(FIRST, piped("server"));
        self.start(SECOND, client(first_line(&mut server)));
        assert_eq!(self.ending(FIRST), Ending::Status(0));
        assert_eq!(self.ending(SECOND), Ending::Status(0));
    }

    pub fn start(&self, actor: Actor, command: Command) -> Started {
        let started = self.tracer.start(actor, command);
        started.expect("the program can be started")
    }

    /// Takes events until one fits; the deadline fails the test.
    pub fn until(&mut self, what: &str, fits: impl Fn(&TaskEvent) -> bool) -> &TaskEvent {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.receiver.recv_timeout(left) {
                Ok(event) => self.events.push(event),
                Err(_) => panic!("{what} did not come: {:#?}", self.events),
            }
            let last = self.events.len() - 1;
            if fits(&self.events[last]) {
                return &self.events[last];
            }
        }
    }

    /// Waits until a call with this name begins.
    pub fn until_call(&mut self, name: &str) -> CallId {
        let fits =
            |event: &TaskEvent| matches!(&event.what, Deed::Call(start) if start.name == name);
        match &self.until(name, fits).what {
            Deed::Call(start) => start.id,
            _ => unreachable!("it fits"),
        }
    }

    /// Waits until this call has ended.
    pub fn until_end(&mut self, call: CallId) {
        let fits = |event: &TaskEvent| matches!(&event.what, Deed::Return(end) if end.id == call);
        self.until("the end of the call", fits);
    }

    /// Waits until a call is held.
    pub fn until_held(&mut self) -> CallId {
        let held = |event: &TaskEvent| matches!(event.what, Deed::Held(_));
        match self.until("a held call", held).what {
            Deed::Held(call) => call,
            _ => unreachable!("it fits"),
        }
    }

    /// Waits for the end of a program, unless it was seen already.
    pub fn ending(&mut self, actor: Actor) -> Ending {
        let ending = |event: &TaskEvent| match event.what {
            Deed::ProgramEnded(ending) if event.actor == actor => Some(ending),
            _ => None,
        };
        let seen = self.events.iter().find_map(ending);
        let ending =
            seen.or_else(|| ending(self.until("the end", |event| ending(event).is_some())));
        self.check_order();
        ending.expect("it fits")
    }

    /// The events of one task come in the order of time.
    fn check_order(&self) {
        let mut latest: HashMap<u32, &TaskEvent> = HashMap::new();
        for event in &self.events {
            let before = latest.insert(event.tid, event);
            let before = before.filter(|before| before.at > event.at);
            assert_eq!(before, None, "before {event:?}");
        }
    }

    /// All calls in the order in which they began.
    pub fn calls(&self) -> Vec<Call> {
        calls(&self.events)
    }

    /// The names of a program's calls, in the order in which they began.
    pub fn names(&self, actor: Actor) -> String {
        let calls = self.calls().into_iter().filter(|call| call.actor == actor);
        let names: Vec<_> = calls.map(|call| call.start.name).collect();
        names.join(" ")
    }

    /// The first call of a program with this name.
    pub fn call(&self, actor: Actor, name: &str) -> Call {
        let wanted = |call: &Call| call.actor == actor && call.start.name == name;
        let found = self.calls().into_iter().find(wanted);
        found.unwrap_or_else(|| panic!("no {name}: {:#?}", self.events))
    }
}

fn calls(events: &[TaskEvent]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut places = HashMap::new();
    for event in events {
        match &event.what {
            Deed::Call(start) => {
                places.insert(start.id, calls.len());
                calls.push(Call {
                    actor: event.actor,
                    begin: event.at,
                    start: start.clone(),
                    end: None,
                });
            }
            Deed::Return(end) => {
                let place = places[&end.id];
                let call = &mut calls[place];
                assert_eq!(call.end, None, "a call ends once");
                call.end = Some((event.at, end.clone()));
            }
            _ => {}
        }
    }
    calls
}
