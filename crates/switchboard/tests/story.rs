//! What happens on a wire, written by hand; and the board before which it
//! happens.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use switchboard::{Board, Command, Look, Mode, draw};
use timeline::cable::{Fate, Later, Line, Passage, Side};
use timeline::call::{Address, Arg, CallId, End, Outcome, Start};
use timeline::packet::{Content, Datagram, Packet, Segment, TcpFlags, TcpOptions};
use timeline::state::{Queues, TcpState, Transition};
use timeline::{Actor, Ending, Event, Kind, Place, Stream, Timeline};

pub const SERVER: Side = Side::Server;
pub const CLIENT: Side = Side::Client;
pub const SYN: u8 = TcpFlags::SYN;
pub const ACK: u8 = TcpFlags::ACK;
pub const PSH: u8 = TcpFlags::PSH;
const HAND: &str = "the hand";
const ON_WIRE: Place = Place::Wire {
    from: None,
    to: None,
};

/// Without colours.
pub const PLAIN: Look = Look {
    colour: false,
    ascii: false,
};

pub struct Story {
    pub board: Board,
    /// All that the board has seen.
    pub timeline: Timeline,
    frames: u64,
    calls: u64,
}

impl Story {
    pub fn new(mode: Mode) -> Self {
        Self {
            board: Board::new(mode, [Line::default(); 2], false),
            timeline: Timeline::default(),
            frames: 0,
            calls: 0,
        }
    }

    /// Both programs are started, and the server listens.
    pub fn begun(mode: Mode) -> Self {
        let mut story = Self::new(mode);
        story.started(SERVER, "server").started(CLIENT, "client");
        let args = vec![Arg::Descriptor(3), Arg::Number(128)];
        story.call(0, SERVER, "listen", args);
        story.line(SERVER, "listening on 0.0.0.0:8081");
        story.state(SERVER, None, TcpState::Listen, (0, 128));
        story
    }

    pub fn see(&mut self, time: u64, place: Place, kind: Kind) -> &mut Self {
        let time = Duration::from_millis(time);
        self.saw(Event { time, place, kind })
    }

    pub fn saw(&mut self, event: Event) -> &mut Self {
        self.board.see(&event);
        self.timeline.push(event);
        self
    }

    pub fn started(&mut self, side: Side, lane: &str) -> &mut Self {
        let kind = Kind::Started {
            lane: lane.to_string(),
            command: vec!["program".to_string()],
        };
        self.see(0, in_program(side), kind)
    }

    pub fn line(&mut self, side: Side, text: &str) -> &mut Self {
        let (stream, text) = (Stream::Stdout, text.to_string());
        self.see(0, in_program(side), Kind::Line { stream, text })
    }

    pub fn ended(&mut self, side: Side) -> &mut Self {
        let ended = Kind::Ended(Ending::Status(0));
        self.see(0, in_program(side), ended)
    }

    pub fn note(&mut self, time: u64, text: &str) -> &mut Self {
        self.see(time, Place::Narrator, Kind::Note(text.to_string()))
    }

    /// A socket of the server, with this inode.
    pub fn listener(&mut self, inode: u64, to: TcpState) -> &mut Self {
        let inode = Some(inode);
        let change = transition(SERVER, None, to);
        let change = Transition { inode, ..change };
        self.see(0, in_program(SERVER), Kind::State(change))
    }

    pub fn state(
        &mut self,
        side: Side,
        peer: Option<u16>,
        to: TcpState,
        (receive, send): (u32, u32),
    ) -> &mut Self {
        let queues = Queues { receive, send };
        let change = transition(side, peer, to);
        let change = Transition { queues, ..change };
        self.see(0, in_program(side), Kind::State(change))
    }

    pub fn call(&mut self, time: u64, side: Side, name: &'static str, args: Vec<Arg>) -> CallId {
        self.calls += 1;
        let id = CallId(self.calls);
        let start = Start {
            id,
            pid: 1,
            tid: 1,
            name: name.into(),
            args,
            socket: None,
            resumes: None,
            changed: None,
        };
        self.see(time, in_program(side), Kind::Call(start));
        id
    }

