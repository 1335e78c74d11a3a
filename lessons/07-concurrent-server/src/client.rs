//! Lesson 7, the client: one caller as in lesson 2, or a whole crowd.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::{self, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};

// The scene's program has this file as a module, so the path is named.
#[path = "crowd/mod.rs"]
mod crowd;

/// Sends messages to a server and receives the answers, alone or as a crowd
#[derive(Parser)]
#[command(
    name = "lesson-7-client",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-7 client --say hello --say world\n  \
                  cargo run -p lesson-7 client --clients 1000 --messages 10 --size 64"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8084", value_parser = host_port)]
    addr: String,

    /// A message, may be repeated; without it, each line of the input is one, until "quit"
    #[arg(long, value_name = "TEXT", conflicts_with = "clients", value_parser = NonEmptyStringValueParser::new())]
    say: Vec<String>,

    /// Send datagrams
    #[arg(long)]
    udp: bool,

    /// Receive once before the first message, for servers that speak first
    #[arg(long, conflicts_with_all = ["clients", "udp"])]
    listen_first: bool,

    /// Think so long before each message
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    think: Duration,

    /// How long an answer may take; if nothing is said: 10 for a crowd, 2 for UDP, else no limit
    #[arg(long, value_name = "SECONDS", value_parser = above_zero)]
    deadline: Option<Duration>,

    /// Be a crowd of so many clients, and check each byte of each answer
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    clients: Option<usize>,

    /// How many messages each client of the crowd sends
    #[arg(long, value_name = "M", default_value_t = 10, requires = "clients", value_parser = at_least_one)]
    messages: usize,

    /// How many bytes each message of the crowd has
    #[arg(long, value_name = "S", default_value_t = 64, requires = "clients", value_parser = at_least_one)]
    size: usize,

    /// Which answer the crowd expects
    #[arg(long, value_enum, default_value_t = Reply::Upper, requires = "clients")]
    reply: Reply,
}

/// What the server sends back for what it receives.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reply {
    /// ASCII letters in upper case, all other bytes as they came
    Upper,
    /// The bytes as they came
    Echo,
}

/// One call, or a crowd of them.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    if let Some(clients) = args.clients {
        let plan = crowd::Plan {
            addr,
            udp: args.udp,
            clients,
            messages: args.messages,
            size: args.size,
            upper: args.reply == Reply::Upper,
            think: args.think,
            deadline: args.deadline.unwrap_or(Duration::from_secs(10)),
        };
        let report = crowd::run(&plan)?;
        say(&report);
        return report.verdict();
    }
    if args.udp {
        return send_datagrams(addr, args);
    }

    let mut stream = TcpStream::connect(addr).map_err(|error| explain("connect", addr, &error))?;
    say(format!("connected to {addr}"));
    let own = stream.local_addr().context("getsockname")?;
    say(format!("  from {own}"));
    if args.listen_first {
        listen(&mut stream, addr)?;
    }
    each_message(args, |message| {
        talk(&mut stream, addr, message, args.deadline)
    })?;
    drop(stream);
    say("closed the connection");
    Ok(())
}

/// Sends a message and receives its answer, which is as long as the message.
fn talk(
    stream: &mut TcpStream,
    peer: SocketAddr,
    message: &[u8],
    deadline: Option<Duration>,
) -> Result<()> {
    let wanted = message.len();
    say(format!("sending {wanted} bytes: {}", quoted(message)));
    let mut answer = vec![0; wanted];
    let (mut sent, mut received) = (0, 0);
    let began = Instant::now();
    while received < wanted {
        // Never far ahead of the answers: lesson 2 tells why.
        let end = wanted.min(received + 4096);
        if sent < end {
            stream
                .write_all(&message[sent..end])
                .map_err(|error| explain("send to", peer, &error))?;
            sent = end;
        }
        if let Some(deadline) = deadline {
            // A timeout of zero would be refused.
            let left = deadline.saturating_sub(began.elapsed());
            let left = Some(left.max(Duration::from_micros(1)));
            stream.set_read_timeout(left).context("setsockopt")?;
        }
        let more = stream
            .read(&mut answer[received..])
            .map_err(|error| explain("recv from", peer, &error))?;
        if more == 0 {
            bail!(
                "recv from {peer}: end of stream after {received} of {wanted} bytes; \
                 the server hung up early: see what it said"
            );
        }
        received += more;
    }
    say(format!("received {received} bytes: {}", quoted(&answer)));
    Ok(())
}

