//! Timelines as the X-ray records them, written by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use timeline::call::*;
use timeline::packet::*;
use timeline::state::*;
use timeline::{Actor, Ending, Event, Kind, Place, Stream, Timeline};

pub const SERVER: Place = Place::Actor(Actor(0));
pub const CLIENT: Place = Place::Actor(Actor(1));
const SERVER_PORT: u16 = 8081;
const CLIENT_PORT: u16 = 40_000;

pub const SYN: u8 = TcpFlags::SYN;
pub const ACK: u8 = TcpFlags::ACK;
pub const PSH: u8 = TcpFlags::PSH;
pub const FIN: u8 = TcpFlags::FIN;

/// Puts a timeline together, event after event.
#[derive(Default)]
pub struct Story {
    pub timeline: Timeline,
    calls: u64,
}

impl Story {
    /// At so many microseconds.
    pub fn at(&mut self, time: u64, place: Place, kind: Kind) {
        let time = Duration::from_micros(time);
        self.timeline.push(Event { time, place, kind });
    }

    pub fn started(&mut self, time: u64, place: Place, lane: &str, command: &[&str]) {
        let command = command.iter().map(ToString::to_string).collect();
        self.at(
            time,
            place,
            Kind::Started {
                lane: lane.to_string(),
                command,
            },
        );
    }

    pub fn line(&mut self, time: u64, place: Place, text: &str) {
        self.at(
            time,
            place,
            Kind::Line {
                stream: Stream::Stdout,
                text: text.to_string(),
            },
        );
    }

    pub fn error_line(&mut self, time: u64, place: Place, text: &str) {
        self.at(
            time,
            place,
            Kind::Line {
                stream: Stream::Stderr,
                text: text.to_string(),
            },
        );
    }

    pub fn note(&mut self, time: u64, text: &str) {
        self.at(time, Place::Narrator, Kind::Note(text.to_string()));
    }

    pub fn call(&mut self, time: u64, place: Place, name: &'static str, args: Vec<Arg>) -> CallId {
        self.calls += 1;
        let id = CallId(self.calls);
        let pid = if place == SERVER { 100 } else { 200 };
        let inode = u64::from(pid);
        let socket = Some(Socket {
            inode,
            protocol: Some("TCP".into()),
        });
        let socket = if name == "socket" { None } else { socket };
        let start = Start {
            id,
            pid,
            tid: pid,
            name: name.into(),
            args,
            socket,
            resumes: None,
            changed: None,
        };
        self.at(time, place, Kind::Call(start));
        id
    }

    pub fn back(&mut self, time: u64, place: Place, id: CallId, outcome: Outcome) {
        self.back_with(time, place, id, outcome, Vec::new());
    }

    pub fn back_with(
        &mut self,
        time: u64,
        place: Place,
        id: CallId,
        outcome: Outcome,
        outputs: Vec<Output>,
    ) {
        self.at(
            time,
            place,
            Kind::Return(End {
                id,
                outcome,
                outputs,
                sockets: Vec::new(),
            }),
        );
    }

    /// A call and its end, so many microseconds later.
    pub fn done(
        &mut self,
        time: u64,
        place: Place,
        name: &'static str,
        args: Vec<Arg>,
        result: i64,
    ) {
        let id = self.call(time, place, name, args);
        self.back(time + 4, place, id, Outcome::Returned(result));
    }

    pub fn packet(&mut self, time: u64, from: Place, flags: u8, seq: u32, ack: u32, data: &[u8]) {
        let (Place::Actor(sender), true) = (from, from == SERVER || from == CLIENT) else {
            panic!("a packet comes from a program");
        };
        let to = Actor(1 - sender.0);
        let place = Place::Wire {
            from: Some(sender),
            to: Some(to),
        };
        self.at(
            time,
            place,
            Kind::Packet(segment(from, flags, seq, ack, data)),
        );
    }

    pub fn state(&mut self, time: u64, place: Place, from: Option<TcpState>, to: TcpState) {
        let (local, peer) = match (place == SERVER, to) {
            (true, TcpState::Listen) => (end(SERVER_PORT), SocketAddr::from(([0, 0, 0, 0], 0))),
            (true, _) => (end(SERVER_PORT), end(CLIENT_PORT)),
            (false, _) => (end(CLIENT_PORT), end(SERVER_PORT)),
        };
        let queues = Queues::default();
        let inode = Some(100);
        self.at(
            time,
            place,
            Kind::State(Transition {
                local,
                peer,
                inode,
                from,
                to,
                queues,
            }),
        );
    }
}

