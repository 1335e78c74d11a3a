//! Lesson 4, the client: one call per message, and a say in who closes first.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::{self, ExitCode};

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};

/// Makes one call per message and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-4-client",
    after_help = "Examples:\n  cargo run -p lesson-4 client --addr 127.0.0.1:8082 --say hello\n  \
                  cargo run -p lesson-4 client --close-first client --say hello"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8082", value_parser = host_port)]
    addr: String,

    /// What to say; repeat it for further calls (default: line by line from stdin)
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    say: Vec<String>,

    /// Who closes a call first: the server, or this client after the answer
    #[arg(long, value_name = "SIDE", default_value = "server")]
    close_first: First,
}

/// The side that closes a call first. That side gets TIME-WAIT.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum First {
    /// The client waits until the server has hung up
    Server,
    /// The client closes as soon as it has its answer
    Client,
}

/// Makes the calls one after the other, and ends.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    for message in &args.say {
        call(addr, message.as_bytes(), args.close_first)?;
    }
    if args.say.is_empty() {
        while let Some(message) = next_line()? {
            call(addr, &message, args.close_first)?;
        }
    }
    Ok(())
}

/// One call, one message. Who closes first is the whole difference.
fn call(addr: SocketAddr, message: &[u8], first: First) -> Result<()> {
    let mut socket = TcpStream::connect(addr).map_err(|error| explain("connect", addr, &error))?;
    say(format!("connected to {addr}"));
    say(format!(
        "  from {}",
        socket.local_addr().context("getsockname")?
    ));

    say(format!(
        "sending {} bytes: {}",
        message.len(),
        quoted(message)
    ));
    socket.write_all(message).map_err(|error| explain("send to", addr, &error))?;

    // ANCHOR: close
    // The answer is as long as the question, of which the server receives at
    // most 1,024 bytes. To be first, close when the answer is complete; to be
    // second, go on until the end of the stream.
    let wanted = message.len().min(1024);
    let mut buffer = [0; 1024];
    let mut received = 0;
    while first == First::Server || received < wanted {
        let length =
            socket.read(&mut buffer).map_err(|error| explain("recv from", addr, &error))?;
        if length == 0 {
            ensure!(
                received >= wanted,
                "recv from {addr}: end of stream after {received} of {wanted} bytes; \
                 the server hung up early: see what it said"
            );
            say("end of stream: the server hung up");
            break;
        }
        say(format!(
            "received {length} bytes: {}",
            quoted(&buffer[..length])
        ));
        received += length;
    }
    say("closing the connection");
    drop(socket);
    // ANCHOR_END: close
    Ok(())
}

/// The next message from the input: a line that is not empty. The bytes are
/// taken as they are; whether they are text is for the reader to say.
fn next_line() -> Result<Option<Vec<u8>>> {
    let mut input = io::stdin().lock();
    let prompt = input.is_terminal() && io::stdout().is_terminal();
    loop {
        if prompt {
            print!(">>: ");
            io::stdout().flush().context("stdout")?;
        }
        let mut line = Vec::new();
        input.read_until(b'\n', &mut line).context("stdin")?;
        if prompt && !line.ends_with(b"\n") {
            say(""); // Ctrl-D leaves the cursor where it was.
        }
        if line.is_empty() {
            return Ok(None);
        }
        while line.ends_with(b"\n") || line.ends_with(b"\r") {
            line.pop();
        }
        match line.as_slice() {
            b"" => continue,
            b"quit" => return Ok(None),
            _ => return Ok(Some(line)),
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
        (_, ErrorKind::TimedOut) => "nobody answered: is the host up, is a firewall in between?",
        (_, ErrorKind::ConnectionReset) => {
            "the server was killed, or closed before it had read everything"
        }
        (_, ErrorKind::BrokenPipe) => "the server has hung up",
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
        _ => Err("write HOST:PORT, such as 127.0.0.1:8082 or [::1]:8082".into()),
    }
}

/// Runs the client; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    match run(args) {
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
