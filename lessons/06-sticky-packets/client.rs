//! Lesson 6, the client: it asks for the list of files, and fetches files.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Parser, builder::RangedU64ValueParser};
use lesson_6::download::{Download, not_there, receive_body};
use lesson_6::folder::file_name;
use lesson_6::framing::{Cut, Framing};
use lesson_6::message::{Incoming, Request, entries};
use lesson_6::text::{plain, quoted};

/// Asks a server for the list of its files, and fetches files
#[derive(Parser)]
#[command(
    name = "lesson-6-client",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-6 client --say list --say \"get long.txt\""
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8083", value_parser = host_port)]
    addr: String,

    /// How a message says where it ends
    #[arg(long, value_enum, default_value_t = Framing::Header)]
    framing: Framing,

    /// What to ask: "list" or "get NAME", may be repeated [default: read lines from the input]
    #[arg(long, value_name = "REQUEST", value_parser = request_text)]
    say: Vec<String>,

    /// Send all requests before the first answer is received
    #[arg(long)]
    at_once: bool,

    /// The folder in which files are saved
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,

    /// Refuse answers with more bytes than this
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    max_size: u64,

    /// Take at most so many bytes in one receive
    #[arg(long, value_name = "BYTES", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1 << 30))]
    receive: Option<usize>,

    /// Set TCP_NODELAY: send each segment at once
    #[arg(long)]
    nodelay: bool,

    /// How long to wait for a server that does not send, or does not receive
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
}

/// A list is kept in memory, so it has a limit of its own.
const LONGEST_LIST: u64 = 16 * 1024 * 1024;

/// One call with as many requests as you like.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    let connection = TcpStream::connect(addr).map_err(|error| explain("connect", addr, &error))?;
    let peer = connection.peer_addr().context("getpeername")?;
    let own = connection.local_addr().context("getsockname")?;
    say(format!("connected to {peer}"));
    say(format!("  from {own}"));
    prepare(&connection, args).map_err(|error| explain("setsockopt for", peer, &error))?;
    let mut call = Cut::new(&connection, args.receive.unwrap_or(usize::MAX));

    let (mut asked, mut failed) = (0, 0);
    let mut waiting = Vec::new();
    let mut said = args.say.iter();
    while let Some(line) = next(args, &mut said)? {
        asked += 1;
        let request = match request(&line, args) {
            Ok(request) => request,
            Err(error) => {
                complain(&error);
                failed += 1;
                continue;
            }
        };
        args.framing
            .send_request(&mut call, &request, say)
            .map_err(|error| explain("send to", peer, &error))?;
        waiting.push(request);
        // The usual way is to take turns: no request before the answer to the
        // last one. Nothing in TCP demands that.
        if !args.at_once {
            failed += answers(&mut call, peer, &mut waiting, args)?;
        }
    }
    failed += answers(&mut call, peer, &mut waiting, args)?;

    drop(connection);
    say("closed the connection");
    if failed > 0 {
        bail!("{failed} of {asked} requests failed: see above");
    }
    Ok(())
}

/// Receives the answers to what was asked; gives back how many were refusals.
fn answers(
    call: &mut Cut<&TcpStream>,
    peer: SocketAddr,
    waiting: &mut Vec<Request>,
    args: &Args,
) -> Result<usize> {
    let mut refused = 0;
    for request in waiting.drain(..) {
        let max_size = match request {
            Request::List => args.max_size.min(LONGEST_LIST),
            Request::Get { .. } => args.max_size,
        };
        let reply = args.framing.receive_answer(call, max_size, say);
        let reply = reply.map_err(|error| match (&request, error.kind()) {
            (Request::List, ErrorKind::FileTooLarge) if max_size == LONGEST_LIST => {
                explain("list from", peer, &error)
            }
            _ => explain("recv from", peer, &error),
        })?;
        let taken = match (reply, &request) {
            (Err(reason), _) => {
                say(format!("refused: {}", plain(reason.as_bytes(), 300)));
                false
            }
            (Ok(incoming), Request::List) => show(incoming, peer)?,
            (Ok(incoming), Request::Get { name }) => save(incoming, name, peer, args)?,
        };
        refused += usize::from(!taken);
    }
    Ok(refused)
}

