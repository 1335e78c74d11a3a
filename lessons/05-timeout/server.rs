//! Lesson 5, the server: wait for a caller's request, but not for ever.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::{self, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, ValueEnum};

/// Answers one request of each caller and does not wait long for it
#[derive(Parser)]
#[command(
    name = "lesson-5-server",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-5 server --addr 127.0.0.1:9001 --timeout 5"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001", value_parser = host_port)]
    addr: String,

    /// How long one receive may wait
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,

    /// How long the whole request may take [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    deadline: Option<Duration>,

    /// Where a request ends
    #[arg(long, value_name = "END", default_value = "receive")]
    until: Until,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Until {
    /// What the first receive brings is the request
    Receive,
    /// The request goes up to a line end, however many receives it takes
    Newline,
}

/// How long the server rests after an accept that failed (lesson 2).
const REST: Duration = Duration::from_secs(1);

/// One caller after the other; nothing that a caller does ends the server.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    // std folds socket, SO_REUSEADDR (on Unix), bind and listen into one call.
    let listener = TcpListener::bind(addr).map_err(|error| explain("bind", addr, &error))?;
    let own = listener.local_addr().context("getsockname")?;
    say(format!("listening on {own}"));
    loop {
        let (connection, peer) = match listener.accept() {
            Ok(call) => call,
            Err(error) => {
                complain(&explain("accept on", own, &error));
                thread::sleep(REST);
                continue;
            }
        };
        say(format!("accepted a call from {peer}"));
        if let Err(error) = serve(&connection, peer, args) {
            complain(&error);
        }
        drop(connection);
        say("closed the connection");
    }
}

/// One call: a request within the time, and its answer.
fn serve(mut connection: &TcpStream, peer: SocketAddr, args: &Args) -> Result<()> {
    // ANCHOR: request
    // A request may come in parts, but it has no more room than this.
    let mut buffer = [0; 1024];
    let mut length = 0;
    let deadline = args.deadline.map(|limit| Instant::now() + limit);
    let request = loop {
        // The timeout starts anew with each receive. The deadline does not.
        let timeout = Instant::now() + args.timeout;
        let until = deadline.map_or(timeout, |deadline| deadline.min(timeout));
        match receive(connection, &mut buffer[length..], until)
            .map_err(|error| explain("recv from", peer, &error))?
        {
            Heard::Nothing if deadline == Some(until) => return end("deadline passed", length),
            Heard::Nothing => return end("time out", length),
            Heard::End if length == 0 => return end("end of stream without a word", length),
            Heard::End => return end("end of stream, no line end", length),
            Heard::Bytes(count) => {
                let part = &buffer[length..length + count];
                say(format!("received {count} bytes: {}", quoted(part)));
                length += count;
            }
        }
        let heard = &buffer[..length];
        if args.until == Until::Receive {
            break heard;
        }
        if let Some(position) = heard.iter().position(|&byte| byte == b'\n') {
            let line = &heard[..position];
            break line.strip_suffix(b"\r").unwrap_or(line);
        }
        if length == buffer.len() {
            say(format!("no line end in {length} bytes"));
            break heard;
        }
    };
    // ANCHOR_END: request

    let answer: &[u8] = match request {
        b"1" => b"welcome to server!",
        _ => b"please go out!",
    };
    let length = answer.len();
    say(format!("sending {length} bytes: {}", quoted(answer)));
    // So short an answer always fits into the send buffer: this cannot wait.
    connection.write_all(answer).map_err(|error| explain("send to", peer, &error))
}

/// What came of waiting.
enum Heard {
    Bytes(usize),
    End,
    Nothing,
}

// ANCHOR: receive
/// One receive that waits until a moment and no longer.
fn receive(mut connection: &TcpStream, buffer: &mut [u8], until: Instant) -> io::Result<Heard> {
    loop {
        let rest = until.saturating_duration_since(Instant::now());
        // A timeout of zero would not mean "at once": std refuses it.
        if rest.is_zero() {
            return Ok(Heard::Nothing);
        }
        // SO_RCVTIMEO: from here on a receive that has waited so long fails.
        connection.set_read_timeout(Some(rest))?;
        match connection.read(buffer) {
            Ok(0) => return Ok(Heard::End),
            Ok(count) => return Ok(Heard::Bytes(count)),
            // The time is up: the next round finds no rest.
            Err(error) if error.kind() == TIME_IS_UP => {}
            // On Linux a call with a timeout fails so when the program was
            // stopped (Ctrl-Z) and goes on. Wait for the rest of the time.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// How a receive says that its timeout has passed. On Unix it is the error of a
/// non-blocking receive, EAGAIN, because ETIMEDOUT means that the connection
/// itself is dead. Windows uses the one error for both.
const TIME_IS_UP: ErrorKind = if cfg!(windows) {
    ErrorKind::TimedOut
} else {
    ErrorKind::WouldBlock
};
// ANCHOR_END: receive

/// Says how a call ended that brought no request.
fn end(outcome: &str, length: usize) -> Result<()> {
    say(outcome);
    if length > 0 {
        say(format!("  after {length} bytes"));
    }
    Ok(())
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
        ("accept on", _) => "the caller waits in the queue or is gone: trying again in a second",
        (_, ErrorKind::AddrInUse) => {
            "another program is listening there: see \"ss -ltnp\", or pass --addr"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        (_, ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        (_, ErrorKind::ConnectionReset) => "the caller was killed or left data unread",
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

/// Prints an error. When nobody reads errors, there is nobody to tell.
fn complain(error: &anyhow::Error) {
    let _ = writeln!(io::stderr(), "{error:#}");
}

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:9001 or [::1]:9001".into()),
    }
}

/// A time to wait. Zero is none: "do not wait" and "wait for ever" have names
/// of their own, and calls disagree on which of the two a zero means.
fn seconds(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 60 * 60);
    let number = text.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(number) {
        Ok(time) if !time.is_zero() && time <= longest => Ok(time),
        _ => Err("write seconds above 0 and up to 86400 (a day), such as 5 or 0.5".into()),
    }
}

/// Runs the server; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
