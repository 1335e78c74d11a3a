//! Lesson 5, the client: call, think, speak. It can be slow in several ways.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Parser, builder::NonEmptyStringValueParser};

/// Calls a server, thinks, says one thing, and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-5-client",
    allow_negative_numbers = true,
    after_help = "Each message is a call of its own: the server answers one request per call.\n\n\
                  Example:\n  cargo run -p lesson-5 client --addr 127.0.0.1:9001 --think 2 --say 1"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001", value_parser = host_port)]
    addr: String,

    /// What to say; may be repeated [default: the lines of standard input]
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    say: Vec<String>,

    /// End each message with a line end
    #[arg(long)]
    newline: bool,

    /// How long to think before speaking
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = pause)]
    think: Duration,

    /// Send one byte at a time
    #[arg(long)]
    drip: bool,

    /// How long to pause between two bytes of --drip
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = pause)]
    interval: Duration,

    /// How long connect may wait [default: as long as the system tries]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    connect_timeout: Option<Duration>,

    /// How long a receive may wait for the answer [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// One call for each message.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    for text in &args.say {
        call(addr, text.as_bytes(), args)?;
    }
    if args.say.is_empty() {
        let mut input = io::stdin().lock();
        while let Some(line) = next_line(&mut input)? {
            call(addr, &line, args)?;
        }
    }
    Ok(())
}

/// One call, from connect to the end of the stream.
fn call(addr: SocketAddr, text: &[u8], args: &Args) -> Result<()> {
    // ANCHOR: connect
    // A connect without a timeout waits until the system gives up. With one,
    // std starts the connect on a non-blocking socket and waits for its end.
    let connected = match args.connect_timeout {
        Some(timeout) => TcpStream::connect_timeout(&addr, timeout),
        None => TcpStream::connect(addr),
    };
    let mut connection = connected.map_err(|error| explain("connect", addr, &error))?;
    // ANCHOR_END: connect
    say(format!("connected to {addr}"));
    // None is "wait for ever", as it was without this call.
    let limited = connection.set_read_timeout(args.timeout);
    limited.map_err(|error| explain("setsockopt", addr, &error))?;

    if !args.think.is_zero() {
        say(format!("thinking for {} s", args.think.as_secs_f64()));
        thread::sleep(args.think);
    }
    let end: &[u8] = if args.newline { b"\n" } else { b"" };
    let message = [text, end].concat();
    // ANCHOR: send
    let size = if args.drip { 1 } else { message.len() };
    for (index, part) in message.chunks(size).enumerate() {
        if index > 0 {
            thread::sleep(args.interval);
        }
        say(format!("sending {} bytes: {}", part.len(), quoted(part)));
        let sent = connection.write_all(part);
        sent.map_err(|error| explain("send to", addr, &error))?;
    }
    // ANCHOR_END: send

    // The answer ends where the stream ends, however many receives it takes.
    let mut buffer = [0; 1024];
    let mut answered = false;
    loop {
        let length = match connection.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            // The program was stopped (Ctrl-Z) and goes on: so does the wait.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(explain("recv from", addr, &error)),
        };
        let text = quoted(&buffer[..length]);
        say(format!("received {length} bytes: {text}"));
        answered = true;
    }
    say("end of stream: the server hung up");
    ensure!(
        answered,
        "recv from {addr}: end of stream before an answer; the server may have waited long \
         enough: see its --timeout"
    );
    Ok(())
}

/// The next line that is not empty, without its line end. None is the end.
fn next_line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>> {
    let prompt = io::stdin().is_terminal() && io::stdout().is_terminal();
    loop {
        if prompt {
            let _ = write!(io::stdout(), ">>: ").and_then(|()| io::stdout().flush());
        }
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).context("stdin")?;
        let ended = line.is_empty();
        if prompt && !line.ends_with(b"\n") {
            say(""); // Ctrl-D leaves the cursor where it was.
        }
        while let Some(b'\n' | b'\r') = line.last() {
            line.pop();
        }
        if ended || line == b"quit" {
            return Ok(None);
        }
        if !line.is_empty() {
            return Ok(Some(line));
        }
    }
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
        (_, ErrorKind::ConnectionRefused) => {
            "nobody listens there: start the server first, or pass --addr"
        }
        (_, ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            "no way leads to that address: pass another --addr"
        }
        ("connect", ErrorKind::TimedOut) => {
            "nobody answered in time: the host is down, a firewall is in between, or the \
             server's queue is full"
        }
        // On Unix a receive timeout has the error of a non-blocking receive.
        ("recv from", ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            "no answer came in time: give the server longer with --timeout"
        }
        (_, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            "the server has closed: see what it said"
        }
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
    match pause(text) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("write seconds above 0 and up to 86400 (a day), such as 5 or 0.5".into()),
    }
}

/// A time to pause, which may be zero.
fn pause(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 60 * 60);
    let number = text.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(number) {
        Ok(time) if time <= longest => Ok(time),
        _ => Err("write seconds from 0 to 86400 (a day), such as 2 or 0.5".into()),
    }
}

/// Runs the client; an error becomes one line on stderr and status 1.
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
