//! Lesson 1, the server: one call, from buying the phone to switching it off.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use socket2::{Domain, Socket, Type};

/// Takes one call, sends back in upper case what it heard, and ends
#[derive(Parser)]
#[command(
    name = "lesson-1-server",
    after_help = "Example:\n  cargo run -p lesson-1 server --addr 127.0.0.1:8081"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081", value_parser = host_port)]
    addr: String,

    /// How many callers the kernel keeps waiting until accept takes them
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        allow_negative_numbers = true
    )]
    backlog: i32,

    /// Wait for Enter before accept, to see what happens without it
    #[arg(long)]
    hold: bool,
}

/// The whole story of one call, from top to bottom.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;

    // ANCHOR: listener
    // socket: buy a phone. STREAM asks for TCP, the domain for IPv4 or IPv6.
    let listener = Socket::new(Domain::for_address(addr), Type::STREAM, None)
        .map_err(|error| explain("socket", addr, &error))?;

    // bind: put in the SIM. From here on this address and port are ours.
    listener
        .bind(&addr.into())
        .map_err(|error| explain("bind", addr, &error))?;

    // listen: switch it on. From here on the kernel takes calls for us,
    // also while this program is busy with something else.
    listener
        .listen(args.backlog)
        .map_err(|error| explain("listen", addr, &error))?;
    // ANCHOR_END: listener

    // getsockname: after a bind to port 0 only the kernel knows the port.
    let own = own_address(&listener)?;
    say(format!("listening on {own}"));

    if args.hold {
        say("not yet accepting: press Enter to accept");
        io::stdin().lock().skip_until(b'\n').context("stdin")?;
    }

    // ANCHOR: accept
    // accept: take the call. It waits until a caller is there, and gives back
    // a second socket for this call. The first socket only ever rings.
    let (connection, peer) = listener
        .accept()
        .map_err(|error| explain("accept on", own, &error))?;
    let peer = peer
        .as_socket()
        .context("accept: the peer has no address")?;
    say(format!("accepted a call from {peer}"));
    say(format!("  it is on {}", own_address(&connection)?));
    // ANCHOR_END: accept

    // ANCHOR: talk
    // recv: listen to the caller. It waits for the first bytes and gives what
    // is there, at most 1,024. It gives 0 when the caller has hung up.
    let mut buffer = [0; 1024];
    let length = (&connection)
        .read(&mut buffer)
        .map_err(|error| explain("recv from", peer, &error))?;
    let heard = &buffer[..length];
    say(format!("received {length} bytes: {}", quoted(heard)));

    // send: answer. It hands the bytes to the kernel, which brings them over,
    // and says how many it took. So few bytes it takes all at once.
    let answer = heard.to_ascii_uppercase();
    say(format!("sending {length} bytes: {}", quoted(&answer)));
    connection
        .send(&answer)
        .map_err(|error| explain("send to", peer, &error))?;

    // close: hang up, then switch off. Rust closes a socket when it is dropped.
    drop(connection);
    drop(listener);
    say("closed both sockets");
    // ANCHOR_END: talk
    Ok(())
}

/// getsockname: the address and port of our own end.
fn own_address(socket: &Socket) -> Result<SocketAddr> {
    let address = socket.local_addr().context("getsockname")?;
    address
        .as_socket()
        .context("getsockname: not an IP address")
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
        (_, ErrorKind::AddrInUse) => {
            "another program is listening there, or a call ended less than a minute ago \
             (lesson 4 tells why): see \"ss -ltnp\", or pass --addr"
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

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:8081 or [::1]:8081".into()),
    }
}

/// Runs the server; an error becomes one line on stderr and status 1.
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
