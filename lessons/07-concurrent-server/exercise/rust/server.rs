//! Lesson 7, the server: nobody waits for somebody else.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// Has a caller served while we go on.
fn start(call: TcpStream, caller: SocketAddr) -> io::Result<()> {
    // gap: Start a thread that serves this caller, and prints its error if there is one.
    // Call: thread::Builder::new().spawn, or thread::spawn. Taught in lesson 7, "What is new".
    thread::Builder::new().spawn(move || {
        if let Err(error) = serve(call) {
            println!("call of {caller}: {error}");
        }
    })?;
    Ok(())
    // end of gap
}

/// One call, from its first message to its end.
fn serve(mut call: TcpStream) -> io::Result<()> {
    // gap: Receive, answer in upper case, and receive again, until a receive gives 0 bytes.
    // Calls: read, write_all. You know them from lesson 2.
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

fn serve_all(address: SocketAddr) -> io::Result<()> {
    let phone = TcpListener::bind(address)?;
    println!("listening on {}", phone.local_addr()?);
    loop {
        let started = phone
            .accept()
            .and_then(|(call, caller)| start(call, caller));
        if let Err(error) = started {
            // gap: An accept that fails concerns one caller, or passes: print the error, rest for a
            // moment, and go on. Call: thread::sleep. Lesson 7, "Break it".
            println!("accept: {error}");
            thread::sleep(Duration::from_millis(100));
            // end of gap
        }
    }
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8084".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match serve_all(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server at {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
