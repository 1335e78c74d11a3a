//! Lesson 7, the server: many callers at the same time, in five ways.
//!
//! Read in this order: `run` below, then `models/service.rs` (what all models
//! share), then the models from `models/one_at_a_time.rs` on. Each is the same
//! program with one difference.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};
use socket2::{Domain, Socket, Type};

// The path is written out because this file is the root of one binary and a
// module of another. Without it the compiler would look in two places.
#[path = "models/mod.rs"]
pub(crate) mod models;
#[path = "moved.rs"]
pub(crate) mod moved;

use models::service::{Service, Settings};
use models::{async_tasks, event_loop, one_at_a_time, thread_per_client, thread_pool, udp};

/// Takes many calls at the same time, and sends back in upper case what it hears
#[derive(Parser)]
#[command(
    name = "lesson-7-server",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-7 server --model event-loop\n  \
                  cargo run -p lesson-7 server --model thread-pool --workers 2 --grace 10"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8084", value_parser = host_port)]
    addr: String,

    /// How the calls are served at the same time
    #[arg(long, value_enum, default_value_t = Model::ThreadPerClient)]
    pub model: Model,

    /// Serve datagrams: one socket, one loop, no model needed
    #[arg(long, conflicts_with_all = ["model", "max_clients", "workers", "backlog", "grace"])]
    udp: bool,

    /// With --udp: up to 64 datagrams with one system call (beyond/race has it)
    #[arg(long, requires = "udp")]
    pub many: bool,

    /// What to send back: the bytes in ASCII upper case, or as they came
    #[arg(long, value_enum, default_value_t = Reply::Upper)]
    reply: Reply,

    /// How many calls may run at once; one more caller waits in the accept queue
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = at_least_one)]
    max_clients: usize,

    /// How many threads the model thread-pool has
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = at_least_one)]
    workers: usize,

    /// The size of a receive buffer in bytes; a longer message comes in pieces
    #[arg(long, value_name = "BYTES", default_value_t = 16_384, value_parser = at_least_one)]
    room: usize,

    /// How many callers the kernel keeps waiting; net.core.somaxconn bounds it
    #[arg(long, value_name = "N", default_value_t = 4096)]
    backlog: i32,

    /// How long running calls may go on after Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    grace: Duration,

    /// Panic in the handler when it receives this text, to see who is hurt
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    panic_on: Option<String>,

    /// Say nothing about single calls (for crowds)
    #[arg(long)]
    quiet: bool,
}

/// Who serves the calls, and so who waits for whom.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Model {
    /// The server of lesson 2: the next caller waits until this one has hung up
    OneAtATime,
    /// A thread for each call
    ThreadPerClient,
    /// A fixed number of threads that take call after call
    ThreadPool,
    /// One thread that serves whichever call is ready
    EventLoop,
    /// Like event-loop, with the waiting written by the compiler
    Async,
    /// One thread that asks the kernel to do the reading and writing (beyond/race has it)
    IoUring,
}

/// What is sent back for what was received.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reply {
    /// ASCII letters in upper case, all other bytes as they came
    Upper,
    /// The bytes as they came
    Echo,
}

/// A model: it serves all calls of a listener, until it is asked to stop.
pub type Serve = fn(TcpListener, &Arc<Service>) -> Result<()>;

/// The same with datagrams, which come through one socket.
pub type ServeDatagrams = fn(UdpSocket, &Arc<Service>) -> Result<()>;

// ANCHOR: run
/// Chooses the model, and lets it serve.
pub fn run(args: &Args) -> Result<()> {
    if args.udp {
        return serve_datagrams(args, udp::serve);
    }
    let model: Serve = match args.model {
        Model::OneAtATime => one_at_a_time::serve,
        Model::ThreadPerClient => thread_per_client::serve,
        Model::ThreadPool => thread_pool::serve,
        Model::EventLoop => event_loop::serve,
        Model::Async => async_tasks::serve,
        Model::IoUring => bail!("model io-uring: it is not in this program"),
    };
    serve_calls(args, model)
}

/// Listens, and hands the listener to the model.
pub fn serve_calls(args: &Args, serve: Serve) -> Result<()> {
    let addr = resolve(&args.addr)?;
    let service = service(args)?;
    let listener = listen(addr, args.backlog)?;
    let own = own_address(listener.local_addr())?;
    say(format!("listening on {own}"));
    serve(listener, &service)?;
    say(service.summary("call"));
    Ok(())
}

/// Binds, and hands the socket to whoever answers datagrams.
pub fn serve_datagrams(args: &Args, serve: ServeDatagrams) -> Result<()> {
    let addr = resolve(&args.addr)?;
    let service = service(args)?;
    let socket = UdpSocket::bind(addr).map_err(|error| explain("bind", addr, &error))?;
    say(format!("bound to {}", own_address(socket.local_addr())?));
    serve(socket, &service)?;
    if args.quiet {
        say(service.system_calls());
    }
    say(service.summary("datagram"));
    Ok(())
}
// ANCHOR_END: run

/// What all models share. From now on Ctrl-C and a panic are taken care of.
fn service(args: &Args) -> Result<Arc<Service>> {
    let service = Service::new(Settings {
        reply: args.reply,
        panic_on: args.panic_on.clone().map(String::into_bytes),
        quiet: args.quiet,
        max_clients: args.max_clients,
        workers: args.workers,
        room: args.room,
        grace: args.grace,
    });
    stop_on_ctrl_c(&service)?;
    panic::set_hook(Box::new(one_line));
    Ok(service)
}

