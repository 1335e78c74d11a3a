//! Lesson 7, the client: one caller as in lesson 2, or a whole crowd.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::{Parser, builder::NonEmptyStringValueParser};
use lesson_7::models::service::Reply;
use lesson_7::{Called, ended, in_time, quoted, resolve, say};
use lesson_7::{crowd, datagrams, keyboard};
use lesson_7::{from_1_to, host_port, pause, seconds};

/// Sends messages to a server and receives the answers, alone or as a crowd
#[derive(Parser)]
#[command(
    name = "lesson-7-client",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-7 client --say hello --say world\n  \
                  cargo run -p lesson-7 client --clients 1000 --messages 10 --size 64"
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8084", value_parser = host_port)]
    addr: String,

    /// A message, may be repeated; without it, each line of the input is one, until "quit"
    #[arg(long, value_name = "TEXT", conflicts_with = "clients", value_parser = NonEmptyStringValueParser::new())]
    say: Vec<String>,

    /// Send datagrams
    #[arg(long)]
    udp: bool,

    /// Receive once before the first message, for servers that speak first
    #[arg(long, conflicts_with_all = ["clients", "udp"])]
    listen_first: bool,

    /// Think so long before each message
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = pause)]
    think: Duration,

    /// How long an answer may take; if nothing is said: 10 for a crowd, 2 for UDP, else no limit
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    deadline: Option<Duration>,

    /// Be a crowd of so many clients, and check each byte of each answer
    #[arg(long, value_name = "N", value_parser = from_1_to::<1_000_000_000>)]
    clients: Option<usize>,

    /// How many messages each client of the crowd sends
    #[arg(long, value_name = "M", default_value_t = 10, requires = "clients", value_parser = from_1_to::<1_000_000_000>)]
    messages: usize,

    /// How many bytes each message of the crowd has
    #[arg(long, value_name = "S", default_value_t = 64, requires = "clients", value_parser = from_1_to::<1_000_000_000>)]
    size: usize,

    /// Which answer the crowd expects
    #[arg(long, value_enum, default_value_t = Reply::Upper, requires = "clients")]
    reply: Reply,
}

/// One caller, or a crowd of them.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    if let Some(clients) = args.clients {
        return be_a_crowd(addr, clients, args);
    }
    if args.udp {
        let post = datagrams::open(addr, args.deadline.unwrap_or(Duration::from_secs(2)))?;
        return each_message(args, |message| datagrams::exchange(&post, addr, message));
    }
    let socket = dial(addr)?;
    if args.listen_first {
        hear_greeting(&socket, addr)?;
    }
    each_message(args, |message| talk(&socket, addr, message, args))?;
    drop(socket);
    say("closed the connection");
    Ok(())
}

/// Be many callers.
fn be_a_crowd(addr: SocketAddr, clients: usize, args: &Args) -> Result<()> {
    crowd::run(&crowd::Plan {
        addr,
        udp: args.udp,
        clients,
        messages: args.messages,
        size: args.size,
        upper: args.reply == Reply::Upper,
        think: args.think,
        deadline: args.deadline.unwrap_or(Duration::from_secs(10)),
    })
}

/// Thinks, and does this, for each message of the command line or of the input.
fn each_message(args: &Args, mut talk: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    for message in &args.say {
        thread::sleep(args.think);
        talk(message.as_bytes())?;
    }
    if args.say.is_empty() {
        while let Some(message) = keyboard::next_line()? {
            thread::sleep(args.think);
            talk(&message)?;
        }
    }
    Ok(())
}

/// Buy a phone and dial.
fn dial(addr: SocketAddr) -> Result<TcpStream> {
    let phone = TcpStream::connect(addr).called("connect", addr)?;
    let own = phone.local_addr().called("getsockname of", addr)?;
    say(format!("connected to {addr}"));
    say(format!("  from {own}"));
    Ok(phone)
}

/// Say a message and hear its answer, which is as long as the message.
fn talk(mut socket: &TcpStream, peer: SocketAddr, message: &[u8], args: &Args) -> Result<()> {
    let wanted = message.len();
    say(format!("sending {wanted} bytes: {}", quoted(message)));
    let mut answer = vec![0; wanted];
    let (mut sent, mut received) = (0, 0);
    let began = Instant::now();
    while received < wanted {
        // Never far ahead of the answers: lesson 2 tells why.
        let end = wanted.min(received + 4096);
        if sent < end {
            socket.write_all(&message[sent..end]).called("send to", peer)?;
            sent = end;
        }
        if let Some(deadline) = args.deadline {
            // A timeout of zero would be refused.
            let left = deadline.saturating_sub(began.elapsed());
            let left = Some(left.max(Duration::from_micros(1)));
            socket.set_read_timeout(left).called("setsockopt of", peer)?;
        }
        let more = in_time(socket.read(&mut answer[received..])).called("recv from", peer)?;
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
