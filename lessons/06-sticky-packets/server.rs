//! Lesson 6, the server: it lists and hands out the files of one folder.

use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, builder::RangedU64ValueParser};
use lesson_6::folder::Folder;
use lesson_6::framing::{Cut, Framing};

/// Lists and hands out the files of one folder, to one client at a time
#[derive(Parser)]
#[command(
    name = "lesson-6-server",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-6 server --addr 127.0.0.1:8083"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8083", value_parser = host_port)]
    addr: String,

    /// How a message says where it ends
    #[arg(long, value_enum, default_value_t = Framing::Header)]
    framing: Framing,

    /// The folder to hand out [default: the sample of this lesson]
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,

    /// At the start of a call, wait until so many bytes are there
    #[arg(long, value_name = "BYTES", value_parser = RangedU64ValueParser::<usize>::new().range(1..=65536))]
    wait_for: Option<usize>,

    /// Take at most so many bytes in one receive
    #[arg(long, value_name = "BYTES", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1 << 30))]
    receive: Option<usize>,

    /// Set TCP_NODELAY: send each segment at once
    #[arg(long)]
    nodelay: bool,

    /// How long to wait for a client that does not send, or does not receive
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    timeout: Duration,
}

/// How long the server rests after an accept that failed (lesson 2).
const REST: Duration = Duration::from_secs(1);

/// One client after the other. While one is served, the others wait: lesson 7
/// ends that.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    let folder = Folder::open(&args.root.clone().unwrap_or_else(sample))?;
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
        match serve(&connection, &folder, args) {
            Ok(()) => say("end of stream: the client hung up"),
            Err(error) => {
                complain(&explain("serve", peer, &error));
                hang_up(&connection);
            }
        }
        drop(connection);
        say("closed the connection");
    }
}

// ANCHOR: serve
/// One call. Whatever goes wrong in it ends only this call.
fn serve(connection: &TcpStream, folder: &Folder, args: &Args) -> io::Result<()> {
    connection.set_nodelay(args.nodelay)?;
    connection.set_read_timeout(Some(args.timeout))?;
    connection.set_write_timeout(Some(args.timeout))?;
    if let Some(wanted) = args.wait_for {
        wait_for(connection, wanted)?;
    }
    let mut call = Cut::new(connection, args.receive.unwrap_or(usize::MAX));
    let framing = args.framing;
    loop {
        match framing.receive_request(&mut call, say) {
            Ok(Some(request)) => {
                let answer = request.and_then(|request| folder.answer(&request));
                framing.send_answer(&mut call, answer, say)?;
            }
            Ok(None) => return Ok(()),
            // What came cannot be taken apart. The client hears why; the call
            // cannot go on, for nobody knows where its next message begins.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                framing.send_answer(&mut call, Err(error.to_string()), say)?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
    }
}
// ANCHOR_END: serve

/// Waits until so many bytes lie in the receive buffer, and takes none of them.
/// A busy server does the same without intent: it comes late, and by then more
/// has arrived.
fn wait_for(connection: &TcpStream, wanted: usize) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut buffer = vec![0; wanted];
    // peek: a receive that leaves the bytes where they are. It comes back as
    // soon as there is one byte, so we ask again until there are enough.
    while Instant::now() < deadline {
        let there = connection.peek(&mut buffer)?;
        // 0: the client has hung up without a word.
        if there == 0 || there == wanted {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Ends a call in which the client may still be sending. To close with unread
/// bytes would be a reset (lesson 1), and a reset can take our last answer with
/// it. So: say that no more will come, and take for a moment what still comes.
fn hang_up(mut connection: &TcpStream) {
    let deadline = Instant::now() + Duration::from_millis(500);
    let mut buffer = [0; 4096];
    let _ = connection.shutdown(Shutdown::Write);
    let _ = connection.set_read_timeout(Some(Duration::from_millis(100)));
    while Instant::now() < deadline && matches!(connection.read(&mut buffer), Ok(1..)) {}
}

/// The folder that comes with the lesson, wherever the program is started.
fn sample() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/sample"))
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
        (_, ErrorKind::ConnectionReset) => "the client was killed or left data unread",
        (_, ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => "the client has hung up",
        (_, ErrorKind::InvalidData) => "both sides need the same --framing",
        (_, ErrorKind::WouldBlock | ErrorKind::TimedOut) => "a longer --timeout has more patience",
        (_, ErrorKind::Other) => "the client sees the end of the stream",
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

/// A time to wait; zero would mean "for ever" to the system, so it is refused.
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
