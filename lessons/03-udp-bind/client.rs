//! Lesson 3, the client: writes datagrams, and waits for the answer to each.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use socket2::{Domain, Socket, Type};
use text::Encoding;

/// Sends each message as one datagram, and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-3-client",
    after_help = "Example:\n  cargo run -p lesson-3 client --to 127.0.0.1:7788 --say hello\n\n\
                  The message bye ends the server, which does not answer it."
)]
pub struct Args {
    /// Whom to write to
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7788", value_parser = host_port)]
    to: String,

    /// Where to send from [default: the system chooses]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    bind: Option<String>,

    /// Connect the socket: fix whom it writes to and whom it hears
    #[arg(long)]
    connected: bool,

    /// A message, may be repeated, '' is an empty one; without it, each line
    /// of the input is one, until "quit"
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,

    /// How to turn text into bytes, and bytes into text
    #[arg(long, value_enum, default_value_t = Encoding::Utf8)]
    encoding: Encoding,

    /// How long to wait for each answer
    #[arg(long, value_name = "SECONDS", default_value = "2", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Duration,

    /// Do not wait for answers
    #[arg(long)]
    no_answer: bool,
}

/// Sends message after message. The status tells whether each had its answer.
pub fn run(args: &Args) -> Result<ExitCode> {
    let to = this_host(resolve(&args.to)?);

    // ANCHOR: socket
    // std's UdpSocket::bind makes the socket and binds it in one step. Here
    // they are two, because a client can leave out the second: the kernel then
    // binds the socket to a free port when it sends for the first time.
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, None)
        .map_err(|error| explain("socket", to, &error))?;
    if let Some(name) = &args.bind {
        let own = resolve(name)?;
        socket.bind(&own.into()).map_err(|error| explain("bind", own, &error))?;
    }
    let socket = UdpSocket::from(socket);
    // ANCHOR_END: socket
    if args.bind.is_some() {
        say(format!("bound to {}", own_address(&socket)?));
    }

    if args.connected {
        // ANCHOR: connect
        // connect: with UDP, nothing goes over the wire. The kernel notes the
        // other side. From here on send needs no address, recv gives only what
        // comes from there, and the kernel passes on errors it hears of.
        socket.connect(to).map_err(|error| explain("connect", to, &error))?;
        // ANCHOR_END: connect
        say(format!("connected to {to}"));
        say(format!("  from {}", own_address(&socket)?));
    }

    let mut client = Client {
        args,
        socket,
        to,
        port_known: args.bind.is_some() || args.connected,
        status: ExitCode::SUCCESS,
    };
    if args.say.is_empty() {
        while let Some(line) = next_line()? {
            client.tell(&line);
        }
    } else {
        for text in &args.say {
            client.tell(text.as_bytes());
        }
    }
    Ok(client.status)
}

/// A socket, and whom it writes to.
struct Client<'a> {
    args: &'a Args,
    socket: UdpSocket,
    to: SocketAddr,
    /// Whether the own port has been shown.
    port_known: bool,
    status: ExitCode,
}

impl Client<'_> {
    /// One message and its answer. A failure concerns this message only: the
    /// next one has its own chance.
    fn tell(&mut self, message: &[u8]) {
        if let Err(error) = self.exchange(message) {
            complain(error);
            self.status = ExitCode::FAILURE;
        }
    }

    fn exchange(&mut self, message: &[u8]) -> Result<()> {
        let (args, to) = (self.args, self.to);
        let bytes = args.encoding.encode(message)?;
        let text = args.encoding.quoted(&bytes);
        say(format!("sending {} bytes: {text}", bytes.len()));

        // ANCHOR: send
        let sent = if args.connected {
            // send: to the one that the socket is connected to.
            self.socket.send(&bytes)
        } else {
            // sendto: every datagram has its own address on it.
            self.socket.send_to(&bytes, to)
        };
        // ANCHOR_END: send
        let operation = if args.connected { "send to" } else { "sendto" };
        sent.map_err(|error| explain(operation, to, &error))?;
        if !self.port_known {
            // Only now the socket has a port. It still has no address: the
            // kernel chooses that for each datagram, by the way it will take.
            say(format!("  from {}", own_address(&self.socket)?));
            self.port_known = true;
        }

        // Nobody answers bye: the server ends.
        if args.no_answer || bytes == b"bye" {
            return Ok(());
        }
        self.receive()
    }

    /// Waits for the answer. Datagrams can be lost, so the wait has an end.
    fn receive(&self) -> Result<()> {
        let (args, to) = (self.args, self.to);
        let operation = if args.connected {
            "recv from"
        } else {
            "recvfrom"
        };
        // Room for the longest datagram that there can be.
        let mut buffer = [0; 65_535];
        let deadline = Instant::now() + args.timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let waited = args.timeout.as_secs_f64();
                return Err(anyhow!(
                    "{operation} {to}: timed out after {waited} s; nobody is bound there, \
                     or it does not answer, or a datagram was lost: does the server run?"
                ));
            }
            // A receive that gives up after a while: lesson 5 explains it.
            self.socket.set_read_timeout(Some(left)).context("setsockopt")?;

            // ANCHOR: receive
            let received = if args.connected {
                // recv: the bytes. Whose they are is known already.
                self.socket.recv(&mut buffer).map(|length| (length, to))
            } else {
                // recvfrom: the bytes, and who sent them.
                self.socket.recv_from(&mut buffer)
            };
            // ANCHOR_END: receive
            let (length, peer) = match received {
                Ok(received) => received,
                // Ended without an answer, by the clock or by a signal that
                // stopped the program for a while: see what time is left.
                Err(error) if ended_early(&error) => continue,
                Err(error) => return Err(explain(operation, to, &error)),
            };
            let text = args.encoding.quoted(&buffer[..length]);
            say(format!("received {length} bytes: {text}"));

            // ANCHOR: stranger
            // Everybody who knows our port can write to it. The answer is what
            // comes from the address that was asked.
            if (peer.ip(), peer.port()) != (to.ip(), to.port()) {
                say(format!("  ignored: from a stranger, {peer}"));
                continue;
            }
            // ANCHOR_END: stranger
            if !args.connected {
                say(format!("  from {peer}"));
            }
            return Ok(());
        }
    }
}

