// caught by 5/forced/interrupted-client
// read of Rust's std does not begin again by itself when a signal came.
use std::env;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::exit;
use std::time::Duration;

fn ask(server: SocketAddr, message: &[u8], timeout: Duration) -> io::Result<Vec<u8>> {
    let mut call = TcpStream::connect_timeout(&server, timeout)?;
    call.set_read_timeout(Some(timeout))?;
    call.write_all(message)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        match call.read(&mut buffer)? {
            0 if answer.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            0 => return Ok(answer),
            length => answer.extend_from_slice(&buffer[..length]),
        }
    }
}

fn main() {
    let address = format!("{}:{}", env::var("HOST").unwrap(), env::var("PORT").unwrap());
    let server: SocketAddr = address.parse().expect("HOST and PORT are an address");
    let timeout = env::var("TIMEOUT").unwrap_or("5".into());
    let timeout = Duration::from_secs_f64(timeout.parse().expect("TIMEOUT is a number"));
    for line in io::stdin().lock().split(b'\n') {
        match ask(server, &line.expect("the input"), timeout) {
            Ok(answer) => println!("{}", answer.escape_ascii()),
            Err(error) => {
                eprintln!("call of {server}: {error}");
                exit(1);
            }
        }
    }
}
