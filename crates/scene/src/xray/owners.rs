//! Whose socket an address is. On a loopback both ends have the same host, so
//! the address alone does not tell; the socket behind it does.

use std::collections::HashMap;
use std::net::SocketAddr;

use timeline::Actor;

/// What is known of sockets, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Owners {
    inodes: HashMap<u64, Actor>,
    /// TCP by both ends, so that the sockets of one port are told apart.
    connections: HashMap<(SocketAddr, SocketAddr), Actor>,
    /// TCP sockets that listen, by their own end.
    listeners: HashMap<SocketAddr, Actor>,
    /// UDP by its own end.
    datagrams: HashMap<SocketAddr, Actor>,
}

impl Owners {
    /// A program has made a call on this socket, so it has it.
    pub(super) fn has(&mut self, actor: Actor, inode: u64) {
        self.inodes.insert(inode, actor);
    }

    /// A look has found a TCP socket; whose is it?
    pub(super) fn tcp(
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
    pub(super) fn udp(&mut self, local: SocketAddr, inode: Option<u64>) {
        if let Some(actor) = inode.and_then(|inode| self.inodes.get(&inode)) {
            self.datagrams.insert(local, *actor);
        }
    }

    /// Who has this end of a connection: the one that was seen to have it, or
    /// the one that listens there and has not accepted yet.
    pub(super) fn tcp_end(&self, local: SocketAddr, peer: SocketAddr) -> Option<Actor> {
        let known = self.connections.get(&(local, peer)).copied();
        known.or_else(|| listener(&self.listeners, local))
    }

    /// Who receives datagrams at this address.
    pub(super) fn udp_end(&self, local: SocketAddr) -> Option<Actor> {
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
    }

    #[test]
    fn what_a_program_had_stays_its_own_when_no_program_has_it_any_more() {
        let mut owners = Owners::default();
        let (local, peer) = (addr("127.0.0.1:5000"), addr("127.0.0.1:8081"));
        owners.has(Actor(1), 11);
        owners.tcp(local, peer, Some(11));
        assert_eq!(
            owners.tcp(local, peer, None),
            Some(Actor(1)),
            "TIME-WAIT has no inode"
        );
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