/// Whether a receive ended before there was anything to receive. A timeout is
/// named differently by different systems.
fn ended_early(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// The next message from the input: a line that is not empty. The bytes are
/// taken as they are; whether they are text is for the encoding to say.
fn next_line() -> Result<Option<Vec<u8>>> {
    // Longer than any datagram can be. Of a longer line, the rest is not kept.
    const LONGEST: usize = 70_000;
    let mut input = io::stdin().lock();
    let prompt = input.is_terminal() && io::stdout().is_terminal();
    loop {
        if prompt {
            let mut output = io::stdout();
            let _ = write!(output, ">>: ").and_then(|()| output.flush());
        }
        let mut line = Vec::new();
        let mut part = input.by_ref().take(LONGEST as u64);
        part.read_until(b'\n', &mut line).context("stdin")?;
        if prompt && !line.ends_with(b"\n") {
            say(""); // Ctrl-D leaves the cursor where it was.
        }
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() == LONGEST && !line.ends_with(b"\n") {
            input.skip_until(b'\n').context("stdin")?;
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

/// 0.0.0.0 and [::] stand for every address of a host, which is no address to
/// write to. Who copies it from the server's first line means this host.
fn this_host(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// getsockname: the address and port of our own end.
fn own_address(socket: &UdpSocket) -> Result<SocketAddr> {
    socket.local_addr().context("getsockname")
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

/// EMSGSIZE has no name in std.
const EMSGSIZE: i32 = match () {
    () if cfg!(windows) => 10_040,
    () if cfg!(any(target_os = "linux", target_os = "android")) => 90,
    () => 40,
};

/// One line: the operation, its subject, the reason, the way out.
fn explain(operation: &str, subject: impl Display, error: &io::Error) -> anyhow::Error {
    let way_out = match (operation, error.kind()) {
        ("resolve", _) => "check the spelling, or pass an IP address",
        // Windows calls the same a reset.
        (_, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) => {
            "nobody is bound there: start the server first, or pass --to"
        }
        (_, ErrorKind::AddrInUse) => {
            "another program has this UDP port: see \"ss -aunp\", or pass another --bind"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        ("bind", ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        ("bind", _) => "give --bind and --to addresses of the same family",
        (_, ErrorKind::PermissionDenied) => "a broadcast address is not for one host: pass --to",
        (_, ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            "no way leads to that address: pass another --to"
        }
        (_, ErrorKind::InvalidInput) => {
            "port 0 is nobody's, and from a --bind on 127.0.0.1 no way leads to other hosts"
        }
        _ if error.raw_os_error() == Some(EMSGSIZE) => {
            "a datagram is sent whole or not at all: send less at once (over IPv4, 65,507 bytes)"
        }
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
    // When nobody reads this either, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{error:#}");
}

/// Checks the form of an address; the name in it is looked up later.
fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:7788 or [::1]:7788".into()),
    }
}

/// A time to wait: more than nothing, at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() && seconds <= 86_400.0 => Ok(time),
        _ => Err("write a number of seconds, such as 2 or 0.5".into()),
    }
}

/// Runs the client; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    run(args).unwrap_or_else(|error| {
        complain(error);
        ExitCode::FAILURE
    })
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
