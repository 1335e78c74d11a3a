//! The form of each value of a timeline: what `docs/timeline.md` describes.

use serde_json::Value;
use timeline::cable::{Fate, Later, Passage};
use timeline::call::{
    Address, Arg, Bytes, CallId, Changed, Control, End, Flags, Message, Outcome, Output, Setting,
    Socket, Start, Symbol, Watch,
};
use timeline::packet::{About, Content, Datagram, Packet, Segment, TcpFlags, TcpOptions};
use timeline::state::{Queues, TcpState, Transition};
use timeline::{Actor, Ending, Kind, Stream};

use super::shapes::{Choice, choice, number, record, words};
use super::value::{Json, Object, Wrong, expect, member, only_member, write_text};

choice!(Kind
    holding nothing { Beat "beat" }
    holding one {
        Ended "ended", Call "call", Return "return", Packet "packet", Fate "fate",
        State "state",
        Unseen "unseen", Lanes "lanes", Headline "headline", Note "note", Rows "rows", Next "next",
    }
    holding fields {
        Started "started" { lane, command },
        Line "line" { stream, text },
    }
);
words!(Stream { Stream::Stdout = "stdout", Stream::Stderr = "stderr" });
choice!(Ending
    holding one { Status "status", Signal "signal" }
);

record!(Start: id, pid, tid, name, args, socket, resumes, changed);
choice!(Changed
    holding one { CutTo "cut_to", Failed "failed" }
);
record!(End: id, outcome, outputs, sockets);
choice!(Outcome
    holding nothing { Died "died" }
    holding one { Returned "returned", Failed "failed", Interrupted "interrupted" }
);
choice!(Arg
    holding nothing { Wanted "wanted", Null "null" }
    holding one {
        Descriptor "descriptor", Descriptors "descriptors", Address "address", Bytes "bytes",
        Room "room", Number "number", Symbol "symbol", Flags "flags", Setting "setting",
        Messages "messages", Watched "watched", Timeout "timeout", Unreadable "unreadable",
    }
);
choice!(Output
    holding one {
        Bytes "bytes", Address "address", Messages "messages", Watched "watched",
        Descriptors "descriptors", Setting "setting", Number "number", Unreadable "unreadable",
    }
);
choice!(Setting
    holding one {
        Number "number", Time "time", Linger "linger", Text "text", Bytes "bytes",
    }
);
record!(Bytes: first, length);
choice!(Address
    holding nothing { Unnamed "unnamed" }
    holding one { Ip "ip", Path "path", Abstract "abstract" }
    holding fields { Other "other" { family, bytes } }
);
record!(Socket: inode, protocol);
record!(Symbol: number, name);
record!(Flags: bits, names, unnamed);
record!(Message: address, bytes, control, flags);
record!(Control: level, kind, descriptors, length);
record!(Watch: descriptor, events);

record!(Packet: source, destination, content, bytes, length, passage);
record!(Passage: frame, fate, by, late, again);
record!(Later: frame, fate, by, after);
choice!(Fate
    holding nothing {
        Passed "passed", Dropped "dropped", Delayed "delayed", Held "held", Doubled "doubled",
        Swapped "swapped",
    }
    holding fields { Corrupted "corrupted" { bit } }
);
choice!(Content
    holding one { Tcp "tcp", Udp "udp" }
    holding fields {
        Icmp "icmp" { kind, code, about },
        Fragment "fragment" { protocol, offset },
        Other "other" { protocol },
        Broken "broken" { reason },
    }
);
record!(Segment: source_port, destination_port, seq, ack, flags, window, options, length, data);
record!(TcpOptions: maximum_segment_size, window_scale, sack_permitted, sack);
record!(Datagram: source_port, destination_port, length, data);
record!(About: source, destination, protocol);

record!(Transition: local, peer, inode, from, to, queues);
record!(Queues: receive, send);
words!(TcpState {
    TcpState::Listen = "LISTEN", TcpState::SynSent = "SYN-SENT",
    TcpState::SynReceived = "SYN-RECEIVED", TcpState::Established = "ESTABLISHED",
    TcpState::FinWait1 = "FIN-WAIT-1", TcpState::FinWait2 = "FIN-WAIT-2",
    TcpState::CloseWait = "CLOSE-WAIT", TcpState::Closing = "CLOSING",
    TcpState::LastAck = "LAST-ACK", TcpState::TimeWait = "TIME-WAIT",
    TcpState::Closed = "CLOSED",
});

/// All eight bits have names here, so that none is lost.
const FLAGS: [(u8, &str); 8] = [
    (TcpFlags::SYN, "SYN"),
    (TcpFlags::FIN, "FIN"),
    (TcpFlags::RST, "RST"),
    (TcpFlags::PSH, "PSH"),
    (TcpFlags::URG, "URG"),
    (TcpFlags::ACK, "ACK"),
    (0x40, "ECE"),
    (0x80, "CWR"),
];

impl Json for TcpFlags {
    fn write(&self, out: &mut String) {
        let set = FLAGS.into_iter().filter(|(flag, _)| self.has(*flag));
        let names: Vec<String> = set.map(|(_, name)| name.to_string()).collect();
        names.write(out);
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        let mut flags = Self::default();
        for name in Vec::<String>::read(value)? {
            let known = FLAGS.into_iter().find(|(_, known)| *known == name);
            let wrong = || Wrong::unknown_word(&name, &FLAGS.map(|(_, name)| name));
            flags.0 |= known.ok_or_else(wrong)?.0;
        }
        Ok(flags)
    }
}

number!(CallId(u64));
number!(Actor(usize));

/// A descriptor with the socket behind it.
impl Json for (i32, Socket) {
    fn write(&self, out: &mut String) {
        let mut object = Object::begin(out);
        object.member("descriptor", &self.0);
        object.member("socket", &self.1);
        object.end();
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        Ok((member(value, "descriptor")?, member(value, "socket")?))
    }
}

/// A block of SACK.
impl Json for (u32, u32) {
    fn write(&self, out: &mut String) {
        [self.0, self.1].to_vec().write(out);
    }

    fn read(value: &Value) -> Result<Self, Wrong> {
        match Vec::read(value)?[..] {
            [from, to] => Ok((from, to)),
            _ => expect(None, "a list of two numbers", value),
        }
    }
}
