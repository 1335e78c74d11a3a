//! Lesson 1, the server: one call, from buying the phone to switching it off.

use std::io::{self, BufRead, Read};
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use socket2::{Domain, Socket, Type};

// What is no system call: small_print.rs, beside this file.
use lesson_1::{Called, ended, host_port, ip_port, quoted, resolve, say};

/// Takes one call, sends back in upper case what it heard, and ends
#[derive(Parser)]
#[command(
    name = "lesson-1-server",
    after_help = "Example:\n  cargo run -p lesson-1 server --addr 127.0.0.1:8081"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081", value_parser = host_port)]
    addr: String,

    /// How many callers the kernel keeps waiting until accept takes them
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true)]
    backlog: i32,

    /// Wait for Enter before accept, to see what happens without it
    #[arg(long)]
    hold: bool,
}

/// The whole story of one call.
pub fn run(args: &Args) -> Result<()> {
    let listener = switch_on(resolve(&args.addr)?, args.backlog)?;
    if args.hold {
        say("not yet accepting: press Enter to accept");
        io::stdin().lock().skip_until(b'\n').called("read", "standard input")?;
    }
    let (connection, peer) = take_call(&listener)?;
    talk(&connection, peer)?;

    // close: hang up, then switch off. Rust closes a socket when it is dropped.
    drop(connection);
    drop(listener);
    say("closed both sockets");
    Ok(())
}

/// Buy a phone, put in the SIM, switch it on.
fn switch_on(addr: SocketAddr, backlog: i32) -> Result<Socket> {
    // socket: buy a phone. STREAM asks for TCP, the domain for IPv4 or IPv6.
    let phone =
        Socket::new(Domain::for_address(addr), Type::STREAM, None).called("socket", addr)?;

    // bind: put in the SIM. From here on this address and port are ours.
    phone.bind(&addr.into()).called("bind", addr)?;

    // listen: switch it on. From here on the kernel takes calls for us,
    // also while this program is busy with something else.
    phone.listen(backlog).called("listen", addr)?;

    // getsockname: after a bind to port 0 only the kernel knows the port.
    let own = ip_port(phone.local_addr().called("getsockname of", addr)?)?;
    say(format!("listening on {own}"));
    Ok(phone)
}

/// Take the call: a second socket, and who is at its other end.
fn take_call(listener: &Socket) -> Result<(Socket, SocketAddr)> {
    // accept: it waits until a caller is there, and gives back a second socket
    // for this call. The first socket only ever rings.
    let (connection, peer) = listener.accept().called("accept", "a call")?;
    let peer = ip_port(peer)?;
    let own = ip_port(connection.local_addr().called("getsockname of the call from", peer)?)?;
    say(format!("accepted a call from {peer}"));
    say(format!("  it is on {own}"));
    Ok((connection, peer))
}

/// Hear what the caller says, and say it back in upper case.
fn talk(mut connection: &Socket, peer: SocketAddr) -> Result<()> {
    // recv, which Rust calls read: it waits for the first bytes and gives what is
    // there, at most 1,024. It gives 0 when the caller has hung up without a word;
    // then there is nothing to say back.
    let mut buffer = [0; 1024];
    let length = connection.read(&mut buffer).called("recv from", peer)?;
    let heard = &buffer[..length];
    say(format!("received {length} bytes: {}", quoted(heard)));

    // send: it hands the bytes to the kernel, which delivers them, and says how many
    // the kernel took. It takes an answer as short as this one as a whole.
    let answer = heard.to_ascii_uppercase();
    say(format!("sending {length} bytes: {}", quoted(&answer)));
    connection.send(&answer).called("send to", peer)?;
    Ok(())
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
