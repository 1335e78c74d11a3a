//! Lesson 5, the client: each line of its input is a call.

use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

fn talk(address: SocketAddr, timeout: Duration) -> io::Result<()> {
    for line in io::stdin().lock().split(b'\n') {
        let call = dial(address, timeout)?;
        let answer = ask(&call, &line?, timeout)?;
        println!("received {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// A connection to the server, in time.
fn dial(address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    // gap: Connect to the address, and give up after the timeout.
    // Call: TcpStream::connect_timeout. Without a timeout the system tries for two minutes.
    // Lesson 5, "Break it": "Fill the queue".
    TcpStream::connect_timeout(&address, timeout)
    // end of gap
}

/// Sends the message, and receives until the server hangs up.
fn ask(mut call: &TcpStream, message: &[u8], timeout: Duration) -> io::Result<Vec<u8>> {
    // gap: Send the message and receive until the end of the stream, with a timeout for each
    // receive. If nothing came before the end, give an error of the kind UnexpectedEof.
    // Calls: set_read_timeout, write_all, read_to_end. Lesson 5, "What you saw and why".
    call.set_read_timeout(Some(timeout))?;
    call.write_all(message)?;
    let mut answer = Vec::new();
    call.read_to_end(&mut answer)?;
    if answer.is_empty() {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "end of stream"));
    }
    Ok(answer)
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:9001".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    let timeout = std::env::var("TIMEOUT").unwrap_or("5".into());
    let timeout = Duration::from_secs_f64(timeout.parse().expect("TIMEOUT is a number of seconds"));
    match talk(address, timeout) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call to {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
