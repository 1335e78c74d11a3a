//! The question and the answer of sock_diag(7): linux/inet_diag.h.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket as Kernel, Type};
use timeline::state::{Queues, TcpState};

use super::Socket;

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const HEADER: usize = 16;
/// `struct inet_diag_req` and `struct inet_diag_req_v2`.
const OLD_REQUEST: usize = 60;
const REQUEST: usize = 56;
/// `struct inet_diag_msg`.
const ANSWER: usize = 72;

const TCPDIAG_GETSOCK: u16 = 18;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

/// A bit for each of the states 1 to 11. More bits make the kernel search more.
const ALL_STATES: u32 = 0xfff;

/// A netlink socket.
#[derive(Debug)]
pub(super) struct Link {
    socket: Kernel,
    buffer: Vec<u8>,
}

impl Link {
    pub(super) fn open() -> io::Result<Self> {
        let socket = Kernel::new(
            Domain::from(libc::AF_NETLINK),
            Type::RAW,
            Some(Protocol::from(libc::NETLINK_SOCK_DIAG)),
        )?;
        Ok(Self {
            socket,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// All TCP sockets. The old request is for both families at once, and takes
    /// half the time of two new ones.
    pub(super) fn tcp_sockets(&mut self) -> io::Result<Vec<Socket>> {
        let mut body = [0; OLD_REQUEST];
        body[52..56].copy_from_slice(&ALL_STATES.to_ne_bytes());
        let mut sockets = Vec::new();
        self.ask(TCPDIAG_GETSOCK, &body, &mut sockets)?;
        Ok(sockets)
    }

    /// All UDP sockets, IPv4 first.
    pub(super) fn udp_sockets(&mut self) -> io::Result<Vec<Socket>> {
        const UDP: u8 = 17;
        let mut sockets = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            let mut body = [0; REQUEST];
            body[0] = family as u8;
            body[1] = UDP;
            body[4..8].copy_from_slice(&ALL_STATES.to_ne_bytes());
            self.ask(SOCK_DIAG_BY_FAMILY, &body, &mut sockets)?;
        }
        Ok(sockets)
    }

    fn ask(&mut self, kind: u16, body: &[u8], sockets: &mut Vec<Socket>) -> io::Result<()> {
        let request = request(kind, body);
        self.socket.send(&request)?;
        while {
            let length = self.socket.read(&mut self.buffer)?;
            read_answers(&self.buffer[..length], sockets)?
        } {}
        Ok(())
    }
}

/// `struct nlmsghdr`, and what it is about.
fn request(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[0..4].copy_from_slice(&((HEADER + body.len()) as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
    bytes[6..8].copy_from_slice(&NLM_F_REQUEST_DUMP.to_ne_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// Takes the sockets out of one datagram; false when it was the last.
fn read_answers(mut bytes: &[u8], sockets: &mut Vec<Socket>) -> io::Result<bool> {
    while let Some(header) = bytes.first_chunk::<HEADER>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let Some(body) = bytes.get(HEADER..length) else {
            return Err(io::Error::other(format!(
                "sock_diag answered with the length {length}"
            )));
        };
        match kind {
            NLMSG_DONE => return Ok(false),
            NLMSG_ERROR => return Err(error(body)),
            _ => sockets.extend(socket(body)),
        }
        // Each message begins at a multiple of 4.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// `struct nlmsgerr` begins with the errno, below zero.
fn error(body: &[u8]) -> io::Error {
    match body.first_chunk() {
        Some(errno) => io::Error::from_raw_os_error(i32::from_ne_bytes(*errno).wrapping_neg()),
        None => io::Error::other("sock_diag answered with an error without a number"),
    }
}

fn socket(body: &[u8]) -> Option<Socket> {
    let body = body.first_chunk::<ANSWER>()?;
    let number =
        |at: usize| u32::from_ne_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
    let port = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    let address = |at: usize| {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&body[at..at + 16]);
        match body[0].into() {
            libc::AF_INET => IpAddr::from(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])),
            _ => IpAddr::from(Ipv6Addr::from(bytes)).to_canonical(),
        }
    };
    Some(Socket {
        local: SocketAddr::new(address(8), port(4)),
        peer: SocketAddr::new(address(24), port(6)),
        inode: Some(u64::from(number(68))).filter(|inode| *inode != 0),
        state: state(body[1])?,
        queues: Queues {
            receive: number(56),
            send: number(60),
        },
    })
}

/// The numbers of net/tcp_states.h.
fn state(number: u8) -> Option<TcpState> {
    Some(match number {
        1 => TcpState::Established,
        2 => TcpState::SynSent,
        3 | 12 => TcpState::SynReceived,
        4 => TcpState::FinWait1,
        5 => TcpState::FinWait2,
        6 => TcpState::TimeWait,
        7 => TcpState::Closed,
        8 => TcpState::CloseWait,
        9 => TcpState::LastAck,
        10 => TcpState::Listen,
        11 => TcpState::Closing,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_answer_can_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut sockets = Vec::new();
            let _ = read_answers(&bytes, &mut sockets);
        }
    }

    #[test]
    fn a_length_that_is_too_short_to_go_on_is_an_error() {
        let mut bytes = [0; HEADER];
        bytes[0] = 4;
        assert!(read_answers(&bytes, &mut Vec::new()).is_err());
    }
}
