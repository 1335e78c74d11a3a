//! Lesson 4, the server: what bind looks at before it gives out a port.

use std::io::{self, BufRead, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use lesson_4::{Called, complain, ended, host_port, ip_port, quoted, resolve, say};
use socket2::{Domain, Socket, Type};

/// Takes a call, answers one message in upper case, and ends
#[derive(Parser)]
#[command(
    name = "lesson-4-server",
    after_help = "Examples:\n  cargo run -p lesson-4 server --addr 127.0.0.1:8082\n  \
                  cargo run -p lesson-4 server --reuse-addr\n  \
                  cargo run -p lesson-4 server --reuse-port --calls 8"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8082", value_parser = host_port)]
    addr: String,

    /// Set SO_REUSEADDR before bind
    #[arg(long)]
    reuse_addr: bool,

    /// Set SO_REUSEPORT before bind (Unix only)
    #[cfg(unix)]
    #[arg(long)]
    reuse_port: bool,

    /// Who closes a call first: this server after its answer, or the client
    #[arg(long, value_name = "SIDE", default_value = "server")]
    close_first: First,

    /// How many calls to take before ending
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,

    /// Wait for Enter between bind and listen, to see what happens meanwhile
    #[arg(long)]
    hold: bool,
}

/// The side that closes a call first. That side gets TIME-WAIT.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum First {
    /// The server closes as soon as it has answered
    Server,
    /// The server waits until the client has hung up
    Client,
}

/// Opens the port, takes its calls one after the other, and ends.
pub fn run(args: &Args) -> Result<()> {
    let listener = switch_on(resolve(&args.addr)?, args)?;
    for _ in 1..args.calls {
        let (connection, peer) = take_call(&listener)?;
        // As in lesson 2: a call that fails is over, the next one is taken.
        if let Err(error) = serve(connection, peer, args.close_first) {
            complain(error);
        }
    }

    // The last call needs no listener. So the listener goes first, and whoever
    // sees the end of the call can be sure that nobody listens any more.
    let (connection, peer) = take_call(&listener)?;
    drop(listener);
    say("closed the listener");
    serve(connection, peer, args.close_first)
}

/// Buy a phone, put in the SIM, switch it on. std's `TcpListener::bind` does all
/// this in one call and sets SO_REUSEADDR on Unix unasked, so it is of no use here.
fn switch_on(addr: SocketAddr, args: &Args) -> Result<Socket> {
    let phone =
        Socket::new(Domain::for_address(addr), Type::STREAM, None).called("socket", addr)?;

    // setsockopt: a wish about this one socket. Both must come before bind,
    // because bind is the call that looks at them.
    if args.reuse_addr {
        phone.set_reuse_address(true).called("SO_REUSEADDR on", addr)?;
    }
    #[cfg(unix)]
    if args.reuse_port {
        phone.set_reuse_port(true).called("SO_REUSEPORT on", addr)?;
    }
    phone.bind(&addr.into()).called("bind", addr)?;

    if args.hold {
        // On stderr: the first line on stdout is the one about listening.
        complain("bound, but not listening: press Enter");
        io::stdin().lock().skip_until(b'\n').called("read", "standard input")?;
    }

    // listen can find the port in use too. Two sockets with SO_REUSEADDR may
    // both be bound to it, but only one of them may listen.
    phone.listen(5).called("listen", addr)?;

    let own = ip_port(phone.local_addr().called("getsockname of", addr)?)?;
    say(format!("listening on {own}"));
    Ok(phone)
}

/// Take the call: a second socket, and who is at its other end.
fn take_call(listener: &Socket) -> Result<(Socket, SocketAddr)> {
    let (connection, peer) = listener.accept().called("accept", "a call")?;
    let peer = ip_port(peer)?;
    say(format!("accepted a call from {peer}"));
    Ok((connection, peer))
}

/// One call, from its message to its end.
fn serve(connection: Socket, peer: SocketAddr, first: First) -> Result<()> {
    let answered = talk(&connection, peer)?;
    // Who hangs up without a word is first, whatever was agreed.
    hang_up(
        connection,
        peer,
        if answered { first } else { First::Client },
    )
}

/// Listen to what the caller says, and answer in upper case; false when the
/// caller has hung up.
fn talk(mut connection: &Socket, peer: SocketAddr) -> Result<bool> {
    let mut buffer = [0; 1024];
    let length = connection.read(&mut buffer).called("recv from", peer)?;
    if length == 0 {
        return Ok(false);
    }
    let heard = &buffer[..length];
    say(format!("received {length} bytes: {}", quoted(heard)));
    answer(connection, peer, &heard.to_ascii_uppercase())?;
    Ok(true)
}

/// Send all of it.
fn answer(mut connection: &Socket, peer: SocketAddr, bytes: &[u8]) -> Result<()> {
    say(format!("sending {} bytes: {}", bytes.len(), quoted(bytes)));
    connection.write_all(bytes).called("send to", peer)
}

/// Hang up, as the first or as the second. This is the whole difference: the side
/// that closes first keeps the address pair for a while, in TIME-WAIT.
fn hang_up(mut connection: Socket, peer: SocketAddr, first: First) -> Result<()> {
    if first == First::Client {
        // To be second, wait for the end of the stream, whatever else comes.
        while connection.read(&mut [0; 1024]).called("recv from", peer)? > 0 {}
        say("end of stream: the client hung up");
    }
    // As with send, the line comes before the deed: after it, the other side
    // could be the first to say something, and here the order matters.
    say("closing the connection");
    drop(connection);
    Ok(())
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
