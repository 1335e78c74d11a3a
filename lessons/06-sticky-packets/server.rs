//! Lesson 6, the server: it lists and hands out the files of one folder.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::{Parser, builder::RangedU64ValueParser};
use lesson_6::folder::Folder;
use lesson_6::framing::{Cut, Framing};
use lesson_6::{Called, complain, ended, host_port, resolve, say, seconds};

/// Lists and hands out the files of one folder, to one client at a time
#[derive(Parser)]
#[command(
    name = "lesson-6-server",
    allow_negative_numbers = true,
    after_help = "Example:\n  cargo run -p lesson-6 server --addr 127.0.0.1:8083"
)]
pub struct Args {
    /// Where to listen; with port 0 the system chooses a free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8083", value_parser = host_port)]
    addr: String,

    /// How a message says where it ends
    #[arg(long, value_enum, default_value_t = Framing::Header)]
    framing: Framing,

    /// The folder to hand out [default: the sample of this lesson]
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,

    /// At the start of a call, wait until so many bytes are there
    #[arg(long, value_name = "BYTES", value_parser = RangedU64ValueParser::<usize>::new().range(1..=65536))]
    wait_for: Option<usize>,

    /// Take at most so many bytes in one receive
    #[arg(long, value_name = "BYTES", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1 << 30))]
    receive: Option<usize>,

    /// Set TCP_NODELAY: send each segment at once
    #[arg(long)]
    nodelay: bool,

    /// How long to wait for a client that does not send, or does not receive
    #[arg(long, value_name = "SECONDS", default_value = "300", value_parser = seconds)]
    timeout: Duration,
}

/// The folder that comes with the lesson, wherever the program is started.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample");

/// How long the server rests after an accept that failed (lesson 2).
const REST: Duration = Duration::from_secs(1);

/// One client after the other. While one is served, the others wait: lesson 7
/// ends that.
pub fn run(args: &Args) -> Result<()> {
    let addr = resolve(&args.addr)?;
    let folder = Folder::open(&args.root.clone().unwrap_or(SAMPLE.into()))?;
    let listener = switch_on(addr)?;
    loop {
        let (connection, peer) = match take_call(&listener) {
            Ok(call) => call,
            Err(error) => {
                complain(error);
                thread::sleep(REST);
                continue;
            }
        };

        match talk(&connection, &folder, args).called("serve", peer) {
            Ok(()) => say("end of stream: the client hung up"),
            Err(error) => {
                complain(error);
                hang_up(&connection);
            }
        }
        drop(connection);
        say("closed the connection");
    }
}

/// Buy a phone, put in the SIM, switch it on.
fn switch_on(addr: SocketAddr) -> Result<TcpListener> {
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

/// One request after the other, each with its answer, until the client hangs up.
fn talk(connection: &TcpStream, folder: &Folder, args: &Args) -> io::Result<()> {
    // TCP_NODELAY: without it the kernel holds a small piece back while an
    // earlier one is not acknowledged.
    connection.set_nodelay(args.nodelay)?;
    // SO_RCVTIMEO is known from lesson 5; SO_SNDTIMEO is the same for a send.
    connection.set_read_timeout(Some(args.timeout))?;
    connection.set_write_timeout(Some(args.timeout))?;
    if let Some(wanted) = args.wait_for {
        wait_for(connection, wanted)?;
    }
    let mut call = Cut::new(connection, args.receive.unwrap_or(usize::MAX));
    let framing = args.framing;
    loop {
        match framing.receive_request(&mut call, say) {
            Ok(Some(request)) => {
                let answer = request.and_then(|request| folder.answer(&request));
                framing.send_answer(&mut call, answer, say)?;
            }
            Ok(None) => return Ok(()),
            // What came cannot be taken apart. The client hears why; the call
            // cannot go on, for nobody knows where its next message begins.
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                framing.send_answer(&mut call, Err(error.to_string()), say)?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits until so many bytes lie in the receive buffer, and takes none of them.
/// A busy server does the same without intent: it comes late, and by then more
/// has arrived.
fn wait_for(connection: &TcpStream, wanted: usize) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut buffer = vec![0; wanted];
    // peek: a receive that leaves the bytes where they are. It comes back as
    // soon as there is one byte, so we ask again until there are enough.
    while Instant::now() < deadline {
        let there = connection.peek(&mut buffer)?;
        // 0: the client has hung up without a word.
        if there == 0 || there == wanted {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Ends a call in which the client may still be sending. To close with unread
/// bytes would be a reset (lesson 1), and a reset can take our last answer with
/// it. So: say that no more will come, and take for a moment what still comes.
fn hang_up(mut connection: &TcpStream) {
    let deadline = Instant::now() + Duration::from_millis(500);
    let mut buffer = [0; 4096];
    let _ = connection.shutdown(Shutdown::Write);
    let _ = connection.set_read_timeout(Some(Duration::from_millis(100)));
    while Instant::now() < deadline && matches!(connection.read(&mut buffer), Ok(1..)) {}
}

#[allow(dead_code, reason = "in the scene's program, scene/main.rs calls run")]
fn main() -> ExitCode {
    ended(run(&Args::parse()))
}
