//! Lesson 2, the client: one call, and in it as many messages as you like.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use lesson_2::{Called, at_least_one, ended, host_port, not_empty, quoted, resolve, say};
use lesson_2::{keyboard, mistakes};

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
    #[arg(long, value_name = "TEXT", value_parser = not_empty)]
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

/// The whole story of one call.
pub fn run(args: &Args) -> Result<()> {
    let (socket, peer) = dial(resolve(&args.addr)?)?;
    if args.listen_first {
        hear_greeting(&socket, peer)?;
    }
    if args.send_empty {
        mistakes::send_empty(&socket, peer)?;
    }
    for message in &args.say {
        talk(&socket, peer, message.as_bytes(), args.ahead.get())?;
    }
    if args.say.is_empty() {
        while let Some(message) = keyboard::next_line()? {
            talk(&socket, peer, &message, args.ahead.get())?;
        }
    }
    if args.reset {
        return mistakes::reset(socket);
    }
    drop(socket);
    say("closed the connection");
    Ok(())
}

/// Buy a phone and dial.
fn dial(addr: SocketAddr) -> Result<(TcpStream, SocketAddr)> {
    // std makes two steps of lesson 1 in one: socket and connect.
    let phone = TcpStream::connect(addr).called("connect", addr)?;
    let peer = phone.peer_addr().called("getpeername of", addr)?;
    let own = phone.local_addr().called("getsockname of", addr)?;
    say(format!("connected to {peer}"));
    say(format!("  from {own}"));
    Ok((phone, peer))
}

/// Say a message and hear its answer, which is as long as the message.
fn talk(mut socket: &TcpStream, peer: SocketAddr, message: &[u8], ahead: usize) -> Result<()> {
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
            socket.write_all(&message[sent..end]).called("send to", peer)?;
            sent = end;
            if sent == wanted {
                say("  taken by the kernel");
            }
        }

        // TCP brings the bytes in their order, but keeps no borders: what was
        // sent at once may arrive in parts. So we count. And we ask for no more
        // than what is missing, for what follows belongs to the next answer.
        let more = socket.read(&mut answer[received..]).called("recv from", peer)?;
        ensure!(
            more > 0,
            "recv from {peer}: end of stream after {received} of {wanted} bytes; \
             the server hung up early: see what it said"
        );
        received += more;
    }
    say(format!("received {received} bytes: {}", quoted(&answer)));
    Ok(())
}

/// One receive, whatever it brings: how long a greeting is, only the server
/// knows. Lesson 6 shows how the two sides agree on it.
fn hear_greeting(mut socket: &TcpStream, peer: SocketAddr) -> Result<()> {
    let mut buffer = [0; 1024];
    let length = socket.read(&mut buffer).called("recv from", peer)?;
    ensure!(
        length > 0,
        "recv from {peer}: end of stream before a greeting; see what the server said"
    );
    let greeting = quoted(&buffer[..length]);
    say(format!("received {length} bytes: {greeting}"));
    Ok(())
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
