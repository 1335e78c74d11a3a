//! Whose socket an address is. On a loopback both ends have the same host, so
//! the address alone does not tell; the socket behind it does.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;

use timeline::Actor;
use timeline::packet::{Content, Packet};

/// Whose the sender and the receiver of a packet are, if that is known.
pub(crate) type Ends = (Option<Actor>, Option<Actor>);

/// What is known of sockets, and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    inodes: HashMap<u64, Actor>,
    /// TCP by both ends, so that the sockets of one port are told apart.
    connections: HashMap<(SocketAddr, SocketAddr), Actor>,
    /// TCP sockets that listen, by their own end.
    listeners: HashMap<SocketAddr, Actor>,
    /// UDP by its own end.
    datagrams: HashMap<SocketAddr, Actor>,
    /// UDP sockets whose own end is known.
    bound: HashSet<u64>,
    /// Programs that have begun to dial an address, and whose SYN was not seen yet.
    dialling: VecDeque<(Actor, SocketAddr)>,
}

/// How many calls that never led to a SYN are remembered.
const DIALLING: usize = 256;

impl Owners {
    /// A program has made a call on this socket, so it has it.
    pub(crate) fn has(&mut self, actor: Actor, inode: u64) {
        self.inodes.insert(inode, actor);
    }

    /// A program begins to connect to this address.
    pub(crate) fn dials(&mut self, actor: Actor, peer: SocketAddr) {
        self.dialling.truncate(DIALLING - 1);
        self.dialling.push_front((actor, peer));
    }

    /// A SYN goes from one end to the other. A socket that was refused is gone
    /// before a look can find it: then it is of whoever has dialled that address.
    pub(crate) fn syn(&mut self, local: SocketAddr, peer: SocketAddr) {
        let known = self.tcp_end(local, peer);
        let fits = |(actor, dialled): &(Actor, SocketAddr)| {
            *dialled == peer && known.is_none_or(|known| known == *actor)
        };
        // The oldest first.
        let Some(at) = self.dialling.iter().rposition(fits) else {
            return;
        };
        if let Some((actor, _)) = self.dialling.remove(at) {
            self.connections.entry((local, peer)).or_insert(actor);
        }
    }

    /// A look has found a TCP socket; whose is it?
    pub(crate) fn tcp(
        &mut self,
        local: SocketAddr,
        peer: SocketAddr,
        inode: Option<u64>,
    ) -> Option<Actor> {
        let by_inode = inode.and_then(|inode| self.inodes.get(&inode)).copied();
        if peer.port() == 0 {
            self.listeners.extend(by_inode.map(|actor| (local, actor)));
            return by_inode.or_else(|| listener(&self.listeners, local));
        }
        self.connections
            .extend(by_inode.map(|actor| ((local, peer), actor)));
        by_inode.or_else(|| self.tcp_end(local, peer))
    }

    /// A look has found a UDP socket.
    pub(crate) fn udp(&mut self, local: SocketAddr, inode: Option<u64>) {
        let Some(inode) = inode else { return };
        if let Some(actor) = self.inodes.get(&inode) {
            self.datagrams.insert(local, *actor);
            self.bound.insert(inode);
        }
    }

    /// Whether a look has found this UDP socket.
    pub(crate) fn knows_address(&self, inode: u64) -> bool {
        self.bound.contains(&inode)
    }

    /// Who has this end of a connection: the one that was seen to have it, or
    /// the one that listens there and has not accepted yet.
    fn tcp_end(&self, local: SocketAddr, peer: SocketAddr) -> Option<Actor> {
        let known = self.connections.get(&(local, peer)).copied();
        known.or_else(|| listener(&self.listeners, local))
    }

    /// Who has the two ends of a packet.
    pub(crate) fn ends(&self, packet: &Packet) -> Ends {
        match (&packet.content, packet.ends()) {
            (Content::Tcp(_), Some((source, destination))) => (
                self.tcp_end(source, destination),
                self.tcp_end(destination, source),
            ),
            (Content::Udp(_), Some((source, destination))) => {
                (self.udp_end(source), self.udp_end(destination))
            }
            // An error goes back to whoever sent the packet that it is about.
            (
                Content::Icmp {
                    about: Some(about), ..
                },
                _,
            ) => (self.udp_end(about.destination), self.udp_end(about.source)),
            _ => (None, None),
        }
    }

    /// Who receives datagrams at this address.
    fn udp_end(&self, local: SocketAddr) -> Option<Actor> {
        listener(&self.datagrams, local)
    }
}

/// Bound to this address, or to this port on all addresses.
fn listener(bound: &HashMap<SocketAddr, Actor>, local: SocketAddr) -> Option<Actor> {
    let exact = bound.get(&local).copied();
    exact.or_else(|| {
        let any = |addr: &SocketAddr| addr.ip().is_unspecified() && addr.port() == local.port();
        bound
            .iter()
            .find(|(addr, _)| any(addr))
            .map(|(_, actor)| *actor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn both_ends_of_a_loopback_connection_are_told_apart_by_their_sockets() {
        let mut owners = Owners::default();
        let (server, client) = (addr("127.0.0.1:8081"), addr("127.0.0.1:5000"));
        owners.has(Actor(0), 10);
        owners.has(Actor(1), 11);
        owners.tcp(server, addr("0.0.0.0:0"), Some(10));
        assert_eq!(owners.tcp(client, server, Some(11)), Some(Actor(1)));
        assert_eq!(
            owners.tcp(server, client, None),
            Some(Actor(0)),
            "not accepted yet"
        );
        assert_eq!(
            owners.tcp(client, server, None),
            Some(Actor(1)),
            "TIME-WAIT has no inode"
        );
    }

    #[test]
    fn a_refused_call_is_of_the_one_that_dialled() {
        let mut owners = Owners::default();
        let (first, second) = (addr("127.0.0.1:5000"), addr("127.0.0.1:5001"));
        let peer = addr("127.0.0.1:9");
        owners.dials(Actor(1), peer);
        owners.dials(Actor(2), peer);
        owners.syn(first, peer);
        owners.syn(second, peer);
        assert_eq!(owners.tcp_end(first, peer), Some(Actor(1)));
        assert_eq!(owners.tcp_end(second, peer), Some(Actor(2)));
        assert_eq!(owners.tcp_end(first, second), None);
    }

    #[test]
    fn a_socket_on_all_addresses_receives_at_each() {
        let mut owners = Owners::default();
        owners.has(Actor(0), 10);
        owners.udp(addr("0.0.0.0:7788"), Some(10));
        assert_eq!(owners.udp_end(addr("127.0.0.1:7788")), Some(Actor(0)));
        assert_eq!(owners.udp_end(addr("127.0.0.1:7789")), None);
    }
}
