//! Lesson 3, the server: one socket, bound to a port, for everybody who writes.

use std::io::{self, BufRead};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum, value_parser};
use lesson_3::text::Encoding;
use lesson_3::{Called, complain, ended, host_port, resolve, say};

/// Prints every datagram with its sender, and answers it
#[derive(Parser)]
#[command(
    name = "lesson-3-server",
    after_help = "Example:\n  cargo run -p lesson-3 server --addr 0.0.0.0:7788 --reply upper\n\n\
                  A datagram that is the word bye ends the server."
)]
pub struct Args {
    /// Where to receive; 0.0.0.0 is every address of this host, and with
    /// port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "0.0.0.0:7788", value_parser = host_port)]
    addr: String,

    /// What to answer
    #[arg(long, value_enum, default_value_t = Reply::Echo)]
    reply: Reply,

    /// End after one datagram
    #[arg(long)]
    once: bool,

    /// How to read the bytes as text
    #[arg(long, value_enum, default_value_t = Encoding::Utf8)]
    encoding: Encoding,

    /// How many bytes of a datagram there is room for
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = value_parser!(u16).range(1..))]
    buffer: u16,

    /// Wait for Enter before the first receive, to see what waits meanwhile
    #[arg(long)]
    hold: bool,
}

/// What the server sends back.
#[derive(Clone, Copy, ValueEnum)]
enum Reply {
    /// What it received
    Echo,
    /// What it received, with the letters a to z in upper case
    Upper,
    /// Nothing
    None,
}

/// How many receives in a row may fail.
const PATIENCE: u32 = 10;

/// Receives datagrams until one says bye.
pub fn run(args: &Args) -> Result<()> {
    let (post, own) = open(resolve(&args.addr)?)?;
    if args.hold {
        say("not yet receiving: press Enter");
        io::stdin().lock().skip_until(b'\n').called("read", "standard input")?;
    }

    let mut buffer = vec![0; args.buffer.into()];
    loop {
        let (length, peer) = take_letter(&post, own, &mut buffer)?;
        let heard = &buffer[..length];
        let text = args.encoding.quoted(heard);
        say(format!("received {length} bytes: {text}"));
        say(format!("  from {peer}"));

        // An empty datagram is a message like any other: it has a sender, and
        // it is no end of anything. There is no stream here that could end.
        if heard == b"bye" {
            break;
        }
        // If the answer fails, it concerns nobody else.
        if let Err(error) = answer(&post, peer, heard, args) {
            complain(error);
        }
        if args.once {
            break;
        }
    }
    drop(post);
    say("closed the socket");
    Ok(())
}

/// Open a post office box.
fn open(addr: SocketAddr) -> Result<(UdpSocket, SocketAddr)> {
    // socket with type DGRAM, and bind. That is all: no listen and no accept.
    // There are no calls to take, only datagrams that arrive or do not.
    let post = UdpSocket::bind(addr).called("bind", addr)?;
    let own = post.local_addr().called("getsockname of", addr)?;
    say(format!("bound to {own}"));
    Ok((post, own))
}

/// Take the next letter, and read who sent it.
fn take_letter(
    post: &UdpSocket,
    own: SocketAddr,
    buffer: &mut [u8],
) -> Result<(usize, SocketAddr)> {
    for _ in 0..PATIENCE {
        // recvfrom: wait for one datagram. It gives the bytes and the sender:
        // everybody writes to this one socket, so each datagram has to say
        // where it comes from. What the buffer has no room for is thrown away,
        // and on Linux the length does not tell it.
        match post.recv_from(buffer).called("recvfrom on", own) {
            Ok(letter) => return Ok(letter),
            // Such an error can belong to one datagram, even to an answer that
            // was sent long ago, and is then no reason to leave the others.
            Err(error) => complain(error),
        }
    }
    post.recv_from(buffer).called("recvfrom again and again on", own)
}

/// Answer the one who asked.
fn answer(post: &UdpSocket, peer: SocketAddr, heard: &[u8], args: &Args) -> Result<()> {
    let answer = match args.reply {
        Reply::Echo => heard.to_vec(),
        Reply::Upper => args.encoding.upper(heard),
        Reply::None => return Ok(()),
    };
    let text = args.encoding.quoted(&answer);
    say(format!("sending {} bytes: {text}", answer.len()));

    // sendto: one datagram with these bytes, to this address. The kernel takes
    // all of it or nothing. That it took it says nothing about its arrival.
    post.send_to(&answer, peer).called("sendto", peer)?;
    Ok(())
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
