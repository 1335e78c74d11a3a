//! What an explanation waits for.

use timeline::cable::Fate;
use timeline::call::{CallId, Outcome};
use timeline::packet::{Content, Packet, TcpFlags};
use timeline::state::TcpState;
use timeline::{Event, Kind, Place, Timeline};

/// Type and code of the ICMP message: RFC 792, page 4.
const PORT_UNREACHABLE: (u8, u8) = (3, 3);
/// The same over IPv6: RFC 4443, section 3.1.
const PORT_UNREACHABLE_V6: (u8, u8) = (1, 4);

/// Something that can be seen under the X-ray.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A program in this lane enters this call.
    Calls(&'static str, &'static str),
    /// This call comes back to a program in this lane, with a result that is no
    /// error.
    Returns(&'static str, &'static str),
    /// This call fails in this lane.
    Fails(&'static str, &'static str),
    /// A segment with SYN and without ACK: somebody dials.
    Syn,
    /// A segment with SYN and ACK: the answer to it.
    SynAck,
    /// A segment from this lane that carries data.
    Data(&'static str),
    /// A segment with FIN: one direction is closed.
    Fin,
    /// A segment with RST.
    Reset,
    /// A UDP datagram.
    Datagram,
    /// An ICMP message that says that nobody is bound to the UDP port.
    PortUnreachable,
    /// A segment from this lane that acknowledges and does nothing else.
    Ack(&'static str),
    /// An acknowledgement from this lane that says: these bytes came a second time.
    /// RFC 2883, D-SACK.
    Duplicate(&'static str),
    /// A segment from this lane that repeats what one before it has carried: a
    /// retransmission.
    Again(&'static str),
    /// A packet from this lane that the cable loses.
    Dropped(&'static str),
    /// A packet from this lane that the cable delivers twice.
    Doubled(&'static str),
    /// A packet from this lane that the cable delivers behind the next one.
    Swapped(&'static str),
    /// A packet from this lane that was late on the cable goes on to the other
    /// host now.
    Arrives(&'static str),
    /// A program in this lane prints a line that contains this.
    Says(&'static str, &'static str),
    /// A socket of this lane is in this TCP state.
    State(&'static str, TcpState),
}

impl Sign {
    /// Whether this event is it.
    pub(crate) fn fits(&self, timeline: &Timeline, event: &Event) -> bool {
        let lane = match event.place {
            // A packet belongs to the program that has sent it.
            Place::Actor(actor)
            | Place::Wire {
                from: Some(actor), ..
            } => timeline.lane(actor),
            Place::Wire { from: None, .. } | Place::Narrator => "",
        };
        match (self, &event.kind) {
            (Sign::Calls(who, name), Kind::Call(call)) => lane == *who && is(&call.name, name),
            (Sign::Returns(who, name) | Sign::Fails(who, name), Kind::Return(end)) => {
                let wanted = match self {
                    Sign::Fails(..) => matches!(end.outcome, Outcome::Failed(_)),
                    _ => matches!(end.outcome, Outcome::Returned(_)),
                };
                let called = name_of(timeline, end.id);
                lane == *who && wanted && called.is_some_and(|called| is(called, name))
            }
            (Sign::State(who, state), Kind::State(change)) => lane == *who && change.to == *state,
            (Sign::Says(who, words), Kind::Line { text, .. }) => {
                lane == *who && text.contains(words)
            }
            (Sign::Arrives(who), Kind::Fate(later)) => {
                lane == *who && matches!(later.fate, Fate::Passed | Fate::Doubled)
            }
            (sign, Kind::Packet(packet)) => sign.fits_packet(lane, packet),
            _ => false,
        }
    }

    fn fits_packet(&self, lane: &str, packet: &Packet) -> bool {
        let passage = packet.passage.as_ref();
        let fate = |fate| passage.is_some_and(|passage| passage.fate == fate);
        match self {
            Sign::Dropped(who) => return lane == *who && fate(Fate::Dropped),
            Sign::Doubled(who) => return lane == *who && fate(Fate::Doubled),
            Sign::Swapped(who) => return lane == *who && fate(Fate::Swapped),
            Sign::Again(who) => {
                return lane == *who && passage.is_some_and(|passage| passage.again.is_some());
            }
            _ => {}
        }
        let segment = match &packet.content {
            Content::Tcp(segment) => segment,
            Content::Udp(_) => return *self == Sign::Datagram,
            Content::Icmp { kind, code, .. } => {
                let unreachable = match packet.source.is_ipv6() {
                    true => PORT_UNREACHABLE_V6,
                    false => PORT_UNREACHABLE,
                };
                return *self == Sign::PortUnreachable && (*kind, *code) == unreachable;
            }
            _ => return false,
        };
        let has = |flag| segment.flags.has(flag);
        match self {
            Sign::Syn => has(TcpFlags::SYN) && !has(TcpFlags::ACK),
            Sign::SynAck => has(TcpFlags::SYN) && has(TcpFlags::ACK),
            Sign::Data(who) => segment.length > 0 && lane == *who,
            Sign::Fin => has(TcpFlags::FIN),
            Sign::Ack(who) => {
                let controls = [TcpFlags::SYN, TcpFlags::FIN, TcpFlags::RST];
                segment.length == 0 && lane == *who && !controls.into_iter().any(has)
            }
            Sign::Duplicate(who) => {
                let first = segment.options.sack.first();
                lane == *who && first.is_some_and(|(from, _)| is_before(*from, segment.ack))
            }
            Sign::Reset => has(TcpFlags::RST),
            _ => false,
        }
    }
}

/// Numbers of TCP go round: RFC 9293, section 3.4.
fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

/// The call that this end belongs to.
fn name_of(timeline: &Timeline, id: CallId) -> Option<&str> {
    let mut events = timeline.events().iter().rev();
    events.find_map(|event| match &event.kind {
        Kind::Call(call) if call.id == id => Some(call.name.as_ref()),
        _ => None,
    })
}

/// Whether a system call is what programs call by this name: `recv` of libc
/// enters the kernel as `recvfrom`, and Rust's `write` may be a `sendto`.
fn is(called: &str, name: &str) -> bool {
    match name {
        "accept" => matches!(called, "accept" | "accept4"),
        "recv" => matches!(called, "recvfrom" | "recvmsg" | "read" | "readv"),
        "send" => matches!(called, "sendto" | "sendmsg" | "write" | "writev"),
        other => called == other,
    }
}