pub fn end(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

pub fn returned(value: i64) -> Outcome {
    Outcome::Returned(value)
}

pub fn symbol(number: i64, name: &'static str) -> Symbol {
    Symbol {
        number,
        name: Some(name.into()),
    }
}

pub fn bytes(data: &[u8]) -> Bytes {
    Bytes {
        first: data.to_vec(),
        length: data.len() as u64,
    }
}

fn no_flags() -> Arg {
    Arg::Flags(Flags::default())
}

fn socket_args() -> Vec<Arg> {
    vec![
        Arg::Symbol(symbol(2, "AF_INET")),
        Arg::Symbol(symbol(1, "SOCK_STREAM")),
        Arg::Number(0),
    ]
}

/// A segment with the bytes that carry it. Checksums are 0, as they are partial
/// on the loopback interface anyway.
pub fn segment(from: Place, flags: u8, seq: u32, ack: u32, data: &[u8]) -> Packet {
    let (source_port, destination_port) = if from == SERVER {
        (SERVER_PORT, CLIENT_PORT)
    } else {
        (CLIENT_PORT, SERVER_PORT)
    };
    let length = u16::try_from(40 + data.len()).unwrap();
    let mut raw = vec![0x45, 0];
    raw.extend(length.to_be_bytes());
    raw.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    raw.extend(source_port.to_be_bytes());
    raw.extend(destination_port.to_be_bytes());
    raw.extend(seq.to_be_bytes());
    raw.extend(ack.to_be_bytes());
    raw.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    raw.extend(data);
    Packet {
        source: Ipv4Addr::LOCALHOST.into(),
        destination: Ipv4Addr::LOCALHOST.into(),
        content: Content::Tcp(Segment {
            source_port,
            destination_port,
            seq,
            ack,
            flags: TcpFlags(flags),
            window: 0xffff,
            options: TcpOptions::default(),
            length: data.len().try_into().unwrap(),
            data: data.to_vec(),
        }),
        bytes: raw,
        length: length.into(),
        passage: None,
    }
}

/// A client says hello; the server lets it wait, and answers.
pub fn echo() -> Timeline {
    let mut story = Story::default();
    let s = &mut story;
    let fd = Arg::Descriptor;
    s.started(0, SERVER, "server", &["./server", "--port", "8081"]);
    s.done(900, SERVER, "socket", socket_args(), 3);
    let own = Arg::Address(Address::Ip(end(SERVER_PORT)));
    s.done(950, SERVER, "bind", vec![fd(3), own.clone()], 0);
    s.done(990, SERVER, "listen", vec![fd(3), Arg::Number(128)], 0);
    s.state(995, SERVER, None, TcpState::Listen);
    s.line(1_100, SERVER, "listening on 127.0.0.1:8081");
    let accept = s.call(
        1_150,
        SERVER,
        "accept4",
        vec![fd(3), Arg::Wanted, no_flags()],
    );
    s.started(1_200, CLIENT, "client", &["./client", "127.0.0.1:8081"]);
    s.note(
        1_200,
        "The server waits in accept. Nothing is on the wire yet.",
    );
    s.done(2_400, CLIENT, "socket", socket_args(), 3);
    let connect = s.call(2_450, CLIENT, "connect", vec![fd(3), own]);
    s.packet(2_470, CLIENT, SYN, 1_000, 0, b"");
    s.state(2_471, CLIENT, None, TcpState::SynSent);
    s.packet(2_490, SERVER, SYN | ACK, 70_000, 1_001, b"");
    s.packet(2_500, CLIENT, ACK, 1_001, 70_001, b"");
    s.state(
        2_501,
        CLIENT,
        Some(TcpState::SynSent),
        TcpState::Established,
    );
    s.state(2_502, SERVER, None, TcpState::Established);
    s.back(2_520, CLIENT, connect, returned(0));
    let from = Output::Address(Address::Ip(end(CLIENT_PORT)));
    s.back_with(2_530, SERVER, accept, returned(4), vec![from]);
    s.line(2_600, CLIENT, "connected to 127.0.0.1:8081");
    let hello = "hello, 世界\n".as_bytes();
    let recv = s.call(
        2_610,
        SERVER,
        "recvfrom",
        vec![fd(4), Arg::Room(1024), no_flags()],
    );
    let send = s.call(
        2_700,
        CLIENT,
        "sendto",
        vec![fd(3), Arg::Bytes(bytes(hello)), no_flags()],
    );
    s.packet(2_720, CLIENT, PSH | ACK, 1_001, 70_001, hello);
    s.packet(2_725, SERVER, ACK, 70_001, 1_015, b"");
    s.back(2_740, CLIENT, send, returned(14));
    s.back_with(
        2_750,
        SERVER,
        recv,
        returned(14),
        vec![Output::Bytes(bytes(hello))],
    );
    s.line(2_800, SERVER, "received 14 bytes: \"hello, 世界\"");
    s.error_line(
        2_810,
        SERVER,
        "warning: <b>not bold</b> & \u{1b}[31mnot red\u{7}",
    );
    let wait = s.call(
        2_850,
        CLIENT,
        "recvfrom",
        vec![fd(3), Arg::Room(1024), no_flags()],
    );
    let send = s.call(
        1_002_900,
        SERVER,
        "sendto",
        vec![fd(4), Arg::Bytes(bytes(hello)), no_flags()],
    );
    s.packet(1_002_920, SERVER, PSH | ACK, 70_001, 1_015, hello);
    s.packet(1_002_925, CLIENT, ACK, 1_015, 70_015, b"");
    s.back(1_002_940, SERVER, send, returned(14));
    s.back_with(
        1_002_950,
        CLIENT,
        wait,
        returned(14),
        vec![Output::Bytes(bytes(hello))],
    );
    s.line(
        1_003_000,
        CLIENT,
        "收到了 14 个字节：「hello, 世界」，于是客户端关闭连接并退出，什么也不再发送",
    );
    let close = s.call(1_003_050, CLIENT, "close", vec![fd(3)]);
    s.packet(1_003_052, CLIENT, FIN | ACK, 1_015, 70_015, b"");
    s.state(
        1_003_053,
        CLIENT,
        Some(TcpState::Established),
        TcpState::FinWait1,
    );
    s.back(1_003_054, CLIENT, close, returned(0));
    s.at(1_003_400, CLIENT, Kind::Ended(Ending::Status(0)));
    let recv = s.call(
        1_003_500,
        SERVER,
        "recvfrom",
        vec![fd(4), Arg::Room(1024), no_flags()],
    );
    s.back(1_003_504, SERVER, recv, returned(0));
    s.at(
        1_003_600,
        Place::Narrator,
        Kind::Unseen("2 packets: the capture was too slow".to_string()),
    );
    s.at(1_004_000, SERVER, Kind::Ended(Ending::Signal(15)));
    story.timeline
}
