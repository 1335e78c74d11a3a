//! The small print of lesson 6: what both programs need and no call tells.
//!
//! Addresses that were typed, bytes as a person reads them, and what a call that
//! failed says: the operation, its subject, the reason, the way out. What the
//! lesson is about has a file of its own: read [`framing`] first.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};
use std::time::Duration;

use anyhow::{Context, Error, Result};

pub mod download;
pub mod folder;
pub mod framing;
pub mod inbox;
pub mod keyboard;
pub mod message;

/// What to do about a call that failed.
fn way_out(operation: &str, reason: ErrorKind) -> &'static str {
    match (operation, reason) {
        ("resolve", _) => "check the spelling, or pass an IP address",
        ("accept", _) => "the caller waits in the queue or is gone: trying again in a second",
        ("connect", ErrorKind::TimedOut) => {
            "nobody answered: is the host up, is a firewall in between?"
        }
        ("send to", ErrorKind::InvalidInput) => "ask for a shorter name",
        ("serve", ErrorKind::UnexpectedEof) => "the client has hung up",
        ("serve", ErrorKind::Other) => "the client sees the end of the stream",
        (_, ErrorKind::UnexpectedEof) => "nothing was saved: see what the server said",
        (_, ErrorKind::Other) => "nothing was saved",
        (_, ErrorKind::InvalidData) => "both sides need the same --framing",
        (_, ErrorKind::FileTooLarge) => "pass a larger --max-size",
        (_, ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            "a longer --timeout has more patience, if --framing is the same on both sides"
        }
        (_, ErrorKind::AddrInUse) => {
            "another program is listening there: see \"ss -ltnp\", or pass --addr"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        (_, ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        (_, ErrorKind::ConnectionRefused) => {
            "nobody listens there: start the server first, or pass --addr"
        }
        (_, ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            "no way leads to that address: pass another --addr"
        }
        (_, ErrorKind::NotConnected) => "the other side has reset the call: see what it said",
        (_, ErrorKind::ConnectionReset) => {
            "the other side left data unread, or was gone when we sent"
        }
        (_, ErrorKind::BrokenPipe) => "the other side has hung up",
        _ => "the manual page of the call says more",
    }
}

/// A timeout of a receive or a send has the error code of a non-blocking call
/// (lesson 5); here it gets its name. The framings' own reasons quote what came,
/// so they stay as they are.
fn reason(operation: &str, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "timed out".into(),
        _ if operation == "resolve" || error.raw_os_error().is_some() => {
            error.to_string().to_lowercase()
        }
        _ => error.to_string(),
    }
}

/// The result of a system call, with the name of the call in case it failed.
pub trait Called<T> {
    /// An error becomes one line: `connect 127.0.0.1:8083: connection refused; …`.
    fn called(self, operation: &str, subject: impl Display) -> Result<T>;
}

impl<T> Called<T> for io::Result<T> {
    fn called(self, operation: &str, subject: impl Display) -> Result<T> {
        self.map_err(|error| {
            let way_out = way_out(operation, error.kind());
            let reason = reason(operation, &error);
            Error::msg(format!("{operation} {subject}: {reason}; {way_out}"))
        })
    }
}

/// getaddrinfo: from a name to an address. A name can have several; the course
/// speaks IPv4 where it can, so that both sides choose the same.
pub fn resolve(name: &str) -> Result<SocketAddr> {
    let all: Vec<SocketAddr> = name.to_socket_addrs().called("resolve", name)?.collect();
    let ipv4 = all.iter().find(|address| address.is_ipv4());
    let chosen = ipv4.or(all.first()).copied();
    chosen.with_context(|| format!("resolve {name}: the name has no address; pass an IP address"))
}

/// Checks the form of an address; the name in it is looked up later.
pub fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:8083 or [::1]:8083".into()),
    }
}

/// A time to wait; zero would mean "for ever" to the system, so it is refused.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 60 * 60);
    let number = text.parse().unwrap_or(f64::NAN);
    match Duration::try_from_secs_f64(number) {
        Ok(time) if !time.is_zero() && time <= longest => Ok(time),
        _ => Err("write seconds above 0 and up to 86400 (a day), such as 5 or 0.5".into()),
    }
}

/// Bytes as a person reads them: in quotes, with escapes for what is not text.
pub fn quoted(bytes: &[u8]) -> String {
    // A byte 10xxxxxx continues a character, so the cut must not come before it.
    let mut end = bytes.len().min(32);
    while end > 28 && bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    let mut text = String::new();
    for chunk in bytes[..end].utf8_chunks() {
        let valid = format!("{:?}", chunk.valid());
        text += &valid[1..valid.len() - 1];
        text += &chunk.invalid().escape_ascii().to_string();
    }
    let more = if end < bytes.len() { " …" } else { "" };
    format!("\"{text}\"{more}")
}

/// Text as it is, on one line; escaped is only what would disturb the terminal.
/// JSON is easier to read so: it is full of quotes of its own.
pub fn plain(bytes: &[u8], most: usize) -> String {
    let mut end = bytes.len().min(most);
    while end + 4 > most && bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
        end -= 1;
    }
    let mut text = String::new();
    for chunk in bytes[..end].utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' | '\\' => text.push(character),
                _ => text.extend(character.escape_debug()),
            }
        }
        text += &chunk.invalid().escape_ascii().to_string();
    }
    let more = if end < bytes.len() { " …" } else { "" };
    text + more
}

/// Prints a line. `println!` would panic when nobody reads, as in `| head -1`.
pub fn say(line: impl Display) {
    if writeln!(io::stdout(), "{line}").is_err() {
        process::exit(1);
    }
}

/// Says an error that ends one call, and not the program. `eprintln!` would
/// panic when nobody reads it.
pub fn complain(error: impl Display) {
    let _ = writeln!(io::stderr(), "{error:#}");
}

/// How a program ends: an error becomes one line on stderr and status 1.
pub fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic when nobody reads it.
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}
