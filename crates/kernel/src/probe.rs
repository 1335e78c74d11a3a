//! What this machine allows: found out by doing it, in a few milliseconds.
//!
//! Each probe ends with the error of the system call that failed, so that its
//! number can be turned into advice.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
#[cfg(target_os = "linux")]
use std::process::Command;
use std::time::Duration;

#[cfg(target_os = "linux")]
use crate::before_exec;

/// Whether a program can call another one on this host over IPv4.
///
/// # Errors
/// Those of bind(2) and connect(2) on 127.0.0.1.
pub fn loopback_v4() -> io::Result<()> {
    loopback(Ipv4Addr::LOCALHOST.into())
}

/// Whether a program can call another one on this host over IPv6.
///
/// # Errors
/// Those of bind(2) and connect(2) on `[::1]`.
pub fn loopback_v6() -> io::Result<()> {
    loopback(Ipv6Addr::LOCALHOST.into())
}

fn loopback(ip: IpAddr) -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((ip, 0)))?;
    TcpStream::connect_timeout(&listener.local_addr()?, Duration::from_secs(1))?;
    Ok(())
}

/// Whether programs can be given a network of their own without root: a network
/// namespace in a user namespace, see user_namespaces(7).
///
/// # Errors
/// EPERM or EACCES where it is forbidden, ENOSPC where the number of namespaces
/// is limited to none; "unsupported" on systems that are not Linux.
pub fn private_network() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return in_child(before_exec::in_a_network_of_its_own);
    #[cfg(not(target_os = "linux"))]
    Err(unsupported("namespaces exist on Linux only"))
}

/// Whether a program may watch the system calls of its own children: ptrace(2).
///
/// # Errors
/// EPERM where it is forbidden; "unsupported" on systems that are not Linux.
pub fn tracing() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return in_child(before_exec::let_parent_trace);
    #[cfg(not(target_os = "linux"))]
    Err(unsupported("this way of tracing exists on Linux only"))
}

/// Does something in a child between fork and exec. The program that it is to
/// become does not exist, and when that is all that fails, the rest went well.
#[cfg(target_os = "linux")]
fn in_child(prepare: impl FnOnce(&mut Command)) -> io::Result<()> {
    let mut command = Command::new("/nonexistent/dialtone-probe");
    prepare(&mut command);
    match command.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::other(
            "a program that does not exist was started",
        )),
    }
}

#[cfg(not(target_os = "linux"))]
fn unsupported(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, text)
}
