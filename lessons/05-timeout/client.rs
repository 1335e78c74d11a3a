//! Lesson 5, the client: call, think, speak. It can be slow in several ways.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, builder::NonEmptyStringValueParser};
use lesson_5::{Called, ended, host_port, keyboard, pause, quoted, resolve, say, seconds};

/// Calls a server, thinks, says one thing, and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-5-client",
    allow_negative_numbers = true,
    after_help = "Each message is a call of its own: the server answers one request per call.\n\n\
                  Example:\n  cargo run -p lesson-5 client --addr 127.0.0.1:9001 --think 2 --say 1"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001", value_parser = host_port)]
    addr: String,

    /// What to say; may be repeated [default: the lines of standard input]
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    say: Vec<String>,

    /// End each message with a line end
    #[arg(long)]
    newline: bool,

    /// How long to think before speaking
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = pause)]
    think: Duration,

    /// Send one byte at a time
    #[arg(long)]
    drip: bool,

    /// How long to pause between two bytes of --drip
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = pause)]
    interval: Duration,

    /// How long connect may wait [default: as long as the system tries]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    connect_timeout: Option<Duration>,

    /// How long a receive may wait for the answer [default: no limit]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

/// One call for each message.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    for message in &args.say {
        call(addr, message.as_bytes(), args)?;
    }
    if args.say.is_empty() {
        while let Some(message) = keyboard::next_line()? {
            call(addr, &message, args)?;
        }
    }
    Ok(())
}

/// The whole story of one call.
fn call(addr: SocketAddr, message: &[u8], args: &Args) -> Result<()> {
    let socket = dial(addr, args.connect_timeout)?;
    // None is "wait for ever", as it was without this call.
    socket.set_read_timeout(args.timeout).called("setsockopt of", addr)?;
    if !args.think.is_zero() {
        say(format!("thinking for {} s", args.think.as_secs_f64()));
        thread::sleep(args.think);
    }
    tell(&socket, addr, message, args)?;
    ensure!(
        hear(&socket, addr)?,
        "recv from {addr}: end of stream before an answer; the server may have waited long \
         enough: see its --timeout"
    );
    Ok(())
}

/// Buy a phone and dial.
fn dial(addr: SocketAddr, timeout: Option<Duration>) -> Result<TcpStream> {
    // A connect without a timeout waits until the system gives up. With one,
    // std starts the connect on a non-blocking socket and waits for its end.
    let phone = match timeout {
        Some(timeout) => TcpStream::connect_timeout(&addr, timeout).called("connect", addr)?,
        None => TcpStream::connect(addr).called("connect", addr)?,
    };
    say(format!("connected to {addr}"));
    Ok(phone)
}

/// Say a message, at once or byte by byte.
fn tell(mut socket: &TcpStream, addr: SocketAddr, message: &[u8], args: &Args) -> Result<()> {
    let end: &[u8] = if args.newline { b"\n" } else { b"" };
    let message = [message, end].concat();
    let size = if args.drip { 1 } else { message.len() };
    for (index, part) in message.chunks(size).enumerate() {
        if index > 0 {
            thread::sleep(args.interval);
        }
        say(format!("sending {} bytes: {}", part.len(), quoted(part)));
        socket.write_all(part).called("send to", addr)?;
    }
    Ok(())
}

/// Listen until the server hangs up: the answer ends where the stream ends,
/// however many receives it takes. False when there was none.
fn hear(mut socket: &TcpStream, addr: SocketAddr) -> Result<bool> {
    let mut buffer = [0; 1024];
    let mut answered = false;
    loop {
        let length = match socket.read(&mut buffer) {
            // The program was stopped (Ctrl-Z) and goes on: so does the wait.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            outcome => outcome.called("recv from", addr)?,
        };
        if length == 0 {
            say("end of stream: the server hung up");
            return Ok(answered);
        }
        let heard = quoted(&buffer[..length]);
        say(format!("received {length} bytes: {heard}"));
        answered = true;
    }
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
