// caught by 5/silence/next
// Each unwrap is a place at which one caller ends the server: the timeout, too.
use std::env;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

fn main() {
    let timeout: f64 = env::var("TIMEOUT").unwrap().parse().unwrap();
    let timeout = Duration::from_secs_f64(timeout);
    assert!(!timeout.is_zero(), "TIMEOUT has to be above 0");
    let server = TcpListener::bind(env::var("ADDR").unwrap()).unwrap();
    println!("listening on {}", server.local_addr().unwrap());
    for call in server.incoming() {
        let mut call = call.unwrap();
        call.set_read_timeout(Some(timeout)).unwrap();
        let mut buffer = [0; 1024];
        let length = match call.read(&mut buffer) {
            Err(error) => panic!("time out: {error}"),
            Ok(length) => length,
        };
        match &buffer[..length] {
            b"" => {}
            b"1" | b"1\n" => call.write_all(b"welcome to server!").unwrap(),
            _ => call.write_all(b"please go out!").unwrap(),
        }
    }
}
