//! Lesson 3, the client: each line of its input is a datagram.

use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(2);

fn talk(server: SocketAddr) -> io::Result<()> {
    // Port 0: any port will do for a client.
    let post = UdpSocket::bind("0.0.0.0:0")?;
    for line in io::stdin().lock().split(b'\n') {
        let message = line?;
        if message == b"bye" {
            post.send_to(&message, server)?;
            break;
        }
        let mut answer = ask(&post, server, &message)?;
        answer.push(b'\n');
        io::stdout().write_all(&answer)?;
    }
    Ok(())
}

/// Sends a datagram, and waits for the answer of the one that was asked.
fn ask(post: &UdpSocket, server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    // gap: Send the message to the server, and receive until an answer comes from there.
    // What comes from another address or port is no answer. When PATIENCE is over, give the error
    // ErrorKind::TimedOut, however many strangers write. Calls: send_to, set_read_timeout,
    // recv_from, Instant::now. Lesson 3, "What you saw and why".
    let end = Instant::now() + PATIENCE;
    post.send_to(message, server)?;
    let mut buffer = vec![0; 65535];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        post.set_read_timeout(Some(left))?;
        match post.recv_from(&mut buffer) {
            Ok((length, sender)) if sender == server => return Ok(buffer[..length].to_vec()),
            Ok(_) => {}
            Err(error) => match error.kind() {
                // The time is up, or a signal came: the next round finds out.
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:7788".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match talk(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no answer from {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
