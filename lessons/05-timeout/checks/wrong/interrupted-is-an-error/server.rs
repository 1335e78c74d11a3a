// caught by 5/forced/interrupted
// read of Rust's std does not begin again by itself when a signal came.
use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::exit;
use std::time::{Duration, Instant};

fn seconds(name: &str) -> f64 {
    let text = env::var(name).unwrap_or("5".into());
    match text.parse() {
        Ok(number) if number > 0.0 => number,
        _ => {
            eprintln!("{name} has to be above 0");
            exit(2);
        }
    }
}

fn request(call: &mut TcpStream, lines: bool) -> io::Result<Option<Vec<u8>>> {
    let end = Instant::now() + Duration::from_secs_f64(seconds("DEADLINE"));
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while heard.len() < 1024 {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        let timeout = Duration::from_secs_f64(seconds("TIMEOUT"));
        call.set_read_timeout(Some(timeout.min(left)))?;
        let length = call.read(&mut buffer[heard.len()..])?;
        if length == 0 {
            return Ok(None);
        }
        let from = heard.len();
        heard.extend_from_slice(&buffer[from..from + length]);
        if !lines {
            return Ok(Some(heard));
        }
        if let Some(place) = heard.iter().position(|byte| *byte == b'\n') {
            heard.truncate(place);
            if heard.last() == Some(&b'\r') {
                heard.pop();
            }
            return Ok(Some(heard));
        }
    }
    Ok(Some(heard))
}

fn main() -> io::Result<()> {
    seconds("TIMEOUT");
    let lines = env::var("UNTIL").is_ok_and(|until| until == "newline");
    let server = TcpListener::bind(env::var("ADDR").unwrap_or_default())?;
    println!("listening on {}", server.local_addr()?);
    loop {
        let (mut call, _) = server.accept()?;
        let answered = request(&mut call, lines).and_then(|heard| match heard.as_deref() {
            None => Ok(()),
            Some(b"1") => call.write_all(b"welcome to server!"),
            Some(_) => call.write_all(b"please go out!"),
        });
        match answered {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => println!("time out"),
            Err(error) => println!("{error}"),
        }
    }
}
