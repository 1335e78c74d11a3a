//! Lesson 4, the client: one call per message, and a say in who closes first.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum, builder::NonEmptyStringValueParser};
use lesson_4::{Called, ended, host_port, keyboard, quoted, resolve, say};

/// Makes one call per message and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-4-client",
    after_help = "Examples:\n  cargo run -p lesson-4 client --addr 127.0.0.1:8082 --say hello\n  \
                  cargo run -p lesson-4 client --close-first client --say hello"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8082", value_parser = host_port)]
    addr: String,

    /// What to say; repeat it for further calls (default: line by line from stdin)
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    say: Vec<String>,

    /// Who closes a call first: the server, or this client after the answer
    #[arg(long, value_name = "SIDE", default_value = "server")]
    close_first: First,
}

/// The side that closes a call first. That side gets TIME-WAIT.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum First {
    /// The client waits until the server has hung up
    Server,
    /// The client closes as soon as it has its answer
    Client,
}

/// Makes the calls one after the other, and ends.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    for message in &args.say {
        call(addr, message.as_bytes(), args.close_first)?;
    }
    if args.say.is_empty() {
        while let Some(message) = keyboard::next_line()? {
            call(addr, &message, args.close_first)?;
        }
    }
    Ok(())
}

/// One call, one message.
fn call(addr: SocketAddr, message: &[u8], first: First) -> Result<()> {
    let (socket, peer) = dial(addr)?;
    talk(&socket, peer, message, first)?;
    say("closing the connection");
    drop(socket);
    Ok(())
}

/// Buy a phone and dial.
fn dial(addr: SocketAddr) -> Result<(TcpStream, SocketAddr)> {
    let phone = TcpStream::connect(addr).called("connect", addr)?;
    let peer = phone.peer_addr().called("getpeername of", addr)?;
    let own = phone.local_addr().called("getsockname of", addr)?;
    say(format!("connected to {peer}"));
    say(format!("  from {own}"));
    Ok((phone, peer))
}

/// Say a message and hear its answer. Who closes first is the whole difference.
fn talk(mut socket: &TcpStream, peer: SocketAddr, message: &[u8], first: First) -> Result<()> {
    let length = message.len();
    say(format!("sending {length} bytes: {}", quoted(message)));
    socket.write_all(message).called("send to", peer)?;

    // The answer is as long as the question, of which the server receives at
    // most 1,024 bytes. To be first, stop when the answer is complete; to be
    // second, go on until the end of the stream.
    let wanted = length.min(1024);
    let mut buffer = [0; 1024];
    let mut received = 0;
    while first == First::Server || received < wanted {
        let length = socket.read(&mut buffer).called("recv from", peer)?;
        if length == 0 {
            ensure!(
                received >= wanted,
                "recv from {peer}: end of stream after {received} of {wanted} bytes; \
                 the server hung up early: see what it said"
            );
            say("end of stream: the server hung up");
            break;
        }
        let heard = &buffer[..length];
        say(format!("received {length} bytes: {}", quoted(heard)));
        received += length;
    }
    Ok(())
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
