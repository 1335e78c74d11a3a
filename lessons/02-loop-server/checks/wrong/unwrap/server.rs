// caught by 2/callers/reset
// Each unwrap is a place at which one caller ends the server.
use std::env;
use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    let server = TcpListener::bind(env::var("ADDR").unwrap()).unwrap();
    println!("listening on {}", server.local_addr().unwrap());
    for call in server.incoming() {
        let mut call = call.unwrap();
        let mut buffer = [0; 1024];
        loop {
            let length = call.read(&mut buffer).unwrap();
            if length == 0 {
                break;
            }
            call.write_all(&buffer[..length].to_ascii_uppercase()).unwrap();
        }
    }
}
