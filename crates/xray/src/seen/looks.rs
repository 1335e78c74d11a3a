//! When to look at the TCP states. The kernel does not tell when one changes, and
//! a look costs time, in which a program stands still.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use kernel::states::States;
use timeline::call::{CallId, Start};
use timeline::packet::{Content, Packet, TcpFlags};
use timeline::state::{TcpState, Transition};

/// After these calls a TCP socket may be in another state.
const CHANGING: [&str; 9] = [
    "listen",
    "accept",
    "accept4",
    "connect",
    "shutdown",
    "close",
    "close_range",
    "dup2",
    "dup3",
];

/// Data changes the queues alone. To see how they fill and empty is worth this
/// share of the time: one part in so many.
const SHARE: u32 = 50;
/// After a quiet time looks may take this long without counting: short talks are
/// seen step by step.
const ADVANCE: Duration = Duration::from_millis(20);

/// Looks, and knows whether the next one is worth it.
pub(crate) struct Looks {
    /// A way to them for each host; none where they cannot be seen.
    states: Vec<States>,
    /// Calls that have begun, and may change a state.
    changing: HashSet<CallId>,
    /// Whether a handshake or a goodbye is half done.
    unsettled: bool,
    /// From when on a look at the queues is worth it again.
    free_at: Duration,
    /// Whether something has happened since the last look.
    due: bool,
}

impl Looks {
    pub(crate) fn new(states: Vec<States>) -> Self {
        Self {
            states,
            changing: HashSet::new(),
            unsettled: false,
            free_at: Duration::ZERO,
            due: false,
        }
    }

    /// The UDP sockets that there are now: where, and their inodes.
    pub(crate) fn udp_sockets(&mut self) -> Vec<(SocketAddr, Option<u64>)> {
        let states = self.states.iter_mut();
        // What cannot be looked at now may be at the next packet.
        let sockets = states.flat_map(|states| states.udp_sockets().unwrap_or_default());
        sockets.map(|socket| (socket.local, socket.inode)).collect()
    }

    pub(crate) fn call_starts(&mut self, start: &Start) {
        if CHANGING.contains(&start.name.as_ref()) {
            self.changing.insert(start.id);
        }
    }

    /// Whether to look when this call has ended.
    pub(crate) fn after_call(&mut self, id: CallId, now: Duration) -> bool {
        self.changing.remove(&id) || self.may_look(now)
    }

    /// Whether to look when this packet was seen.
    pub(crate) fn after_packet(&mut self, packet: &Packet, now: Duration) -> bool {
        let Content::Tcp(segment) = &packet.content else {
            return false;
        };
        let flags = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST];
        let changes = flags.iter().any(|flag| segment.flags.has(*flag));
        changes || self.unsettled || self.may_look(now)
    }

    /// Whether something has happened since the last look.
    pub(crate) fn is_due(&self) -> bool {
        self.due
    }

    fn may_look(&mut self, now: Duration) -> bool {
        self.due = true;
        self.free_at <= now + ADVANCE * SHARE
    }

    /// What has changed since the last look, and when that was known.
    pub(crate) fn look(
        &mut self,
        now: impl Fn() -> Duration,
    ) -> std::io::Result<(Vec<Transition>, Duration)> {
        let before = now();
        let mut changes = Vec::new();
        for states in &mut self.states {
            changes.extend(states.look()?);
        }
        let after = now();
        self.free_at = self.free_at.max(before) + after.saturating_sub(before) * SHARE;
        self.due = false;
        let half_done = |state: TcpState| {
            matches!(
                state,
                TcpState::SynSent
                    | TcpState::SynReceived
                    | TcpState::FinWait1
                    | TcpState::Closing
                    | TcpState::LastAck
            )
        };
        self.unsettled = self.states.iter().any(|states| states.any(half_done));
        Ok((changes, after))
    }
}