    pub fn returned(&mut self, time: u64, side: Side, id: CallId, value: i64) -> &mut Self {
        let end = End {
            id,
            outcome: Outcome::Returned(value),
            outputs: Vec::new(),
            sockets: Vec::new(),
        };
        self.see(time, in_program(side), Kind::Return(end))
    }

    pub fn connect(&mut self, time: u64) -> CallId {
        let server = Address::Ip((address(SERVER), 8081).into());
        let args = vec![Arg::Descriptor(3), Arg::Address(server)];
        self.call(time, CLIENT, "connect", args)
    }

    /// The next frame; its number.
    pub fn packet(&mut self, time: u64, from: Side, content: Content, passage: Passage) -> u64 {
        self.frames += 1;
        let time = Duration::from_millis(time);
        let packet = packet(self.frames, from, content, passage);
        self.saw(on_wire(time, packet));
        self.frames
    }

    pub fn later(&mut self, time: u64, frame: u64, fate: Fate, after: u64) -> &mut Self {
        let later = Later {
            frame,
            fate,
            by: Some(HAND.to_string()),
            after: Duration::from_millis(after),
        };
        self.see(time, ON_WIRE, Kind::Fate(later))
    }

    pub fn key(&mut self, key: char) -> &mut Self {
        self.code(KeyCode::Char(key))
    }

    pub fn code(&mut self, code: KeyCode) -> &mut Self {
        self.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    pub fn control(&mut self, key: char) -> &mut Self {
        self.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL))
    }

    fn press(&mut self, key: KeyEvent) -> &mut Self {
        self.board.key(key, Duration::ZERO);
        self
    }

    pub fn typed(&mut self, text: &str) -> &mut Self {
        for key in text.chars() {
            self.key(key);
        }
        self.code(KeyCode::Enter)
    }

    /// What the board has commanded, but for what it commands at the beginning.
    pub fn commands(&mut self, time: u64) -> Vec<Command> {
        self.board.tick(Duration::from_millis(time))
    }

    pub fn buffer(&self, time: u64, (width, height): (u16, u16), look: Look) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let now = Duration::from_millis(time);
        let drawn = terminal.draw(|frame| draw(frame, &self.board, look, now));
        drawn.unwrap().buffer.clone()
    }

    /// The screen as text, without the empty ends of its rows.
    pub fn screen(&self, time: u64, size: (u16, u16)) -> String {
        text(&self.buffer(time, size, PLAIN))
    }

    /// The message line of the screen.
    pub fn message(&self) -> String {
        let screen = self.screen(0, (80, 24));
        screen.lines().nth(22).unwrap().to_string()
    }
}

fn transition(side: Side, peer: Option<u16>, to: TcpState) -> Transition {
    let port = if side == SERVER { 8081 } else { 40_000 };
    let peer = peer.map(|port| (address(side.other()), port).into());
    Transition {
        local: (address(side), port).into(),
        peer: peer.unwrap_or(([0; 4], 0).into()),
        inode: None,
        from: None,
        to,
        queues: Queues::default(),
    }
}

/// Packets without end, for a flood.
pub struct Packets {
    pub count: u64,
    /// The one that all others are made from.
    first: Packet,
}

impl Default for Packets {
    fn default() -> Self {
        let content = tcp(CLIENT, ACK, 1, 1, &"x".repeat(1400));
        let (count, first) = (0, packet(1, CLIENT, content, PASS));
        Self { count, first }
    }
}

impl Packets {
    pub fn next(&mut self, time: Duration) -> Event {
        self.count += 1;
        let mut packet = self.first.clone();
        if let Content::Tcp(segment) = &mut packet.content {
            segment.seq = (self.count as u32).wrapping_mul(1400);
        }
        if let Some(passage) = &mut packet.passage {
            passage.frame = self.count;
        }
        on_wire(time, packet)
    }
}

