//! The small print of lesson 3: what both programs need and no call tells.
//!
//! Addresses that were typed, and what a call that failed says: the operation, its
//! subject, the reason, the way out.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::process::{self, ExitCode};

use anyhow::{Context, Error, Result};
use socket2::SockAddr;

pub mod keyboard;
pub mod patience;
pub mod text;

/// EMSGSIZE has no name in std.
const EMSGSIZE: i32 = match () {
    () if cfg!(windows) => 10_040,
    () if cfg!(any(target_os = "linux", target_os = "android")) => 90,
    () => 40,
};

/// What to do about a call that failed.
fn way_out(operation: &str, error: &io::Error) -> &'static str {
    match (operation, error.kind()) {
        ("resolve", _) => "check the spelling, or pass an IP address",
        ("recvfrom on", _) => "the server goes on with the next datagram",
        // Windows calls the same a reset.
        (_, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) => {
            "nobody is bound there: start the server first, or pass --to"
        }
        (_, ErrorKind::AddrInUse) => {
            "another program has this UDP port: see \"ss -aunp\", or pass another --addr or --bind"
        }
        (_, ErrorKind::AddrNotAvailable) => "no interface of this host has it: see \"ip address\"",
        ("bind", ErrorKind::PermissionDenied) => "the port is reserved: take one above 1023",
        ("bind", _) => "give --bind and --to addresses of the same family",
        (_, ErrorKind::PermissionDenied) => "a broadcast address is not for one host: pass --to",
        (_, ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            "no way leads to that address: pass another --to"
        }
        (_, ErrorKind::InvalidInput) => {
            "port 0 is nobody's, and from 127.0.0.1 no way leads to other hosts"
        }
        _ if error.raw_os_error() == Some(EMSGSIZE) => {
            "a datagram is sent whole or not at all: send less at once (over IPv4, 65,507 bytes)"
        }
        _ => "the manual page of the call says more",
    }
}

/// The result of a system call, with the name of the call in case it failed.
pub trait Called<T> {
    /// An error becomes one line: `connect 127.0.0.1:7788: connection refused; …`.
    fn called(self, operation: &str, subject: impl Display) -> Result<T>;
}

impl<T> Called<T> for io::Result<T> {
    fn called(self, operation: &str, subject: impl Display) -> Result<T> {
        self.map_err(|error| {
            let way_out = way_out(operation, &error);
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

/// 0.0.0.0 and `[::]` stand for every address of a host, which is no address to
/// write to. Who copies it from the server's first line means this host.
pub fn this_host(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

/// Checks the form of an address; the name in it is looked up later.
pub fn host_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("write HOST:PORT, such as 127.0.0.1:7788 or [::1]:7788".into()),
    }
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
