//! Lesson 5, the server: it waits for its callers, but not for ever.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{self, ExitCode};
use std::time::{Duration, Instant};

/// A request has so many bytes at most.
const ROOM: usize = 1024;

struct Patience {
    /// For one receive.
    timeout: Duration,
    /// For a request.
    deadline: Duration,
    /// Whether a request is a line; otherwise it is one receive.
    lines: bool,
}

/// A time from the environment, in seconds. What is no time ends the program.
fn seconds(name: &str, usual: &str) -> Duration {
    let text = std::env::var(name).unwrap_or(usual.into());
    // gap: Turn the text into a Duration. Unless it is above 0, end the program with status 1 and
    // a line that says why. Calls: parse, Duration::try_from_secs_f64, process::exit.
    // Lesson 5, "Break it": "Ask for no time".
    let number = text.parse().unwrap_or(0.0);
    match Duration::try_from_secs_f64(number) {
        Ok(time) if !time.is_zero() && number < 1e9 => time,
        _ => {
            eprintln!("{name}={text} is no time: give seconds above 0");
            process::exit(1)
        }
    }
    // end of gap
}

fn serve_all(address: SocketAddr, patience: &Patience) -> io::Result<()> {
    let phone = TcpListener::bind(address)?;
    println!("listening on {}", phone.local_addr()?);
    loop {
        let (call, caller) = match phone.accept() {
            Ok(taken) => taken,
            // This caller is gone already. The next may be there.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        // gap: Serve the caller. Print "time out" if the error is of the kind TimedOut, print other
        // errors, too, and go on: none of them ends the server. Call: serve (below).
        match serve(&call, patience) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => println!("time out"),
            Err(error) => println!("call of {caller}: {error}"),
        }
        // end of gap
    }
}

/// One request and its answer.
fn serve(mut call: &TcpStream, patience: &Patience) -> io::Result<()> {
    let wanted = request(call, patience)?;
    // gap: Answer "welcome to server!" to the one byte 1, "please go out!" to anything else, and
    // nothing to a caller that hung up. Call: write_all. Bytes from a caller need not be text.
    match wanted.as_slice() {
        b"" => Ok(()),
        b"1" => call.write_all(b"welcome to server!"),
        _ => call.write_all(b"please go out!"),
    }
    // end of gap
}

/// What the caller wants; nothing when it hung up before it said so.
fn request(call: &TcpStream, patience: &Patience) -> io::Result<Vec<u8>> {
    let end = Instant::now() + patience.deadline;
    let mut heard = [0; ROOM];
    if !patience.lines {
        let length = receive(call, &mut heard, patience.timeout, end)?;
        return Ok(heard[..length].to_vec());
    }
    // gap: Receive until there is a line end, or all the room is full, or the stream has ended.
    // Give back what stands before the line end (\n or \r\n). Lesson 5, "Break it": "Drip".
    let mut length = 0;
    while length < ROOM && !heard[..length].contains(&b'\n') {
        match receive(call, &mut heard[length..], patience.timeout, end)? {
            0 => return Ok(Vec::new()),
            count => length += count,
        }
    }
    let line = heard[..length].split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
    // end of gap
}

/// One receive; the error TimedOut after the timeout, or when it is later than `end`.
fn receive(
    mut call: &TcpStream,
    room: &mut [u8],
    timeout: Duration,
    end: Instant,
) -> io::Result<usize> {
    // gap: Receive once. Wait as long as the timeout says, but never beyond `end`.
    // Calls: Instant::now, set_read_timeout, read. std refuses a timeout of zero. When the time is
    // up, read says WouldBlock on Unix. Lesson 5, "What you saw and why".
    let start = Instant::now();
    loop {
        let waited = start.elapsed();
        let left = end.saturating_duration_since(Instant::now());
        let left = left.min(timeout.saturating_sub(waited));
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        call.set_read_timeout(Some(left))?;
        match call.read(room) {
            Ok(length) => return Ok(length),
            Err(error) => match error.kind() {
                // The time is up, or a signal came: the next round finds out.
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
    }
    // end of gap
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:9001".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    let patience = Patience {
        timeout: seconds("TIMEOUT", "5"),
        deadline: seconds("DEADLINE", "3600"),
        lines: std::env::var("UNTIL").is_ok_and(|until| until == "newline"),
    };
    match serve_all(address, &patience) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server at {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
