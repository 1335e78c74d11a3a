//! Lesson 1, the client: buy a phone, dial, talk, hang up.

use std::io::Read;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, builder::NonEmptyStringValueParser};
use socket2::{Domain, Socket, Type};

// What is no system call: small_print.rs, beside this file.
use lesson_1::{Called, ended, host_port, ip_port, quoted, resolve, say};

/// Calls a server, says one thing, and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-1-client",
    after_help = "Example:\n  cargo run -p lesson-1 client --addr 127.0.0.1:8081 --say hello"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081", value_parser = host_port)]
    addr: String,

    /// What to say
    #[arg(long, value_name = "TEXT", default_value = "hello", value_parser = NonEmptyStringValueParser::new())]
    say: String,

    /// Go on receiving until the call ends, to see how it ends
    #[arg(long)]
    until_end: bool,
}

/// The whole story of one call.
pub fn run(args: &Args) -> Result<()> {
    let (socket, peer) = dial(resolve(&args.addr)?)?;
    tell(&socket, peer, args.say.as_bytes())?;
    ensure!(
        hear(&socket, peer)?,
        "recv from {peer}: end of stream before an answer; the server hung up: see what it said"
    );
    if args.until_end {
        while hear(&socket, peer)? {}
        say("end of stream: the server hung up");
    }

    // close: hang up. Rust closes a socket when it is dropped.
    drop(socket);
    say("closed the socket");
    Ok(())
}

/// Buy a phone and dial.
fn dial(addr: SocketAddr) -> Result<(Socket, SocketAddr)> {
    // socket: a caller needs a phone too.
    let phone =
        Socket::new(Domain::for_address(addr), Type::STREAM, None).called("socket", addr)?;

    // connect: dial. No bind before it: the kernel gives the caller a port.
    phone.connect(&addr.into()).called("connect", addr)?;

    // getpeername and getsockname: the two ends of the call.
    let peer = ip_port(phone.peer_addr().called("getpeername of", addr)?)?;
    let own = ip_port(phone.local_addr().called("getsockname of", addr)?)?;
    say(format!("connected to {peer}"));
    say(format!("  from {own}"));
    Ok((phone, peer))
}

/// Say something.
fn tell(socket: &Socket, peer: SocketAddr, message: &[u8]) -> Result<()> {
    // send: the kernel takes the bytes and delivers them. That it took them does
    // not mean that the server has them.
    say(format!(
        "sending {} bytes: {}",
        message.len(),
        quoted(message)
    ));
    socket.send(message).called("send to", peer)?;
    Ok(())
}

/// Wait for an answer; false when the server has hung up.
fn hear(mut socket: &Socket, peer: SocketAddr) -> Result<bool> {
    // recv: one receive is enough for a short answer; lesson 2 shows when it is
    // not. It gives 0 at the end of the stream.
    let mut buffer = [0; 1024];
    let length = socket.read(&mut buffer).called("recv from", peer)?;
    if length > 0 {
        say(format!(
            "received {length} bytes: {}",
            quoted(&buffer[..length])
        ));
    }
    Ok(length > 0)
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
