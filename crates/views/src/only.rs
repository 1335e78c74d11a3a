//! Which kinds of events a view draws.

use timeline::Kind;
use timeline::packet::Content;

/// Which kinds of events are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only {
    /// What programs print.
    pub output: bool,
    /// Socket calls.
    pub calls: bool,
    /// Packets of all protocols; with `tcp`, those of TCP alone.
    pub packets: bool,
    /// Whether packets that are not TCP are left out.
    pub tcp: bool,
    /// TCP states and queues.
    pub states: bool,
    /// Each call by which the C library asks the system's services; without it,
    /// one line tells of all that belong together.
    pub services: bool,
}

impl Default for Only {
    /// Everything, but of what the C library asks the system, one line.
    fn default() -> Self {
        Self {
            output: true,
            calls: true,
            packets: true,
            tcp: false,
            states: true,
            services: false,
        }
    }
}

impl Only {
    /// Whether events of this kind are drawn. Explanations are, and so are
    /// the starts and ends of programs: each view needs them.
    pub fn draws(self, kind: &Kind) -> bool {
        match kind {
            Kind::Line { .. } => self.output,
            Kind::Call(_) | Kind::Return(_) => self.calls,
            Kind::Packet(packet) => self.draws_packet(matches!(packet.content, Content::Tcp(_))),
            Kind::Fate(_) => self.packets,
            Kind::State(_) => self.states,
            Kind::Beat => false,
            _ => true,
        }
    }

    pub(crate) fn draws_packet(self, is_tcp: bool) -> bool {
        self.packets && (is_tcp || !self.tcp)
    }
}
