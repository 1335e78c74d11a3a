//! Whose sockets have the two ends of a packet.

use std::net::SocketAddr;

use timeline::Actor;
use timeline::packet::{Content, Packet};

use super::recorder::Recorder;

impl Recorder {
    pub(super) fn ends(&mut self, packet: &Packet) -> (Option<Actor>, Option<Actor>) {
        match (&packet.content, packet.ends()) {
            (Content::Tcp(_), Some((source, destination))) => (
                self.owners.tcp_end(source, destination),
                self.owners.tcp_end(destination, source),
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

    fn udp_end(&mut self, local: SocketAddr) -> Option<Actor> {
        if let Some(actor) = self.owners.udp_end(local) {
            return Some(actor);
        }
        self.find_udp_sockets();
        self.owners.udp_end(local)
    }

    /// Where the UDP sockets are, and whose they are.
    pub(super) fn find_udp_sockets(&mut self) {
        let Some(looks) = &mut self.looks else { return };
        for states in looks.states() {
            for socket in states.udp_sockets().unwrap_or_default() {
                self.owners.udp(socket.local, socket.inode);
            }
        }
    }
}
