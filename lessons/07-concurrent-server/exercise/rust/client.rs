//! Lesson 7, the client: a crowd that looks at each byte of its answers.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;

/// All messages of one client.
fn one_client(address: SocketAddr, number: usize, messages: usize) -> io::Result<()> {
    let mut call = TcpStream::connect(address)?;
    for turn in 0..messages {
        let message = format!("message {turn} of client {number}");
        call.write_all(message.as_bytes())?;
        compare(&call, message.as_bytes())?;
    }
    nothing_more(&call)
}

/// The answer to a message, byte by byte.
fn compare(mut call: &TcpStream, message: &[u8]) -> io::Result<()> {
    // gap: Receive as many bytes as the message has, and compare them with what they must be.
    // Call: read_exact, or read in a loop. Give an error (wrong, below) when one is another.
    // Lesson 2, and lesson 7, "Exercise".
    let mut answer = vec![0; message.len()];
    call.read_exact(&mut answer)?;
    if answer != message.to_ascii_uppercase() {
        return Err(wrong("an answer is not the message in upper case"));
    }
    Ok(())
    // end of gap
}

/// After the last answer.
fn nothing_more(mut call: &TcpStream) -> io::Result<()> {
    // gap: End your sending side, and receive: each byte that still comes is one too many.
    // Calls: shutdown, read, wrong (below).
    call.shutdown(Shutdown::Write)?;
    match call.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(wrong("an answer has a byte too many")),
    }
    // end of gap
}

/// All clients at once; the errors of those that failed.
fn crowd(address: SocketAddr, clients: usize, messages: usize) -> Vec<io::Error> {
    // gap: Run one_client for each number below `clients`, all at once, and collect the errors.
    // Calls: thread::spawn, join. Lesson 7, "What is new".
    let start = |number| thread::spawn(move || one_client(address, number, messages));
    let threads: Vec<_> = (0..clients).map(start).collect();
    let results = threads
        .into_iter()
        .map(|thread| thread.join().expect("no panic"));
    results.filter_map(Result::err).collect()
    // end of gap
}

/// The server's answer is not what it should be.
fn wrong(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// A number from the environment.
fn number(name: &str) -> usize {
    let text = std::env::var(name).unwrap_or("10".into());
    text.parse().expect("CLIENTS and MESSAGES are numbers")
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8084".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    let (clients, messages) = (number("CLIENTS"), number("MESSAGES"));
    match crowd(address, clients, messages).as_slice() {
        [] => {
            println!("{clients} clients had {messages} right answers each");
            ExitCode::SUCCESS
        }
        errors => {
            eprintln!(
                "{} of {clients} clients failed; {}",
                errors.len(),
                errors[0]
            );
            ExitCode::FAILURE
        }
    }
}
