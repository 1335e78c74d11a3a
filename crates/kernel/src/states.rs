//! The states of the TCP sockets of this network: sock_diag(7).
//!
//! The kernel tells an unprivileged program the state of a socket when asked,
//! and does not tell when it changes. So each look is compared with the look
//! before. What came and went between two looks was not seen.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use timeline::state::{Queues, TcpState, Transition};

use crate::sock_diag::Link;
pub use crate::sock_diag::SocketInfo;

/// What tells one socket from the others, as long as it lives: its ends. With
/// SO_REUSEPORT several sockets listen at one address, so these need their inodes
/// as well. A connection does not: it has none until it is accepted.
type Key = (SocketAddr, SocketAddr, Option<u64>);

fn key(socket: &SocketInfo) -> Key {
    let listens = socket.state == TcpState::Listen;
    (socket.local, socket.peer, socket.inode.filter(|_| listens))
}

/// Looks at the states, again and again.
#[derive(Debug)]
pub struct States {
    link: Link,
    known: BTreeMap<Key, SocketInfo>,
}

impl States {
    /// Opens the way to the kernel. It belongs for ever to the network namespace
    /// in which it was opened, and needs no privilege.
    ///
    /// # Errors
    /// EPROTONOSUPPORT where the kernel has no sock_diag.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            link: Link::open()?,
            known: BTreeMap::new(),
        })
    }

    /// What has changed since the look before. At the first look
    /// everything is new.
    ///
    /// # Errors
    /// Those of send(2) and recv(2) on a netlink socket.
    pub fn look(&mut self) -> io::Result<Vec<Transition>> {
        let sockets = self.link.tcp_sockets()?;
        let found = sockets.into_iter().map(|socket| (key(&socket), socket));
        let found: BTreeMap<_, _> = found.collect();
        let changes = changes(&self.known, &found);
        self.known = found;
        Ok(changes)
    }

    /// Whether the last look has found a socket in such a state.
    pub fn any(&self, such: impl Fn(TcpState) -> bool) -> bool {
        self.known.values().any(|socket| such(socket.state))
    }

    /// All TCP sockets as they are now. It does not count as a look.
    ///
    /// # Errors
    /// Those of send(2) and recv(2) on a netlink socket.
    pub fn tcp_sockets(&mut self) -> io::Result<Vec<SocketInfo>> {
        self.link.tcp_sockets()
    }

    /// The UDP sockets that have an address. Their state says nothing: UDP knows
    /// only whether a peer is fixed.
    ///
    /// # Errors
    /// Those of send(2) and recv(2) on a netlink socket.
    pub fn udp_sockets(&mut self) -> io::Result<Vec<SocketInfo>> {
        self.link.udp_sockets()
    }
}

fn changes(before: &BTreeMap<Key, SocketInfo>, now: &BTreeMap<Key, SocketInfo>) -> Vec<Transition> {
    let gone = before.iter().filter(|(key, _)| !now.contains_key(key));
    let gone = gone.map(|(_, socket)| Transition {
        local: socket.local,
        peer: socket.peer,
        inode: socket.inode,
        from: Some(socket.state),
        to: TcpState::Closed,
        queues: Queues::default(),
    });
    let other = now.iter().filter(|(key, socket)| {
        let known = before.get(key);
        known.is_none_or(|known| (known.state, known.queues) != (socket.state, socket.queues))
    });
    let other = other.map(|(key, socket)| Transition {
        local: socket.local,
        peer: socket.peer,
        inode: socket.inode,
        from: before.get(key).map(|known| known.state),
        to: socket.state,
        queues: socket.queues,
    });
    gone.chain(other).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use timeline::state::TcpState::*;

    use super::*;

    fn socket(state: TcpState, receive: u32) -> SocketInfo {
        SocketInfo {
            local: "10.0.0.1:80".parse().unwrap(),
            peer: "10.0.0.2:5000".parse().unwrap(),
            inode: Some(7),
            state,
            queues: Queues { receive, send: 0 },
        }
    }

    fn listener(inode: u64) -> SocketInfo {
        SocketInfo {
            peer: "0.0.0.0:0".parse().unwrap(),
            inode: Some(inode),
            ..socket(TcpState::Listen, 0)
        }
    }

    fn look(sockets: &[SocketInfo]) -> BTreeMap<Key, SocketInfo> {
        let keyed = sockets.iter().map(|socket| (key(socket), *socket));
        keyed.collect()
    }

    #[test]
    fn two_listeners_at_one_address_are_two() {
        let (one, two) = (listener(8), listener(9));
        let both = changes(&look(&[]), &look(&[one, two]));
        let inodes = |changes: &[Transition]| changes.iter().map(|c| c.inode).collect::<Vec<_>>();
        assert_eq!(inodes(&both), [Some(8), Some(9)]);
        let gone = changes(&look(&[one, two]), &look(&[two]));
        assert_eq!((inodes(&gone), gone[0].to), (vec![Some(8)], Closed));
    }

    #[test]
    fn a_connection_that_is_accepted_is_the_same_as_before() {
        let accepted = socket(TcpState::Established, 0);
        let inode = None;
        let waits = SocketInfo { inode, ..accepted };
        assert_eq!(changes(&look(&[waits]), &look(&[accepted])), []);
    }

    /// State and receive queue at both looks; the state before, and both as they are told.
    #[rstest]
    #[case::stays(Some((Established, 5)), Some((Established, 5)), None)]
    #[case::is_new(None, Some((SynSent, 0)), Some((None, SynSent, 0)))]
    #[case::has_another_state(
        Some((Established, 0)), Some((CloseWait, 0)), Some((Some(Established), CloseWait, 0)))]
    #[case::has_another_queue(
        Some((Established, 0)), Some((Established, 5)), Some((Some(Established), Established, 5)))]
    #[case::is_gone(Some((LastAck, 5)), None, Some((Some(LastAck), Closed, 0)))]
    fn a_change_is_told_and_nothing_else(
        #[case] before: Option<(TcpState, u32)>,
        #[case] now: Option<(TcpState, u32)>,
        #[case] told: Option<(Option<TcpState>, TcpState, u32)>,
    ) {
        let found = |seen: Option<(TcpState, u32)>| {
            let sockets: Vec<_> = seen
                .into_iter()
                .map(|(state, queue)| socket(state, queue))
                .collect();
            look(&sockets)
        };
        let changes = changes(&found(before), &found(now));
        let changes = changes
            .iter()
            .map(|change| (change.from, change.to, change.queues.receive));
        assert_eq!(changes.collect::<Vec<_>>(), Vec::from_iter(told));
    }
}
