//! Lesson 1, the client: buy a phone, dial, talk, hang up.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::process::ExitCode;

use socket2::{Domain, Socket, Type};

/// The story of one call. Rust closes a socket when it is dropped: here at the end.
fn talk(address: SocketAddr) -> io::Result<()> {
    let phone = dial(address)?;
    let answer = ask(&phone, b"hello")?;
    println!("received {}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// Buy a phone and dial.
fn dial(address: SocketAddr) -> io::Result<Socket> {
    // gap: Make a TCP socket and connect it to the address.
    // Calls: Socket::new, connect. Pass each error on with ?: main shows it and ends with status 1.
    let phone = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    phone.connect(&address.into())?;
    Ok(phone)
    // end of gap
}

/// Says something, and waits for the answer.
fn ask(mut phone: &Socket, message: &[u8]) -> io::Result<Vec<u8>> {
    // gap: Send the message, receive once, at most 1,024 bytes, and give them back. A receive of
    // 0 bytes is no answer: the server has hung up. Make an error of it, such as UnexpectedEof.
    // Calls: send, read. Taught in lesson 1, "What you saw and why".
    phone.send(message)?;
    let mut buffer = [0; 1024];
    let length = phone.read(&mut buffer)?;
    if length == 0 {
        let why = "the server hung up without an answer";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
    }
    Ok(buffer[..length].to_vec())
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8081".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match talk(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("call to {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
