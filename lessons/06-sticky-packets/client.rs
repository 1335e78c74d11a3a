//! Lesson 6, the client: it asks for the list of files, and fetches files.

use std::iter;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Parser, builder::RangedU64ValueParser};
use lesson_6::framing::{Cut, Framing};
use lesson_6::inbox::Inbox;
use lesson_6::message::Request;
use lesson_6::{Called, complain, ended, host_port, keyboard, plain, resolve, say, seconds};

/// Asks a server for the list of its files, and fetches files
#[derive(Parser)]
#[command(
    name = "lesson-6-client",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-6 client --say list --say \"get long.txt\""
)]
pub struct Args {
    /// Whom to call
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8083", value_parser = host_port)]
    addr: String,

    /// How a message says where it ends
    #[arg(long, value_enum, default_value_t = Framing::Header)]
    framing: Framing,

    /// What to ask: "list" or "get NAME", may be repeated [default: read lines from the input]
    #[arg(long, value_name = "REQUEST", value_parser = request_text)]
    say: Vec<String>,

    /// Send all requests before the first answer is received
    #[arg(long)]
    at_once: bool,

    /// The folder in which files are saved
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,

    /// Refuse answers with more bytes than this
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 30)]
    max_size: u64,

    /// Take at most so many bytes in one receive
    #[arg(long, value_name = "BYTES", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1 << 30))]
    receive: Option<usize>,

    /// Set TCP_NODELAY: send each segment at once
    #[arg(long)]
    nodelay: bool,

    /// How long to wait for a server that does not send, or does not receive
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
}

impl Args {
    fn inbox(&self) -> Inbox<'_> {
        let (folder, force) = (&self.into, self.force);
        Inbox { folder, force }
    }
}

/// One call with as many requests as you like.
pub fn run(args: &Args) -> Result<()> {
    let (socket, peer) = dial(resolve(&args.addr)?)?;
    socket.set_nodelay(args.nodelay).called("setsockopt of", peer)?;
    socket.set_read_timeout(Some(args.timeout)).called("setsockopt of", peer)?;
    socket.set_write_timeout(Some(args.timeout)).called("setsockopt of", peer)?;
    let (asked, failed) = talk(&socket, peer, args)?;

    drop(socket);
    say("closed the connection");
    ensure!(
        failed == 0,
        "{failed} of {asked} requests failed: see above"
    );
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

/// Ask, and take what is answered; gives back how many requests there were, and
/// how many of them failed.
fn talk(socket: &TcpStream, peer: SocketAddr, args: &Args) -> Result<(usize, usize)> {
    let mut call = Cut::new(socket, args.receive.unwrap_or(usize::MAX));
    let (mut asked, mut failed) = (0, 0);
    let mut waiting = Vec::new();
    for line in lines(&args.say) {
        match args.inbox().request(&line?) {
            Ok(request) => {
                args.framing.send_request(&mut call, &request, say).called("send to", peer)?;
                waiting.push(request);
            }
            Err(error) => {
                complain(error);
                failed += 1;
            }
        }
        asked += 1;
        // The usual way is to take turns: no request before the answer to the
        // last one. Nothing in TCP demands that.
        if !args.at_once {
            failed += hear(&mut call, peer, &mut waiting, args)?;
        }
    }
    failed += hear(&mut call, peer, &mut waiting, args)?;
    Ok((asked, failed))
}

/// What to ask: what stands on the command line, or else what is typed.
fn lines(said: &[String]) -> Box<dyn Iterator<Item = Result<Vec<u8>>> + '_> {
    if said.is_empty() {
        return Box::new(iter::from_fn(|| keyboard::next_line().transpose()));
    }
    Box::new(said.iter().map(|text| Ok(text.clone().into_bytes())))
}

/// Wait for the answers to all that was asked; gives back how many were none.
fn hear(
    call: &mut Cut<&TcpStream>,
    peer: SocketAddr,
    waiting: &mut Vec<Request>,
    args: &Args,
) -> Result<usize> {
    let mut failed = 0;
    for request in waiting.drain(..) {
        let answer = args.framing.receive_answer(call, args.max_size, say);
        let taken = match answer.called("recv from", peer)? {
            Ok(incoming) => args.inbox().take(incoming, &request, peer)?,
            Err(reason) => {
                say(format!("refused: {}", plain(reason.as_bytes(), 300)));
                false
            }
        };
        failed += usize::from(!taken);
    }
    Ok(failed)
}

/// Checks the form of a request; what it gets, the server says.
fn request_text(text: &str) -> Result<String, String> {
    Request::from_text(text.as_bytes()).map(|_| text.into())
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
