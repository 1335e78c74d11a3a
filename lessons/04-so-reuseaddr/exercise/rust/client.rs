//! Lesson 4, the client: it finds out who closed first.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

fn talk(address: SocketAddr) -> io::Result<()> {
    let mut phone = TcpStream::connect(address)?;
    phone.write_all(b"hello")?;
    let mut buffer = [0; 1024];
    let length = phone.read(&mut buffer)?;
    println!("received {}", String::from_utf8_lossy(&buffer[..length]));
    wait_for_the_end(phone)
}

/// Whoever closes second is not in TIME-WAIT.
fn wait_for_the_end(mut phone: TcpStream) -> io::Result<()> {
    // gap: Receive until the server has closed, and say so: "the server closed first".
    // Call: read. What does it give when the other side has closed? Lesson 4, "Exercise".
    while phone.read(&mut [0; 1024])? > 0 {}
    println!("the server closed first");
    Ok(())
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8082".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match talk(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call to {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
