// caught by 3/datagram/longest
// What the buffer has no room for is thrown away.
use std::env;
use std::net::UdpSocket;

fn main() -> std::io::Result<()> {
    let socket = UdpSocket::bind(env::var("ADDR").unwrap_or_default())?;
    println!("bound to {}", socket.local_addr()?);
    let mut buffer = [0; 1024];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer)?;
        if &buffer[..length] == b"bye" {
            return Ok(());
        }
        socket.send_to(&buffer[..length], peer)?;
    }
}
