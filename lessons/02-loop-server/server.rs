//! Lesson 2, the server: a loop of callers around a loop of messages.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};

/// Serves one caller after the other, and answers each message of a call
#[derive(Parser)]
#[command(
    name = "lesson-2-server",
    after_help = "Example:\n  cargo run -p lesson-2 server --addr 127.0.0.1:8080 --reply echo"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080", value_parser = host_port)]
    addr: String,

    /// What to send back
    #[arg(long, value_enum, default_value_t = Reply::Upper)]
    reply: Reply,

    /// What to send as soon as a caller is accepted
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    greeting: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reply {
    /// What was received, with the ASCII letters in upper case
    Upper,
    /// What was received
    Echo,
}

/// How long the server rests after an accept that failed.
const REST: Duration = Duration::from_secs(1);

/// The outer loop: one caller after the other.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;

    // ANCHOR: listener
    // std makes the first three steps of lesson 1 in one: socket, bind, listen.
    // On Unix it also sets SO_REUSEADDR, which lesson 4 takes apart.
    let listener = TcpListener::bind(addr).map_err(|error| explain("bind", addr, &error))?;
    // ANCHOR_END: listener
    let own = listener.local_addr().context("getsockname")?;
    say(format!("listening on {own}"));

    // ANCHOR: callers
    loop {
        let (connection, peer) = match listener.accept() {
            Ok(call) => call,
            Err(error) => {
                // The listener itself is well. Most reasons pass, but not at
                // once: without a rest this loop would take a whole processor.
                complain(explain("accept on", own, &error));
                thread::sleep(REST);
                continue;
            }
        };
        say(format!("accepted a call from {peer}"));

        // Until serve returns, nobody else is accepted. However this call
        // ends, only this call ends.
        match serve(connection, peer, args) {
            Ok(()) => say("end of stream: the client hung up"),
            Err(error) => complain(error),
        }
        say("closed the connection");
    }
    // ANCHOR_END: callers
}

// ANCHOR: messages
/// The inner loop: one message after the other, until the caller hangs up. The
/// connection is closed when this function returns.
fn serve(mut connection: TcpStream, peer: SocketAddr, args: &Args) -> Result<()> {
    if let Some(greeting) = &args.greeting {
        send(&mut connection, peer, greeting.as_bytes())?;
    }

    let mut buffer = [0; 1024];
    loop {
        let length =
            connection.read(&mut buffer).map_err(|error| explain("recv from", peer, &error))?;
        // 0 bytes is no message. It is the end of the stream: the caller has
        // hung up, and from now on every receive would give 0 at once.
        if length == 0 {
            return Ok(());
        }
        let heard = &buffer[..length];
        say(format!("received {length} bytes: {}", quoted(heard)));

        let answer = match args.reply {
            Reply::Upper => heard.to_ascii_uppercase(),
            Reply::Echo => heard.to_vec(),
        };
        send(&mut connection, peer, &answer)?;
    }
}
// ANCHOR_END: messages

// ANCHOR: send
/// write_all: a send may take only a part of the bytes (lesson 5 shows when).
/// write_all sends the rest, and again, until the kernel has taken all of them.
/// More it does not promise.
fn send(connection: &mut TcpStream, peer: SocketAddr, bytes: &[u8]) -> Result<()> {
    say(format!("sending {} bytes: {}", bytes.len(), quoted(bytes)));
    connection.write_all(bytes).map_err(|error| explain("send to", peer, &error))
}
// ANCHOR_END: send

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
        ("accept on", _) => "the caller waits in the queue or is gone: trying again in a second",
        (_, ErrorKind::AddrInUse) => {
            "another program is listening there: see \"ss -ltnp\", or pass --addr"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        (_, ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        (_, ErrorKind::ConnectionReset) => "the caller reset the call, or left data unread",
        (_, ErrorKind::BrokenPipe) => "the caller has hung up",
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

/// Says an error that ends one call, not the server. Where nobody reads stderr,
/// `eprintln!` would panic.
fn complain(error: anyhow::Error) {
    let _ = writeln!(io::stderr(), "{error:#}");
}

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080".into()),
    }
}

/// Runs the server; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::FAILURE
        }
    }
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
