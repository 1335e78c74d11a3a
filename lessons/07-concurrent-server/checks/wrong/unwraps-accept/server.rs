// caught by 7/forced/accept-fails
// The unwrap in the loop of callers is a place at which one of them ends all.
use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

fn serve(mut call: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 65536];
    loop {
        match call.read(&mut buffer)? {
            0 => return Ok(()),
            length => call.write_all(&buffer[..length].to_ascii_uppercase())?,
        }
    }
}

fn main() {
    let server = TcpListener::bind(env::var("ADDR").unwrap()).unwrap();
    println!("listening on {}", server.local_addr().unwrap());
    for call in server.incoming() {
        let call = call.unwrap();
        thread::spawn(|| serve(call));
    }
}
