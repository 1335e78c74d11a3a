// caught by 3/forced/interrupted
// Whatever ends a receive without a datagram is taken for the end of the wait.
use std::env;
use std::io::{self, BufRead};
use std::net::{SocketAddr, UdpSocket};
use std::process::exit;
use std::time::{Duration, Instant};

fn ask(socket: &UdpSocket, server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    let end = Instant::now() + Duration::from_secs(2);
    socket.send_to(message, server)?;
    let mut buffer = vec![0; 65_535];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        socket.set_read_timeout(Some(left.max(Duration::from_micros(1))))?;
        let (length, sender) = socket.recv_from(&mut buffer)?;
        if sender == server {
            return Ok(buffer[..length].to_vec());
        }
    }
}

fn main() {
    let address = format!("{}:{}", env::var("HOST").unwrap(), env::var("PORT").unwrap());
    let server: SocketAddr = address.parse().expect("HOST and PORT are an address");
    let socket = UdpSocket::bind("0.0.0.0:0").expect("any port");
    for line in io::stdin().lock().split(b'\n') {
        let message = line.expect("the input");
        if message == b"bye" {
            let _ = socket.send_to(&message, server);
            return;
        }
        match ask(&socket, server, &message) {
            Ok(answer) => println!("{} bytes: {}", answer.len(), answer.escape_ascii()),
            Err(error) => {
                eprintln!("no answer from {server}: {error}");
                exit(1);
            }
        }
    }
}