/// Shows a list, if it is one.
fn show(incoming: Incoming, peer: SocketAddr) -> Result<bool> {
    belongs(&incoming, "list", peer)?;
    let mut list = Vec::new();
    receive_body(incoming, &mut list).map_err(|error| explain("list from", peer, &error))?;
    match entries(&list) {
        Ok(lines) => {
            for line in lines {
                say(format!("  {}", plain(line, 300)));
            }
            Ok(true)
        }
        Err(line) => {
            say(format!("that is no list: {}", quoted(line)));
            Ok(false)
        }
    }
}

/// Saves a file: written under a temporary name, checked, then renamed.
fn save(incoming: Incoming, name: &str, peer: SocketAddr, args: &Args) -> Result<bool> {
    belongs(&incoming, name, peer)?;
    let size = incoming.size;
    let checked = incoming.sha256.is_some();
    let mut download = Download::begin(&args.into, name, args.force)?;
    receive_body(incoming, &mut download).map_err(|error| {
        let operation = format!("fetch {} from", quoted(name.as_bytes()));
        explain(&operation, peer, &error)
    })?;
    download.keep()?;
    let digest = if checked { ", digest right" } else { "" };
    say(format!("saved {name}, {size} bytes{digest}"));
    Ok(true)
}

/// Does the answer belong to the question? `none` and `ack` cannot know.
fn belongs(incoming: &Incoming, wanted: &str, peer: SocketAddr) -> Result<()> {
    match &incoming.name {
        Some(name) if name != wanted => {
            let (name, wanted) = (quoted(name.as_bytes()), quoted(wanted.as_bytes()));
            bail!("recv from {peer}: the answer is for {name}, not for {wanted}; hanging up")
        }
        _ => Ok(()),
    }
}

/// The options of the socket.
fn prepare(connection: &TcpStream, args: &Args) -> io::Result<()> {
    connection.set_nodelay(args.nodelay)?;
    connection.set_read_timeout(Some(args.timeout))?;
    connection.set_write_timeout(Some(args.timeout))
}

/// A line as a request. Whether its answer can be saved is asked before it is
/// sent: afterwards the body would be on its way.
fn request(line: &[u8], args: &Args) -> Result<Request> {
    let request = Request::from_text(line).map_err(|reason| anyhow!("{reason}"))?;
    if let Request::Get { name } = &request
        && file_name(name).is_ok()
        && !args.force
    {
        not_there(&args.into.join(name))?;
    }
    Ok(request)
}

/// The next line: from the arguments if there are any, else from the input.
fn next<'a>(args: &Args, said: &mut impl Iterator<Item = &'a String>) -> Result<Option<Vec<u8>>> {
    if args.say.is_empty() {
        return next_line();
    }
    Ok(said.next().map(|text| text.clone().into_bytes()))
}

/// The next line of the input that is not empty. `quit` ends the input.
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
            b"" => {}
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
        (_, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => "the server has hung up",
        (_, ErrorKind::InvalidData) => "both sides need the same --framing",
        ("list from", ErrorKind::FileTooLarge) => "a list has no larger one",
        (_, ErrorKind::FileTooLarge) => "pass a larger --max-size",
        (_, ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            "a longer --timeout has more patience, if --framing is the same on both sides"
        }
        (_, ErrorKind::UnexpectedEof) => "nothing was saved: see what the server said",
        ("send to", ErrorKind::InvalidInput) => "ask for a shorter name",
        (_, ErrorKind::Other) => "nothing was saved",
        _ => "the manual page of the call says more",
    };
    let reason = match operation {
        "resolve" => error.to_string().to_lowercase(),
        _ => reason(error),
    };
    anyhow!("{operation} {subject}: {reason}; {way_out}")
}

/// A timeout of a receive or a send has the error code of a non-blocking call
/// (lesson 5); here it gets its name.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "timed out".into(),
        _ if error.raw_os_error().is_some() => error.to_string().to_lowercase(),
        _ => error.to_string(),
    }
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
        _ => Err("write HOST:PORT, such as 127.0.0.1:8083 or [::1]:8083".into()),
    }
}

/// Checks the form of a request; what it gets, the server says.
fn request_text(text: &str) -> Result<String, String> {
    Request::from_text(text.as_bytes()).map(|_| text.into())
}

/// A time to wait; zero would mean "for ever" to the system, so it is refused.
fn seconds(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 60 * 60);
    let number = text.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(number) {
        Ok(time) if !time.is_zero() && time <= longest => Ok(time),
        _ => Err("write seconds above 0 and up to 86400 (a day), such as 5 or 0.5".into()),
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
