//! The question and the answer of sock_diag(7): linux/inet_diag.h.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use timeline::state::{Queues, TcpState};

use crate::netlink::{self, finish, question};

/// `struct inet_diag_req` and `struct inet_diag_req_v2`.
const OLD_REQUEST: usize = 60;
const REQUEST: usize = 56;
/// `struct inet_diag_msg`.
const ANSWER: usize = 72;

const TCPDIAG_GETSOCK: u16 = 18;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_DUMP: u16 = 0x300;

/// A bit for each of the states 1 to 11. More bits make the kernel search more.
const ALL_STATES: u32 = 0xfff;

/// One socket as a look finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    /// Its own end.
    pub local: SocketAddr,
    /// The other end; unspecified, with port 0, for one that listens.
    pub peer: SocketAddr,
    /// The inode; None for a socket that no program has.
    pub inode: Option<u64>,
    /// Its state.
    pub state: TcpState,
    /// Its queues.
    pub queues: Queues,
}

/// A way to the kernel's tables of sockets.
#[derive(Debug)]
pub(crate) struct Link {
    kernel: netlink::Link,
    buffer: Vec<u8>,
}

impl Link {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            kernel: netlink::Link::open(libc::NETLINK_SOCK_DIAG)?,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// All TCP sockets. The old request is for both families at once, and takes
    /// half the time of two new ones.
    pub(crate) fn tcp_sockets(&mut self) -> io::Result<Vec<SocketInfo>> {
        let mut body = [0; OLD_REQUEST];
        body[52..56].copy_from_slice(&ALL_STATES.to_ne_bytes());
        let mut sockets = Vec::new();
        self.ask(TCPDIAG_GETSOCK, &body, &mut sockets)?;
        Ok(sockets)
    }

    /// All UDP sockets, IPv4 first.
    pub(crate) fn udp_sockets(&mut self) -> io::Result<Vec<SocketInfo>> {
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

    fn ask(&mut self, kind: u16, body: &[u8], sockets: &mut Vec<SocketInfo>) -> io::Result<()> {
        let mut question = question(kind, NLM_F_DUMP);
        question.extend_from_slice(body);
        let take = |answer: &[u8]| sockets.extend(socket(answer));
        self.kernel.ask(&finish(question), &mut self.buffer, take)
    }
}

fn socket(body: &[u8]) -> Option<SocketInfo> {
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
    Some(SocketInfo {
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
        fn no_answer_can_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = socket(&bytes);
        }
    }
}
