//! Lesson 2, the server: caller after caller, message after message.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;

/// A listener, and the line that says where it is.
fn switch_on(address: SocketAddr) -> io::Result<TcpListener> {
    // gap: Listen at the address, and print "listening on IP:PORT" with the real port.
    // Calls: TcpListener::bind, local_addr. Lesson 2, "What is new".
    let phone = TcpListener::bind(address)?;
    println!("listening on {}", phone.local_addr()?);
    Ok(phone)
    // end of gap
}

/// The outer loop.
fn serve_all(address: SocketAddr) -> io::Result<()> {
    let phone = switch_on(address)?;
    loop {
        // gap: Accept a caller and serve it; print its error, if there is one, and go on.
        // Calls: accept, serve (below). An error of one call must not end the server, and an accept
        // fails, too, when the caller is gone already (ConnectionAborted). A call is closed when it
        // is dropped, on each way out. Lesson 2, "What is new" and "Break it".
        let (call, caller) = match phone.accept() {
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = serve(call) {
            println!("call of {caller}: {error}");
        }
        // end of gap
    }
}

/// The inner loop: answers one caller until it hangs up.
fn serve(mut call: TcpStream) -> io::Result<()> {
    // gap: Receive, answer in upper case, and receive again, until a receive gives 0 bytes.
    // Calls: read, write_all. Lesson 2, "What you saw and why".
    let mut buffer = [0; 65536];
    loop {
        match call.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => call.write_all(&buffer[..length].to_ascii_uppercase())?,
            // A signal came in between: nothing is lost.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8080".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match serve_all(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server at {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
