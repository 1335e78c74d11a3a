//! Lesson 3, the client: writes datagrams, and waits for the answer to each.

use std::net::{SocketAddr, UdpSocket};
use std::process::{self, ExitCode};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use lesson_3::keyboard::next_line;
use lesson_3::patience::{Patience, ended_early, seconds};
use lesson_3::text::Encoding;
use lesson_3::{Called, complain, ended, host_port, ip_port, resolve, say, this_host};
use socket2::{Domain, Socket, Type};

/// Sends each message as one datagram, and prints the answer
#[derive(Parser)]
#[command(
    name = "lesson-3-client",
    after_help = "Example:\n  cargo run -p lesson-3 client --to 127.0.0.1:7788 --say hello\n\n\
                  The message bye ends the server, which does not answer it."
)]
pub struct Args {
    /// Whom to write to
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7788", value_parser = host_port)]
    to: String,

    /// Where to send from [default: the system chooses]
    #[arg(long, value_name = "HOST:PORT", value_parser = host_port)]
    bind: Option<String>,

    /// Connect the socket: fix whom it writes to and whom it hears
    #[arg(long)]
    connected: bool,

    /// A message, may be repeated, '' is an empty one; without it, each line
    /// of the input is one, until "quit"
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,

    /// How to turn text into bytes, and bytes into text
    #[arg(long, value_enum, default_value_t = Encoding::Utf8)]
    encoding: Encoding,

    /// How long to wait for each answer
    #[arg(long, value_name = "SECONDS", default_value = "2", allow_negative_numbers = true, value_parser = seconds)]
    timeout: Duration,

    /// Do not wait for answers
    #[arg(long)]
    no_answer: bool,
}

/// Sends message after message. The status tells whether each had its answer.
pub fn run(args: &Args) -> Result<()> {
    let to = this_host(resolve(&args.to)?);
    let post = open(to, args.bind.as_deref())?;
    if args.connected {
        connect(&post, to)?;
    }
    let mut port_known = args.bind.is_some() || args.connected;
    let mut said = args.say.iter().map(|text| text.clone().into_bytes());
    let typed = args.say.is_empty();
    let mut failed = false;
    while let Some(message) = if typed { next_line()? } else { said.next() } {
        // A failure concerns this message only: the next one has its own chance.
        if let Err(error) = exchange(&post, to, &message, args, &mut port_known) {
            complain(error);
            failed = true;
        }
    }
    if failed {
        process::exit(1); // Each failure has been told.
    }
    Ok(())
}

/// Open a post office box. Whoever only asks need not choose its number.
fn open(to: SocketAddr, bind: Option<&str>) -> Result<UdpSocket> {
    // std's UdpSocket::bind makes the socket and binds it in one step. Here
    // they are two, because a client can leave out the second: the kernel then
    // binds the socket to a free port when it sends for the first time.
    let post = Socket::new(Domain::for_address(to), Type::DGRAM, None).called("socket", to)?;
    if let Some(name) = bind {
        let own = resolve(name)?;
        post.bind(&own.into()).called("bind", own)?;
        let own = ip_port(post.local_addr().called("getsockname of", own)?)?;
        say(format!("bound to {own}"));
    }
    Ok(UdpSocket::from(post))
}

/// Note the one who is written to.
fn connect(post: &UdpSocket, to: SocketAddr) -> Result<()> {
    // connect: with UDP, nothing goes over the wire. The kernel notes the
    // other side. From here on send needs no address, recv gives only what
    // comes from there, and the kernel passes on errors it hears of.
    post.connect(to).called("connect", to)?;
    let own = post.local_addr().called("getsockname of", to)?;
    say(format!("connected to {to}"));
    say(format!("  from {own}"));
    Ok(())
}

/// Write a letter, and hear the answer.
fn exchange(
    post: &UdpSocket,
    to: SocketAddr,
    message: &[u8],
    args: &Args,
    port_known: &mut bool,
) -> Result<()> {
    let bytes = args.encoding.encode(message)?;
    let text = args.encoding.quoted(&bytes);
    say(format!("sending {} bytes: {text}", bytes.len()));
    if args.connected {
        // send: to the one that the socket is connected to.
        post.send(&bytes).called("send to", to)?;
    } else {
        // sendto: every datagram has its own address on it.
        post.send_to(&bytes, to).called("sendto", to)?;
    }
    if !*port_known {
        // Only now the socket has a port. It still has no address: the kernel
        // chooses that for each datagram, by the way it will take.
        let own = post.local_addr().called("getsockname of", to)?;
        say(format!("  from {own}"));
        *port_known = true;
    }
    // Nobody answers bye: the server ends.
    if args.no_answer || bytes == b"bye" {
        return Ok(());
    }
    hear(post, to, args)
}

/// Wait for the answer. Datagrams can be lost, so the wait has an end.
fn hear(post: &UdpSocket, to: SocketAddr, args: &Args) -> Result<()> {
    let call = if args.connected {
        "recv from"
    } else {
        "recvfrom"
    };
    // Room for the longest datagram that there can be.
    let mut buffer = [0; 65_535];
    let patience = Patience::of(args.timeout);
    while patience.lasts(post)? {
        let received = if args.connected {
            // recv: the bytes. Whose they are is known already.
            post.recv(&mut buffer).map(|length| (length, to))
        } else {
            // recvfrom: the bytes, and who sent them.
            post.recv_from(&mut buffer)
        };
        if received.as_ref().is_err_and(ended_early) {
            continue; // See what time is left.
        }
        let (length, peer) = received.called(call, to)?;
        let text = args.encoding.quoted(&buffer[..length]);
        say(format!("received {length} bytes: {text}"));

        // Everybody who knows our port can write to it. The answer is what
        // comes from the address that was asked.
        if (peer.ip(), peer.port()) == (to.ip(), to.port()) {
            if !args.connected {
                say(format!("  from {peer}"));
            }
            return Ok(());
        }
        say(format!("  ignored: from a stranger, {peer}"));
    }
    bail!("{call} {to}: {patience}")
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