/// A listener as in lesson 4: a restart is not kept waiting by TIME-WAIT.
fn listen(addr: SocketAddr, backlog: i32) -> Result<TcpListener> {
    let listener = Socket::new(Domain::for_address(addr), Type::STREAM, None)
        .map_err(|error| explain("socket", addr, &error))?;
    // On Windows the option means something else: it takes the port from others.
    #[cfg(not(windows))]
    listener.set_reuse_address(true).context("setsockopt")?;
    // A second piece of an answer shall not wait until the first has been
    // acknowledged (Nagle's algorithm). Each accepted connection inherits this.
    listener.set_tcp_nodelay(true).context("setsockopt")?;
    listener.bind(&addr.into()).map_err(|error| explain("bind", addr, &error))?;
    listener.listen(backlog).map_err(|error| explain("listen", addr, &error))?;
    Ok(listener.into())
}

// ANCHOR: ctrl-c
/// The first Ctrl-C asks the service to stop. The second ends the program at
/// once, with the status that a shell gives to an interrupted program.
fn stop_on_ctrl_c(service: &Arc<Service>) -> Result<()> {
    let service = service.clone();
    // The crate runs this in a thread of its own. In a real signal handler
    // almost nothing is allowed: neither a lock nor a print.
    let handler = move || {
        if !service.stop() {
            let _ = writeln!(io::stderr(), "asked a second time: ending at once");
            process::exit(130);
        }
    };
    ctrlc::set_handler(handler).context("sigaction: cannot take over Ctrl-C")
}
// ANCHOR_END: ctrl-c

/// What is printed when something panics. The default takes several lines.
fn one_line(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    let reason = text.unwrap_or("no reason given");
    let _ = writeln!(io::stderr(), "panic at {place}: {reason}");
}

/// getsockname: the address and port of our own end.
fn own_address(address: io::Result<SocketAddr>) -> Result<SocketAddr> {
    address.context("getsockname")
}

/// getaddrinfo: from a name to an address. A name can have several; the course
/// speaks IPv4 where it can, so that both sides choose the same.
fn resolve(name: &str) -> Result<SocketAddr> {
    let found = name.to_socket_addrs().map_err(|error| explain("resolve", name, &error))?;
    let all: Vec<SocketAddr> = found.collect();
    let ipv4 = all.iter().find(|address| address.is_ipv4());
    let chosen = ipv4.or(all.first()).copied();
    chosen.with_context(|| format!("resolve {name}: the name has no address; pass an IP address"))
}

/// One line: the operation, its subject, the reason, the way out.
fn explain(operation: &str, subject: impl Display, error: &io::Error) -> anyhow::Error {
    let way_out = match (operation, error.kind()) {
        ("resolve", _) => "check the spelling, or pass an IP address",
        ("accept on", _) => {
            "trying again ten times a second; if it is about open files, \
             raise the limit: see \"ulimit -n\""
        }
        ("epoll for" | "waker for" | "runtime for" | "socket for", _) => {
            "if it is about open files, raise the limit: see \"ulimit -n\""
        }
        ("thread for", _) => {
            "this caller is turned away; see \"ulimit -u\", or pass --model event-loop"
        }
        (_, ErrorKind::AddrInUse) => {
            "another program is listening there: see \"ss -ltnp\", or pass --addr"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        (_, ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        _ => "the manual page of the call says more",
    };
    let reason = error.to_string().to_lowercase();
    anyhow!("{operation} {subject}: {reason}; {way_out}")
}

/// Bytes as a person reads them: text in quotes, escaped where it is none.
fn quoted(bytes: &[u8]) -> String {
    // A byte 10xxxxxx goes on with a character: the cut is not made before it.
    let mut end = bytes.len().min(32);
    while end > 28 && bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    let shown = &bytes[..end];
    let mut text = String::new();
    for chunk in shown.utf8_chunks() {
        let valid = format!("{:?}", chunk.valid());
        text += &valid[1..valid.len() - 1];
        text += &chunk.invalid().escape_ascii().to_string();
    }
    let more = if shown.len() < bytes.len() {
        " …"
    } else {
        ""
    };
    format!("\"{text}\"{more}")
}

/// Prints a line. `println!` would panic when nobody reads, as in `| head -1`.
fn say(line: impl Display) {
    if writeln!(io::stdout(), "{line}").is_err() {
        process::exit(1);
    }
}

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:8084 or [::1]:8084".into()),
    }
}

/// Reads a number of things of which none is not enough.
fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1_000_000) => Ok(number),
        _ => Err("write a whole number from 1 to 1000000".into()),
    }
}

/// Reads a time in seconds; decimals are allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number @ 0.0..=86_400.0) => Ok(Duration::from_secs_f64(number)),
        _ => Err("write seconds from 0 to 86400, such as 2 or 0.5".into()),
    }
}

/// Runs the server, unless what is asked for is beyond this lesson.
pub fn start(args: &Args) -> ExitCode {
    if args.many || args.model == Model::IoUring {
        return moved::to_the_race();
    }
    exit_code(run(args))
}

/// An error becomes one line on stderr and status 1.
pub fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
