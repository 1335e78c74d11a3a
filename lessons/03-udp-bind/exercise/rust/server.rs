//! Lesson 3, the server: each datagram goes back to its sender.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;

fn serve(address: SocketAddr) -> io::Result<()> {
    let post = open(address)?;
    let mut buffer = vec![0; 65535];
    loop {
        match answer_one(&post, &mut buffer) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => println!("one datagram was lost: {error}"),
        }
    }
}

/// A socket with an address, and the line that says which.
fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    // gap: Bind a UDP socket to the address, and print "bound to IP:PORT" with the real port.
    // Calls: UdpSocket::bind, local_addr. Taught in lesson 3, "What is new".
    let post = UdpSocket::bind(address)?;
    println!("bound to {}", post.local_addr()?);
    Ok(post)
    // end of gap
}

/// One datagram; false when it was bye.
fn answer_one(post: &UdpSocket, buffer: &mut [u8]) -> io::Result<bool> {
    // gap: Receive a datagram and send it back to its sender, unless it is bye.
    // Calls: recv_from, send_to. 0 bytes are a datagram, too. Lesson 3, "What you saw and why".
    let (length, sender) = post.recv_from(buffer)?;
    let data = &buffer[..length];
    if data == b"bye" {
        return Ok(false);
    }
    post.send_to(data, sender)?;
    Ok(true)
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:7788".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    match serve(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server at {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
