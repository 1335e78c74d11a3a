//! Lesson 1, the client: buy a phone, dial, talk, hang up.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};

use anyhow::{Context, Result, anyhow, ensure};
use clap::{Parser, builder::NonEmptyStringValueParser};
use socket2::{Domain, Socket, Type};

/// Calls a server, says one thing, and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-1-client",
    after_help = "Example:\n  cargo run -p lesson-1 client --addr 127.0.0.1:8081 --say hello"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081", value_parser = host_port)]
    addr: String,

    /// What to say
    #[arg(long, value_name = "TEXT", default_value = "hello", value_parser = NonEmptyStringValueParser::new())]
    say: String,

    /// Go on receiving until the call ends, to see how it ends
    #[arg(long)]
    until_end: bool,
}

/// The whole story of one call, from top to bottom.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;

    // ANCHOR: connect
    // socket: a caller needs a phone too.
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)
        .map_err(|error| explain("socket", addr, &error))?;

    // connect: dial. No bind before it: the kernel gives the caller a port.
    socket
        .connect(&addr.into())
        .map_err(|error| explain("connect", addr, &error))?;
    // ANCHOR_END: connect

    // getpeername and getsockname: the two ends of the call.
    let peer = socket
        .peer_addr()
        .map_err(|error| explain("getpeername of", addr, &error))?
        .as_socket();
    let own = socket.local_addr().context("getsockname")?.as_socket();
    let (peer, own) = peer.zip(own).context("the socket has no IP address")?;
    say(format!("connected to {peer}"));
    say(format!("  from {own}"));

    // ANCHOR: talk
    // send: the kernel takes the bytes and brings them over. That it took them
    // does not mean that the server has them.
    let message = args.say.as_bytes();
    say(format!(
        "sending {} bytes: {}",
        message.len(),
        quoted(message)
    ));
    socket
        .send(message)
        .map_err(|error| explain("send to", peer, &error))?;

    // recv: wait for the answer. One receive is enough for a short one;
    // lesson 2 shows when it is not.
    let mut answered = false;
    let mut buffer = [0; 1024];
    loop {
        let length = (&socket)
            .read(&mut buffer)
            .map_err(|error| explain("recv from", peer, &error))?;
        if length == 0 {
            ensure!(
                answered,
                "recv from {peer}: end of stream before an answer; the server hung up: see what it \
                 said"
            );
            say("end of stream: the server hung up");
            break;
        }
        say(format!(
            "received {length} bytes: {}",
            quoted(&buffer[..length])
        ));
        answered = true;
        if !args.until_end {
            break;
        }
    }

    // close: hang up.
    drop(socket);
    say("closed the socket");
    // ANCHOR_END: talk
    Ok(())
}

/// getaddrinfo: from a name to an address. A name can have several; the course
/// speaks IPv4 where it can, so that both sides choose the same.
fn resolve(name: &str) -> Result<SocketAddr> {
    let found = name
        .to_socket_addrs()
        .map_err(|error| explain("resolve", name, &error))?;
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
        (_, ErrorKind::NotConnected) => "the server has reset the call already: see what it said",
        (_, ErrorKind::ConnectionReset) => "the server closed before it had read everything",
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
        _ => Err("write HOST:PORT, such as 127.0.0.1:8081 or [::1]:8081".into()),
    }
}

/// Runs the client; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic when nobody reads it.
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
