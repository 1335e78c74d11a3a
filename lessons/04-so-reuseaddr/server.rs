//! Lesson 4, the server: what bind looks at before it gives out a port.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, ValueEnum};
use socket2::{Domain, Socket, Type};

/// Takes a call, answers one message in upper case, and ends
#[derive(Parser)]
#[command(
    name = "lesson-4-server",
    after_help = "Examples:\n  cargo run -p lesson-4 server --addr 127.0.0.1:8082\n  \
                  cargo run -p lesson-4 server --reuse-addr\n  \
                  cargo run -p lesson-4 server --reuse-port --calls 8"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8082", value_parser = host_port)]
    addr: String,

    /// Set SO_REUSEADDR before bind
    #[arg(long)]
    reuse_addr: bool,

    /// Set SO_REUSEPORT before bind (Unix only)
    #[arg(long)]
    reuse_port: bool,

    /// Who closes a call first: this server after its answer, or the client
    #[arg(long, value_name = "SIDE", default_value = "server")]
    close_first: First,

    /// How many calls to take before ending
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,

    /// Wait for Enter between bind and listen, to see what happens meanwhile
    #[arg(long)]
    hold: bool,
}

/// The side that closes a call first. That side gets TIME-WAIT.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum First {
    /// The server closes as soon as it has answered
    Server,
    /// The server waits until the client has hung up
    Client,
}

/// Opens the port, takes its calls one after the other, and ends.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    let listener = listen(addr, args)?;
    let own = own_address(&listener)?;
    say(format!("listening on {own}"));

    for _ in 1..args.calls {
        let (connection, peer) = accept(&listener, own)?;
        // As in lesson 2: a call that fails is over, the next one is taken.
        if let Err(error) = answer(connection, peer, args.close_first) {
            complain(format!("{error:#}"));
        }
    }

    // ANCHOR: last
    // The last call needs no listener. So the listener goes first, and whoever
    // sees the end of the call can be sure that nobody listens any more.
    let (connection, peer) = accept(&listener, own)?;
    drop(listener);
    say("closed the listener");
    answer(connection, peer, args.close_first)
    // ANCHOR_END: last
}

/// From nothing to a socket in LISTEN. std's `TcpListener::bind` does all this
/// in one call and sets SO_REUSEADDR on Unix unasked, so it is of no use here.
fn listen(addr: SocketAddr, args: &Args) -> Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)
        .map_err(|error| explain("socket", addr, &error))?;

    // ANCHOR: options
    // setsockopt: a wish about this one socket. Both must come before bind,
    // because bind is the call that looks at them.
    if args.reuse_addr {
        socket.set_reuse_address(true).map_err(|error| explain("SO_REUSEADDR on", addr, &error))?;
    }
    if args.reuse_port {
        set_reuse_port(&socket).map_err(|error| explain("SO_REUSEPORT on", addr, &error))?;
    }

    socket.bind(&addr.into()).map_err(|error| explain("bind", addr, &error))?;
    // ANCHOR_END: options

    if args.hold {
        // On stderr: the first line on stdout is the one about listening.
        complain("bound, but not listening: press Enter");
        io::stdin().lock().skip_until(b'\n').context("stdin")?;
    }

    // ANCHOR: listen
    // listen can find the port in use too. Two sockets with SO_REUSEADDR may
    // both be bound to it, but only one of them may listen.
    socket.listen(5).map_err(|error| explain("listen on", addr, &error))?;
    // ANCHOR_END: listen
    Ok(socket)
}

fn accept(listener: &Socket, own: SocketAddr) -> Result<(Socket, SocketAddr)> {
    let (connection, peer) =
        listener.accept().map_err(|error| explain("accept on", own, &error))?;
    let peer = peer.as_socket().context("accept: the peer has no address")?;
    say(format!("accepted a call from {peer}"));
    Ok((connection, peer))
}

/// One call, one message. Who closes first is the whole difference.
fn answer(mut connection: Socket, peer: SocketAddr, first: First) -> Result<()> {
    let mut buffer = [0; 1024];
    let length =
        connection.read(&mut buffer).map_err(|error| explain("recv from", peer, &error))?;
    if length == 0 {
        say("end of stream: the client hung up");
        hang_up(connection);
        return Ok(());
    }
    let heard = &buffer[..length];
    say(format!("received {length} bytes: {}", quoted(heard)));

    let answer = heard.to_ascii_uppercase();
    say(format!("sending {length} bytes: {}", quoted(&answer)));
    connection.write_all(&answer).map_err(|error| explain("send to", peer, &error))?;

    // ANCHOR: close
    // The side that closes first keeps the address pair for a while, in
    // TIME-WAIT. To be second, wait for the end of the stream.
    if first == First::Client {
        while connection.read(&mut buffer).map_err(|error| explain("recv from", peer, &error))? > 0
        {
        }
        say("end of stream: the client hung up");
    }
    hang_up(connection);
    // ANCHOR_END: close
    Ok(())
}

/// close. As with send, the line comes before the deed: after it, the other
/// side could be the first to say something, and here the order matters.
fn hang_up(connection: Socket) {
    say("closing the connection");
    drop(connection);
}

/// SO_REUSEPORT came with BSD; Linux has it since 3.9, Windows has not.
#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
fn set_reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(
    unix,
    not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))
)))]
fn set_reuse_port(_: &Socket) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// getsockname: the address and port of our own end.
fn own_address(socket: &Socket) -> Result<SocketAddr> {
    let address = socket.local_addr().context("getsockname")?;
    address.as_socket().context("getsockname: not an IP address")
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
        ("SO_REUSEPORT on", _) => "this system has no such option: leave out --reuse-port",
        // ANCHOR: ways-out
        ("bind", ErrorKind::AddrInUse) => {
            "a program listens there, or a call of an earlier run is in TIME-WAIT \
             (see \"ss -tan\"): start every run with --reuse-addr, wait a minute, \
             or pass another --addr"
        }
        ("listen on", ErrorKind::AddrInUse) => {
            "another program listens there since our bind: stop it, or pass another --addr"
        }
        ("bind", ErrorKind::AddrNotAvailable) => {
            "no interface of this host has that address (see \"ip address\"): \
             pass one of its own, or 0.0.0.0 for all of them"
        }
        ("bind", ErrorKind::PermissionDenied) => {
            "the port is reserved for root: pass one from 1024 up"
        }
        // ANCHOR_END: ways-out
        (_, ErrorKind::ConnectionReset) => "the client was killed or left data unread",
        (_, ErrorKind::BrokenPipe) => "the client has hung up",
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

/// Prints a line on stderr; as with `say`, nobody may be reading there.
fn complain(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:8082 or [::1]:8082".into()),
    }
}

/// Runs the server; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
