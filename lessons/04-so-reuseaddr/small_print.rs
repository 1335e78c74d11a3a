//! The small print of lesson 4: what both programs need and no call tells.
//!
//! Addresses that were typed, bytes as a person reads them, and what a call that
//! failed says: the operation, its subject, the reason, the way out.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};

use anyhow::{Context, Error, Result};
use socket2::SockAddr;

pub mod keyboard;

/// What to do about a call that failed.
fn way_out(operation: &str, reason: ErrorKind) -> &'static str {
    match (operation, reason) {
        ("resolve", _) => "check the spelling, or pass an IP address",
        ("bind", ErrorKind::AddrInUse) => {
            "a program listens there, or a call of an earlier run is in TIME-WAIT \
             (see \"ss -tan\"): start every run with --reuse-addr, wait a minute, \
             or pass another --addr"
        }
        ("listen", ErrorKind::AddrInUse) => {
            "another program listens there since our bind: stop it, or pass another --addr"
        }
        ("bind", ErrorKind::AddrNotAvailable) => {
            "no interface of this host has that address (see \"ip address\"): \
             pass one of its own, or 0.0.0.0 for all of them"
        }
        ("bind", ErrorKind::PermissionDenied) => {
            "the port is reserved for root: pass one from 1024 up"
        }
        (_, ErrorKind::ConnectionRefused) => {
            "nobody listens there: start the server first, or pass --addr"
        }
        (_, ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            "no way leads to that address: pass another --addr"
        }
        (_, ErrorKind::TimedOut) => "nobody answered: is the host up, is a firewall in between?",
        (_, ErrorKind::NotConnected) => "the other side has reset the call: see what it said",
        (_, ErrorKind::ConnectionReset) => {
            "the other side left data unread, or was gone when we sent"
        }
        (_, ErrorKind::BrokenPipe) => "the other side has hung up",
        _ => "the manual page of the call says more",
    }
}

/// The result of a system call, with the name of the call in case it failed.
pub trait Called<T> {
    /// An error becomes one line: `connect 127.0.0.1:8082: connection refused; …`.
    fn called(self, operation: &str, subject: impl Display) -> Result<T>;
}

impl<T> Called<T> for io::Result<T> {
    fn called(self, operation: &str, subject: impl Display) -> Result<T> {
        self.map_err(|error| {
            let way_out = way_out(operation, error.kind());
            let reason = error.to_string().to_lowercase();
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

/// The IP address and port in a socket's address, which could be of another kind.
pub fn ip_port(address: SockAddr) -> Result<SocketAddr> {
    address.as_socket().context("the socket has no IP address")
}

/// Checks the form of an address; the name in it is looked up later.
pub fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:8082 or [::1]:8082".into()),
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
