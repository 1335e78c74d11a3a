//! What the kernel says of a TCP socket: its state and its queues.

use std::net::SocketAddr;

/// The state of a TCP connection: RFC 9293, section 3.3.2. Names as there;
/// `NewSynRecv` of Linux is shown as SYN-RECEIVED too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpState {
    /// It takes calls.
    Listen,
    /// It has asked for a connection.
    SynSent,
    /// It was asked, and has answered.
    SynReceived,
    /// Both sides may send.
    Established,
    /// It has said that it sends no more; that is not acknowledged yet.
    FinWait1,
    /// That is acknowledged; the peer may still send.
    FinWait2,
    /// The peer sends no more; this side may still send.
    CloseWait,
    /// Both have said so at the same time.
    Closing,
    /// It was the second to say so, and waits for the acknowledgement.
    LastAck,
    /// It was the first to say so, and stays for a while.
    TimeWait,
    /// There is no connection.
    Closed,
}

impl TcpState {
    /// The name in the RFC, such as `FIN-WAIT-1`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
            Self::Closed => "CLOSED",
        }
    }
}

/// What was seen of one socket that differs from the look before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its own end.
    pub local: SocketAddr,
    /// The other end; unspecified, with port 0, for a socket that listens.
    pub peer: SocketAddr,
    /// The inode, by which calls name the socket; None for a socket that no
    /// program has, such as one in TIME-WAIT or not accepted yet.
    pub inode: Option<u64>,
    /// The state before; None when it was not seen before.
    pub from: Option<TcpState>,
    /// The state now.
    pub to: TcpState,
    /// The queues now.
    pub queues: Queues,
}

/// The queues of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queues {
    /// Recv-Q: bytes that have arrived and are not read; of a socket that
    /// listens, connections that are not accepted.
    pub receive: u32,
    /// Send-Q: bytes that are not acknowledged; of a socket that listens, its
    /// backlog.
    pub send: u32,
}