fn packet(frame: u64, from: Side, content: Content, passage: Passage) -> Packet {
    let bytes = bytes(from, &content);
    Packet {
        source: address(from),
        destination: address(from.other()),
        content,
        length: bytes.len() as u32,
        bytes,
        passage: Some(Passage { frame, ..passage }),
    }
}

fn on_wire(time: Duration, packet: Packet) -> Event {
    let (place, kind) = (ON_WIRE, Kind::Packet(packet));
    Event { time, place, kind }
}

/// A character of two cells stands in the first; the second is left out.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
            row += symbol;
        }
        text += row.trim_end();
        text.push('\n');
    }
    text
}

/// What becomes of a packet when it comes.
pub const PASS: Passage = Passage {
    frame: 0,
    fate: Fate::Passed,
    by: None,
    late: Duration::ZERO,
    again: None,
};
pub const HELD: Passage = Passage {
    fate: Fate::Held,
    ..PASS
};

/// The same becomes of a packet that repeats this frame.
pub fn again(passage: Passage, frame: u64) -> Passage {
    let again = Some(frame);
    Passage { again, ..passage }
}

pub fn by(fate: Fate, rule: &str) -> Passage {
    let by = Some(rule.to_string());
    Passage { fate, by, ..PASS }
}

/// Numbers as a reader counts them; each side begins at 1000.
pub fn tcp(from: Side, flags: u8, seq: u32, ack: u32, data: &str) -> Content {
    let (source_port, destination_port) = ports(from, 8081);
    let opens = flags & SYN != 0;
    let ack = (flags & ACK != 0).then(|| ack.wrapping_add(1000));
    Content::Tcp(Segment {
        source_port,
        destination_port,
        seq: seq.wrapping_add(1000),
        ack: ack.unwrap_or(0),
        flags: TcpFlags(flags),
        window: if opens { 64_240 } else { 502 },
        options: TcpOptions {
            maximum_segment_size: opens.then_some(1460),
            window_scale: opens.then_some(7),
            sack_permitted: opens,
            sack: Vec::new(),
        },
        length: data.len() as u32,
        data: data.as_bytes().to_vec(),
    })
}

pub fn udp(from: Side, data: &str) -> Content {
    let (source_port, destination_port) = ports(from, 7788);
    Content::Udp(Datagram {
        source_port,
        destination_port,
        length: data.len() as u32,
        data: data.as_bytes().to_vec(),
    })
}

/// The sender's port, and the other one.
fn ports(from: Side, server: u16) -> (u16, u16) {
    let client = 40_000;
    match from {
        SERVER => (server, client),
        CLIENT => (client, server),
    }
}

fn address(side: Side) -> std::net::IpAddr {
    [10, 0, 0, side as u8 + 1].into()
}

fn in_program(side: Side) -> Place {
    Place::Actor(Actor(side as usize))
}

/// As on a cable, but for checksums, which are 0.
fn bytes(from: Side, content: &Content) -> Vec<u8> {
    let mut inside = Vec::new();
    let protocol = match content {
        Content::Tcp(segment) => {
            inside.extend(segment.source_port.to_be_bytes());
            inside.extend(segment.destination_port.to_be_bytes());
            inside.extend(segment.seq.to_be_bytes());
            inside.extend(segment.ack.to_be_bytes());
            inside.extend([0x50, segment.flags.0]);
            inside.extend(segment.window.to_be_bytes());
            inside.extend([0; 4]);
            inside.extend(&segment.data);
            6
        }
        Content::Udp(datagram) => {
            inside.extend(datagram.source_port.to_be_bytes());
            inside.extend(datagram.destination_port.to_be_bytes());
            inside.extend((8 + datagram.length as u16).to_be_bytes());
            inside.extend([0; 2]);
            inside.extend(&datagram.data);
            17
        }
        _ => 255,
    };
    let length = (20 + inside.len() as u16).to_be_bytes();
    let mut bytes = vec![
        0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0,
    ];
    bytes.extend([10, 0, 0, from as u8 + 1, 10, 0, 0, from.other() as u8 + 1]);
    bytes.extend(inside);
    bytes
}
