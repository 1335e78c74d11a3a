//! Lesson 5, the server: wait for a caller's request, but not for ever.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use lesson_5::{Called, complain, ended, host_port, quoted, resolve, say, seconds};

/// Answers one request of each caller and does not wait long for it
#[derive(Parser)]
#[command(
    name = "lesson-5-server",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-5 server --addr 127.0.0.1:9001 --timeout 5"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001", value_parser = host_port)]
    addr: String,

    /// How long one receive may wait
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    timeout: Duration,

    /// How long the whole request may take [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    deadline: Option<Duration>,

    /// Where a request ends
    #[arg(long, value_name = "END", default_value = "receive")]
    until: Until,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Until {
    /// What the first receive brings is the request
    Receive,
    /// The request goes up to a line end, however many receives it takes
    Newline,
}

/// How long the server rests after an accept that failed.
const REST: Duration = Duration::from_secs(1);

/// The outer loop: one caller after the other.
pub fn run(args: &Args) -> Result<()> {
    let listener = switch_on(resolve(&args.addr)?)?;
    loop {
        let (connection, peer) = match take_call(&listener) {
            Ok(call) => call,
            Err(error) => {
                complain(error);
                thread::sleep(REST);
                continue;
            }
        };
        if let Err(error) = talk(&connection, peer, args) {
            complain(error);
        }
        drop(connection);
        say("closed the connection");
    }
}

/// Buy a phone, put in the SIM, switch it on.
fn switch_on(addr: SocketAddr) -> Result<TcpListener> {
    let phone = TcpListener::bind(addr).called("bind", addr)?;
    let own = phone.local_addr().called("getsockname of", addr)?;
    say(format!("listening on {own}"));
    Ok(phone)
}

/// Take the next call.
fn take_call(listener: &TcpListener) -> Result<(TcpStream, SocketAddr)> {
    let (connection, peer) = listener.accept().called("accept", "a call")?;
    say(format!("accepted a call from {peer}"));
    Ok((connection, peer))
}

/// Listen to a request, and answer it.
fn talk(connection: &TcpStream, peer: SocketAddr, args: &Args) -> Result<()> {
    match hear(connection, peer, args)?.as_deref() {
        None => Ok(()),
        Some(b"1") => answer(connection, peer, b"welcome to server!"),
        Some(_) => answer(connection, peer, b"please go out!"),
    }
}

/// Listen until the request is complete; none when the time is up before that,
/// or the caller hangs up.
fn hear(connection: &TcpStream, peer: SocketAddr, args: &Args) -> Result<Option<Vec<u8>>> {
    let deadline = args.deadline.map(|limit| Instant::now() + limit);
    // A request may come in parts, but it has no more room than this.
    let mut buffer = [0; 1024];
    let mut length = 0;
    let outcome = loop {
        // The timeout starts anew with each receive. The deadline does not.
        let timeout = Instant::now() + args.timeout;
        let until = deadline.map_or(timeout, |deadline| deadline.min(timeout));
        match receive(connection, &mut buffer[length..], until).called("recv from", peer)? {
            None if deadline == Some(until) => break "deadline passed",
            None => break "time out",
            Some(0) if length == 0 => break "end of stream without a word",
            Some(0) => break "end of stream, no line end",
            Some(count) => {
                let part = &buffer[length..length + count];
                say(format!("received {count} bytes: {}", quoted(part)));
                length += count;
            }
        }
        if let Some(request) = complete(&buffer[..length], args.until) {
            return Ok(Some(request.to_vec()));
        }
        if length == buffer.len() {
            say(format!("no line end in {length} bytes"));
            return Ok(Some(buffer.to_vec()));
        }
    };
    say(outcome);
    if length > 0 {
        say(format!("  after {length} bytes"));
    }
    Ok(None)
}

/// The request in what was heard so far, if it has come to its end.
fn complete(heard: &[u8], until: Until) -> Option<&[u8]> {
    if until == Until::Receive {
        return Some(heard);
    }
    let end = heard.iter().position(|&byte| byte == b'\n')?;
    let line = &heard[..end];
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// One receive that waits until a moment and no longer: none when that has come.
fn receive(
    mut connection: &TcpStream,
    buffer: &mut [u8],
    until: Instant,
) -> io::Result<Option<usize>> {
    loop {
        let rest = until.saturating_duration_since(Instant::now());
        // A timeout of zero would not mean "at once": std refuses it.
        if rest.is_zero() {
            return Ok(None);
        }
        // SO_RCVTIMEO: from here on a receive that has waited so long fails.
        connection.set_read_timeout(Some(rest))?;
        match connection.read(buffer) {
            Ok(count) => return Ok(Some(count)),
            // The time is up: the next round finds no rest. On Unix the error is
            // that of a non-blocking receive (EAGAIN), because ETIMEDOUT means
            // that the connection itself is dead. Windows uses the one for both.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if cfg!(windows) && error.kind() == ErrorKind::TimedOut => {}
            // On Linux a call with a timeout fails so when the program was
            // stopped (Ctrl-Z) and goes on. Wait for the rest of the time.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Send all of it.
fn answer(mut connection: &TcpStream, peer: SocketAddr, bytes: &[u8]) -> Result<()> {
    // So short an answer always fits into the send buffer: this cannot wait.
    say(format!("sending {} bytes: {}", bytes.len(), quoted(bytes)));
    connection.write_all(bytes).called("send to", peer)
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
