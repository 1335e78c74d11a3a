//! Lesson 2, the server: a loop of callers around a loop of messages.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};
use lesson_2::{Called, complain, ended, host_port, quoted, resolve, say};

/// Serves one caller after the other, and answers each message of a call
#[derive(Parser)]
#[command(
    name = "lesson-2-server",
    after_help = "Example:\n  cargo run -p lesson-2 server --addr 127.0.0.1:8080 --reply echo"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080", value_parser = host_port)]
    addr: String,

    /// What to send back
    #[arg(long, value_enum, default_value_t = Reply::Upper)]
    reply: Reply,

    /// What to send as soon as a caller is accepted
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    greeting: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reply {
    /// What was received, with the ASCII letters in upper case
    Upper,
    /// What was received
    Echo,
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
                // The listener itself is well, and most reasons pass. But when
                // this program has run out of descriptors, every accept fails at
                // once: without a pause this loop would use a whole CPU.
                complain(error);
                thread::sleep(REST);
                continue;
            }
        };

        // Until talk returns, nobody else is accepted. However this call ends,
        // only this call ends.
        match talk(&connection, peer, args) {
            Ok(()) => say("end of stream: the client hung up"),
            Err(error) => complain(error),
        }
        drop(connection);
        say("closed the connection");
    }
}

/// Buy a phone, put in the SIM, switch it on.
fn switch_on(addr: SocketAddr) -> Result<TcpListener> {
    // std makes the first three steps of lesson 1 in one: socket, bind, listen.
    // On Unix it also sets SO_REUSEADDR, which lesson 4 takes apart.
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

/// The inner loop: one message after the other, until the caller hangs up.
fn talk(mut connection: &TcpStream, peer: SocketAddr, args: &Args) -> Result<()> {
    if let Some(greeting) = &args.greeting {
        answer(connection, peer, greeting.as_bytes())?;
    }
    let mut buffer = [0; 1024];
    loop {
        let length = connection.read(&mut buffer).called("recv from", peer)?;
        // 0 bytes is no message. It is the end of the stream: the caller has
        // hung up, and from now on every receive would give 0 at once.
        if length == 0 {
            return Ok(());
        }
        let heard = &buffer[..length];
        say(format!("received {length} bytes: {}", quoted(heard)));
        match args.reply {
            Reply::Upper => answer(connection, peer, &heard.to_ascii_uppercase())?,
            Reply::Echo => answer(connection, peer, heard)?,
        }
    }
}

/// Send all of it.
fn answer(mut connection: &TcpStream, peer: SocketAddr, bytes: &[u8]) -> Result<()> {
    // write_all: a send may take only a part of the bytes (lesson 5 shows when).
    // write_all sends the rest, and again, until the kernel has taken all of
    // them. It promises nothing more.
    say(format!("sending {} bytes: {}", bytes.len(), quoted(bytes)));
    connection.write_all(bytes).called("send to", peer)
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