/// The same with datagrams: one is the message, one is the answer.
fn send_datagrams(addr: SocketAddr, args: &Args) -> Result<()> {
    let any: SocketAddr = match addr {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).map_err(|error| explain("bind", any, &error))?;
    socket.connect(addr).map_err(|error| explain("connect", addr, &error))?;
    let deadline = args.deadline.or(Some(Duration::from_secs(2)));
    socket.set_read_timeout(deadline).context("setsockopt")?;
    let mut buffer = vec![0; 65_535];
    each_message(args, |message| {
        let length = message.len();
        say(format!("sending {length} bytes: {}", quoted(message)));
        socket.send(message).map_err(|error| explain("send to", addr, &error))?;
        let length =
            socket.recv(&mut buffer).map_err(|error| explain("recv from", addr, &error))?;
        let answer = quoted(&buffer[..length]);
        say(format!("received {length} bytes: {answer}"));
        Ok(())
    })
}

/// Does this for each message of the command line, or of the input.
fn each_message(args: &Args, mut talk: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut given = args.say.iter();
    loop {
        let next = match given.next() {
            Some(text) => Some(text.clone().into_bytes()),
            None if !args.say.is_empty() => None,
            None => next_line()?,
        };
        let Some(message) = next else { return Ok(()) };
        thread::sleep(args.think);
        talk(&message)?;
    }
}

/// One receive, whatever it brings: how long a greeting is, only the server
/// knows. Lesson 6 shows how the two sides agree on it.
fn listen(stream: &mut TcpStream, peer: SocketAddr) -> Result<()> {
    let mut buffer = [0; 1024];
    let length = stream.read(&mut buffer).map_err(|error| explain("recv from", peer, &error))?;
    if length == 0 {
        bail!("recv from {peer}: end of stream before a greeting; see what the server said");
    }
    let greeting = quoted(&buffer[..length]);
    say(format!("received {length} bytes: {greeting}"));
    Ok(())
}

/// The next message from the input: a line that is not empty. The bytes are
/// taken as they are; whether they are text is for the reader to say.
fn next_line() -> Result<Option<Vec<u8>>> {
    let mut input = io::stdin().lock();
    let prompt = input.is_terminal() && io::stdout().is_terminal();
    loop {
        if prompt {
            let _ = write!(io::stdout(), ">>: ").and_then(|()| io::stdout().flush());
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
        ("connect", ErrorKind::TimedOut) => "is the host up, is a firewall in between?",
        // What a receive timeout is called depends on the system: lesson 5.
        (_, ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
            "no answer within the deadline: is the server busy? See --deadline"
        }
        (_, ErrorKind::ConnectionReset | ErrorKind::NotConnected) => {
            "the server was ended, or closed before it had read everything"
        }
        (_, ErrorKind::BrokenPipe) => "the server has hung up",
        _ => "the manual page of the call says more",
    };
    let reason = match error.kind() {
        ErrorKind::WouldBlock => "timed out".into(),
        _ => error.to_string().to_lowercase(),
    };
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
    let mut text = String::from('"');
    for chunk in shown.utf8_chunks() {
        let valid = format!("{:?}", chunk.valid());
        text += &valid[1..valid.len() - 1];
        text += &chunk.invalid().escape_ascii().to_string();
    }
    text += if end < bytes.len() { "\" …" } else { "\"" };
    text
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
        Ok(number @ 1..=1_000_000_000) => Ok(number),
        _ => Err("write a whole number from 1 to 1000000000".into()),
    }
}

/// Reads a time in seconds; decimals are allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number @ 0.0..=86_400.0) => Ok(Duration::from_secs_f64(number)),
        _ => Err("write seconds from 0 to 86400, such as 2 or 0.5".into()),
    }
}

/// A time that a call can wait for: what zero would mean is unclear (lesson 5).
fn above_zero(text: &str) -> Result<Duration, String> {
    let time = seconds(text).ok().filter(|time| !time.is_zero());
    time.ok_or_else(|| "write seconds above 0 and up to 86400, such as 2 or 0.5".into())
}

/// Runs the client; an error becomes one line on stderr and status 1.
pub fn start(args: &Args) -> ExitCode {
    let Err(error) = run(args) else {
        return ExitCode::SUCCESS;
    };
    let _ = writeln!(io::stderr(), "{error:#}");
    ExitCode::FAILURE
}

#[allow(dead_code, reason = "in the scene's program, main.rs calls start")]
fn main() -> ExitCode {
    start(&Args::parse())
}
