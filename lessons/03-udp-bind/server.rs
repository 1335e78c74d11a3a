//! Lesson 3, the server: one socket, bound to a port, for everybody who writes.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::process::{self, ExitCode};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, ValueEnum, value_parser};
use text::Encoding;

/// Prints every datagram with its sender, and answers it
#[derive(Parser)]
#[command(
    name = "lesson-3-server",
    after_help = "Example:\n  cargo run -p lesson-3 server --addr 0.0.0.0:7788 --reply upper\n\n\
                  A datagram that is the word bye ends the server."
)]
pub struct Args {
    /// Where to receive; 0.0.0.0 is every address of this host, and with
    /// port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "0.0.0.0:7788", value_parser = host_port)]
    addr: String,

    /// What to answer
    #[arg(long, value_enum, default_value_t = Reply::Echo)]
    reply: Reply,

    /// End after one datagram
    #[arg(long)]
    once: bool,

    /// How to read the bytes as text
    #[arg(long, value_enum, default_value_t = Encoding::Utf8)]
    encoding: Encoding,

    /// How many bytes of a datagram there is room for
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = value_parser!(u16).range(1..))]
    buffer: u16,

    /// Wait for Enter before the first receive, to see what waits meanwhile
    #[arg(long)]
    hold: bool,
}

/// What the server sends back.
#[derive(Clone, Copy, ValueEnum)]
enum Reply {
    /// What it received
    Echo,
    /// What it received, with the letters a to z in upper case
    Upper,
    /// Nothing
    None,
}

/// How many receives in a row may fail.
const PATIENCE: u32 = 10;

/// Receives datagrams until one says bye.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;

    // ANCHOR: bind
    // socket with type DGRAM, and bind. That is all: no listen and no accept.
    // There are no calls to take, only datagrams that arrive or do not.
    let socket = UdpSocket::bind(addr).map_err(|error| explain("bind", addr, &error))?;
    // ANCHOR_END: bind

    let own = socket.local_addr().context("getsockname")?;
    say(format!("bound to {own}"));

    if args.hold {
        say("not yet receiving: press Enter");
        io::stdin().lock().skip_until(b'\n').context("stdin")?;
    }

    let mut buffer = vec![0; args.buffer.into()];
    let mut failures = 0;
    loop {
        // ANCHOR: receive
        // recvfrom: wait for one datagram. It gives the bytes and the sender:
        // everybody writes to this one socket, so each datagram has to say
        // where it comes from. What the buffer has no room for is thrown away,
        // and on Linux the length does not tell it.
        let (length, peer) = match socket.recv_from(&mut buffer) {
            Ok(received) => received,
            // Such an error can belong to one datagram, even to an answer that
            // was sent long ago, and is then no reason to leave the others.
            Err(error) if failures < PATIENCE => {
                failures += 1;
                complain(explain("recvfrom on", own, &error));
                continue;
            }
            Err(error) => return Err(explain("recvfrom again and again on", own, &error)),
        };
        failures = 0;
        let heard = &buffer[..length];
        // ANCHOR_END: receive
        say(format!(
            "received {length} bytes: {}",
            args.encoding.quoted(heard)
        ));
        say(format!("  from {peer}"));

        // An empty datagram is a message like any other: it has a sender, and
        // it is no end of anything. There is no stream here that could end.
        if heard == b"bye" {
            break;
        }
        answer(args, &socket, heard, peer);
        if args.once {
            break;
        }
    }

    drop(socket);
    say("closed the socket");
    Ok(())
}

/// Sends the answer to the one who asked. If that fails, it concerns nobody else.
fn answer(args: &Args, socket: &UdpSocket, heard: &[u8], peer: SocketAddr) {
    let answer = match args.reply {
        Reply::Echo => heard.to_vec(),
        Reply::Upper => args.encoding.upper(heard),
        Reply::None => return,
    };
    let text = args.encoding.quoted(&answer);
    say(format!("sending {} bytes: {text}", answer.len()));
    // ANCHOR: answer
    // sendto: one datagram with these bytes, to this address. The kernel takes
    // all of it or nothing. That it took it says nothing about its arrival.
    if let Err(error) = socket.send_to(&answer, peer) {
        complain(explain("sendto", peer, &error));
    }
    // ANCHOR_END: answer
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
        (_, ErrorKind::AddrInUse) => {
            "another program has this UDP port: see \"ss -lunp\", or pass --addr"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        ("bind", ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        ("sendto", ErrorKind::InvalidInput) => "the sender gave no port to answer to",
        ("sendto" | "recvfrom on", _) => "the server goes on with the next datagram",
        _ => "the manual page of the call says more",
    };
    let reason = error.to_string().to_lowercase();
    anyhow!("{operation} {subject}: {reason}; {way_out}")
}

/// Prints a line. `println!` would panic when nobody reads, as in `| head -1`.
fn say(line: impl Display) {
    if writeln!(io::stdout(), "{line}").is_err() {
        process::exit(1);
    }
}

/// Prints an error that does not end the program.
fn complain(error: impl Display) {
    // With nobody left to read it, there is nobody to tell either.
    let _ = writeln!(io::stderr(), "{error:#}");
}

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:7788 or [::1]:7788".into()),
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
