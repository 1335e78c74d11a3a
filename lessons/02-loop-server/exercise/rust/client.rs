//! Lesson 2, the client: each line of its input is a message.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

/// So many bytes may be under way without an answer.
const AHEAD: usize = 4096;

fn talk(address: SocketAddr) -> io::Result<()> {
    let phone = TcpStream::connect(address)?;
    for line in io::stdin().lock().split(b'\n') {
        let mut answer = exchange(&phone, &line?)?;
        answer.push(b'\n');
        io::stdout().write_all(&answer)?;
    }
    Ok(())
}

/// Sends a message, and receives as many bytes as it has.
fn exchange(mut phone: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    // gap: Send and receive in turns, until you have as many bytes as the message.
    // Send at most AHEAD bytes more than you have received, and never receive more than is missing.
    // Calls: write_all, read. 0 bytes are the end of the stream: an error of the kind
    // UnexpectedEof. Lesson 2, "Break it".
    let mut answer = vec![0; message.len()];
    let (mut sent, mut received) = (0, 0);
    while received < message.len() {
        let until = message.len().min(received + AHEAD);
        phone.write_all(&message[sent..until])?;
        sent = until;
        received += match phone.read(&mut answer[received..]) {
            Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "end of stream")),
            Ok(length) => length,
            // A signal came in between: nothing is lost.
            Err(error) if error.kind() == ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(answer)
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8080".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match talk(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call to {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
