// caught by 4/restart/second-copy
// unwrap on bind: several lines and status 101, in place of one line and status 1.
use std::env;
use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    // On Unix, std sets SO_REUSEADDR.
    let server = TcpListener::bind(env::var("ADDR").unwrap()).unwrap();
    println!("listening on {}", server.local_addr().unwrap());
    let (mut call, _) = server.accept().unwrap();
    drop(server);
    let mut buffer = [0; 1024];
    let length = call.read(&mut buffer).unwrap();
    call.write_all(&buffer[..length].to_ascii_uppercase()).unwrap();
}
