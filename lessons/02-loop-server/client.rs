//! Lesson 2, the client: one call, and in it as many messages as you like.

use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::process::{self, ExitCode};

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;

// The scene's program has this file as a module, so the path is named.
#[path = "mistakes.rs"]
mod mistakes;

/// Sends messages to a server, and receives the answer to each
#[derive(Parser)]
#[command(
    name = "lesson-2-client",
    after_help = "Example:\n  cargo run -p lesson-2 client --addr 127.0.0.1:8080 --say hello --say world"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080", value_parser = host_port)]
    addr: String,

    /// A message, may be repeated; without it, each line of the input is one, until "quit"
    #[arg(long, value_name = "TEXT", value_parser = message)]
    say: Vec<String>,

    /// Receive once before the first message, for servers that speak first
    #[arg(long)]
    listen_first: bool,

    /// Send an empty message before the first one, and see that no answer comes
    #[arg(long)]
    send_empty: bool,

    /// How far to send ahead of the answer; much too far, and both sides wait for ever
    #[arg(long, value_name = "BYTES", default_value = "4096", allow_negative_numbers = true, value_parser = at_least_one)]
    ahead: NonZeroUsize,

    /// End the call with a reset instead of a close
    #[arg(long)]
    reset: bool,
}

/// The whole story of one call, from top to bottom.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;

    // std makes two steps of lesson 1 in one: socket and connect.
    let mut stream = TcpStream::connect(addr).map_err(|error| explain("connect", addr, &error))?;
    let peer = stream.peer_addr().map_err(|error| explain("getpeername of", addr, &error))?;
    say(format!("connected to {peer}"));
    say(format!(
        "  from {}",
        stream.local_addr().context("getsockname")?
    ));

    if args.listen_first {
        listen(&mut stream, peer)?;
    }
    if args.send_empty {
        mistakes::send_empty(&mut stream, peer)?;
    }

    // ANCHOR: loop
    if args.say.is_empty() {
        while let Some(message) = next_line()? {
            talk(&mut stream, peer, &message, args.ahead.get())?;
        }
    } else {
        for message in &args.say {
            talk(&mut stream, peer, message.as_bytes(), args.ahead.get())?;
        }
    }
    // ANCHOR_END: loop

    if args.reset {
        return mistakes::reset(stream);
    }
    drop(stream);
    say("closed the connection");
    Ok(())
}

// ANCHOR: talk
/// Sends a message and receives its answer, which is as long as the message.
fn talk(stream: &mut TcpStream, peer: SocketAddr, message: &[u8], ahead: usize) -> Result<()> {
    let wanted = message.len();
    say(format!("sending {wanted} bytes: {}", quoted(message)));
    let mut answer = vec![0; wanted];
    let (mut sent, mut received) = (0, 0);

    while received < wanted {
        // Why not send all at once? The server answers while we are sending. If
        // we do not receive, the buffers between us fill with answers, until
        // the server's send waits for us. Then they fill with our message, until
        // our send waits for the server: each for the other, for ever. So we are
        // never further ahead than the buffers can hold.
        let end = wanted.min(received.saturating_add(ahead));
        if sent < end {
            stream
                .write_all(&message[sent..end])
                .map_err(|error| explain("send to", peer, &error))?;
            sent = end;
            if sent == wanted {
                say("  taken by the kernel");
            }
        }

        // TCP brings the bytes in their order, but keeps no borders: what was
        // sent at once may arrive in parts. So we count. And we ask for no more
        // than what is missing, for what follows belongs to the next answer.
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
// ANCHOR_END: talk

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
        (_, ErrorKind::ConnectionReset | ErrorKind::NotConnected) => {
            "the server was ended, or closed before it had read everything"
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
        _ => Err("write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080".into()),
    }
}

/// Refuses the empty message, which no server could answer.
fn message(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an empty message sends nothing: see --send-empty".into());
    }
    Ok(text.into())
}

/// Reads a number of bytes.
fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    let wrong = |_| "write a whole number of bytes from 1 up, such as 4096".to_string();
    text.parse().map_err(wrong)
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
