//! Non-blocking, timed, blocking: one scale of patience, tried on each call
//! that can wait. Both ends of each connection live in this process.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use socket2::{Domain, SockRef, Socket, Type};

/// How long a timed call may wait.
const TIMEOUT: Duration = Duration::from_millis(200);

/// When the other end does what a blocking call waits for.
const LATER: Duration = Duration::from_millis(400);

/// How much is sent at once: more than the buffers of both ends hold.
const SIZE: usize = 4 * 1024 * 1024;

/// Shows how long the same call waits in each mode, and what comes of it
#[derive(Parser)]
#[command(after_help = "Example:\n  cargo run -p lesson-5 scale receive")]
pub struct Args {
    /// Which experiments to make [default: all]
    #[arg(value_name = "EXPERIMENT")]
    experiments: Vec<Experiment>,
}

/// One call that can wait, in all modes.
#[derive(Clone, Copy, ValueEnum)]
pub enum Experiment {
    /// Receive from a peer that is silent for a while
    Receive,
    /// Receive with a timeout of zero
    Zero,
    /// Connect to a server whose accept queue is full
    Connect,
    /// Send to a peer that does not read for a while
    Send,
}

/// Makes the experiments and prints a table for each.
pub fn run(args: &Args) -> Result<()> {
    let chosen = match args.experiments.as_slice() {
        [] => Experiment::value_variants(),
        chosen => chosen,
    };
    for experiment in chosen {
        // Nobody may read any more, as in `| head -3`.
        let _ = write!(io::stdout(), "{}", experiment.make()?);
    }
    Ok(())
}

impl Experiment {
    /// Makes the experiment.
    pub fn make(self) -> Result<Table> {
        match self {
            Experiment::Receive => receive(),
            Experiment::Zero => zero(),
            Experiment::Connect => connect(),
            Experiment::Send => send(),
        }
    }
}

/// One socket, three settings. The peer speaks when the third is tried.
fn receive() -> Result<Table> {
    let (ours, mut theirs) = pair()?;
    let mut table = Table::new("receive: nothing has come yet");
    // ANCHOR: receive
    ours.set_nonblocking(true)?;
    table.time("non-blocking", || heard(&ours));

    ours.set_nonblocking(false)?;
    ours.set_read_timeout(Some(TIMEOUT))?;
    table.time("timeout 0.2 s", || heard(&ours));

    ours.set_read_timeout(None)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(LATER);
            theirs.write_all(b"hello")
        });
        table.time("blocking", || heard(&ours));
    });
    // ANCHOR_END: receive
    Ok(table)
}

/// The same timeout of zero, asked of two libraries.
fn zero() -> Result<Table> {
    let (ours, mut theirs) = pair()?;
    let mut table = Table::new("receive: a timeout of zero");
    // ANCHOR: zero
    table.time("std", || {
        ours.set_read_timeout(Some(Duration::ZERO))?;
        heard(&ours)
    });
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(LATER);
            theirs.write_all(b"hello")
        });
        table.time("socket2", || {
            SockRef::from(&ours).set_read_timeout(Some(Duration::ZERO))?;
            heard(&ours)
        });
    });
    // ANCHOR_END: zero
    Ok(table)
}

/// A connect that nobody answers. A place comes free when the third is tried.
fn connect() -> Result<Table> {
    let queue = FullQueue::new()?;
    let mut table = Table::new("connect: the accept queue is full");
    // ANCHOR: connect
    table.time("non-blocking", || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&queue.addr.into()).map(|()| "connected")
    });
    table.time("timeout 0.2 s", || {
        TcpStream::connect_timeout(&queue.addr, TIMEOUT).map(|_| "connected")
    });
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(LATER);
            queue.listener.accept()
        });
        table.time("blocking", || {
            TcpStream::connect(queue.addr).map(|_| "connected")
        });
    });
    // ANCHOR_END: connect

    // Bound, so that the port is ours, but not listening.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    closed.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    let addr = closed.local_addr()?;
    let addr = addr.as_socket().context("getsockname")?;
    table.time("nobody listens", || {
        TcpStream::connect(addr).map(|_| "connected")
    });
    Ok(table)
}

/// Many bytes in one send. The peer reads when the third is tried.
fn send() -> Result<Table> {
    let message = vec![0; SIZE];
    let mut table = Table::new("send: the peer does not read");
    // ANCHOR: send
    let (ours, _theirs) = pair()?;
    ours.set_nonblocking(true)?;
    table.time("non-blocking", || taken(&ours, &message));

    let (ours, _theirs) = pair()?;
    ours.set_write_timeout(Some(TIMEOUT))?;
    table.time("timeout 0.2 s", || taken(&ours, &message));
    table.time("  and the rest", || -> io::Result<String> {
        loop {
            taken(&ours, &message)?;
        }
    });

    let (ours, theirs) = pair()?;
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(LATER);
            io::copy(&mut theirs.take(SIZE as u64), &mut io::sink())
        });
        table.time("blocking", || taken(&ours, &message));
    });
    // ANCHOR_END: send
    Ok(table)
}

/// One receive.
fn heard(mut socket: &TcpStream) -> io::Result<String> {
    let mut buffer = [0; 1024];
    let length = socket.read(&mut buffer)?;
    Ok(format!("{length} bytes"))
}

/// One send.
fn taken(mut socket: &TcpStream, message: &[u8]) -> io::Result<String> {
    let length = socket.write(message)?;
    Ok(format!("{length} of {} bytes", message.len()))
}

/// The two ends of a connection.
fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    // Small, so that it is soon full, whatever the system's default is.
    SockRef::from(&ours).set_send_buffer_size(64 * 1024)?;
    let (theirs, _) = listener.accept()?;
    Ok((ours, theirs))
}

/// A server that does not accept, and callers enough to fill its queue.
pub struct FullQueue {
    pub addr: SocketAddr,
    listener: TcpListener,
    waiting: Vec<TcpStream>,
}

impl FullQueue {
    pub fn new() -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        socket.listen(0)?;
        let listener = TcpListener::from(socket);
        let addr = listener.local_addr()?;
        let mut waiting = Vec::new();
        // How many fit differs from system to system: fill it until one waits.
        // Within one host a connect that gets in does so at once.
        let soon = Duration::from_millis(50);
        while let Ok(caller) = TcpStream::connect_timeout(&addr, soon) {
            waiting.push(caller);
            ensure!(waiting.len() < 64, "a backlog of 0 let 64 callers in");
        }
        Ok(Self {
            addr,
            listener,
            waiting,
        })
    }

    /// How many callers wait in it.
    pub fn callers(&self) -> usize {
        self.waiting.len()
    }
}

/// What an experiment showed.
pub struct Table {
    title: String,
    rows: Vec<Row>,
}

/// One call: in which mode, how long it waited, what came of it.
pub struct Row {
    mode: &'static str,
    waited: Duration,
    outcome: String,
}

impl Table {
    fn new(title: &str) -> Self {
        Self {
            title: title.into(),
            rows: Vec::new(),
        }
    }

    /// Makes a call and adds what it came to.
    fn time<T: fmt::Display>(&mut self, mode: &'static str, call: impl FnOnce() -> io::Result<T>) {
        let started = Instant::now();
        let result = call();
        let waited = started.elapsed();
        let outcome = match result {
            Ok(value) => value.to_string(),
            Err(error) => format!("{:?}", error.kind()),
        };
        self.rows.push(Row {
            mode,
            waited,
            outcome,
        });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            let waited = row.waited.as_secs_f64();
            writeln!(f, "  {:<16} {waited:.3} s  {}", row.mode, row.outcome)?;
        }
        Ok(())
    }
}
