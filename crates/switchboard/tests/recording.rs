//! A recording in which everything happens that can be said.
//!
//! While a call waits, something else stands in its lane: then each view gives its
//! end a row of its own.

use timeline::cable::Fate;
use timeline::call::{Address, Arg, CallId, End, Outcome, Output, Socket, Start, Symbol};
use timeline::packet::{About, Content};
use timeline::state::{Queues, TcpState, Transition};
use timeline::{Actor, Ending, Kind, Place, Stream};

use crate::story::*;
use switchboard::Mode;

const SECOND_CLIENT: Place = Place::Actor(Actor(2));

pub fn recording() -> Story {
    let mut story = Story::new(Mode::Run);
    told(&mut story);
    programs(&mut story);
    services(&mut story);
    packets(&mut story);
    states(&mut story);
    ends(&mut story);
    story
}

fn told(story: &mut Story) {
    let mut say = |time, kind| {
        story.see(time, Place::Narrator, kind);
    };
    say(0, Kind::Headline("Part 1: a call".to_string()));
    say(1, Kind::Note("The server is not there yet.".to_string()));
    say(2, Kind::Rows("a table\nof rows".to_string()));
    say(3, Kind::Beat);
    say(4, Kind::Unseen("states: no permission".to_string()));
    say(
        5,
        Kind::Next(vec!["Try this.".to_string(), "Or that.".to_string()]),
    );
}

fn programs(story: &mut Story) {
    story.started(SERVER, "server").started(CLIENT, "client1");
    let kind = Kind::Started {
        lane: "client2".to_string(),
        command: vec!["./client".to_string()],
    };
    story.see(10, SECOND_CLIENT, kind);
    let fd = Arg::Descriptor;
    let socket = Start {
        socket: None,
        ..start(
            "socket",
            vec![symbol(2, "AF_INET"), symbol(1, "SOCK_STREAM")],
        )
    };
    let id = story.asks(20, in_program(SERVER), socket);
    story.returned(20, SERVER, id, 3);
    let id = story.call(30, SERVER, "getsockname", vec![fd(3)]);
    let own = Output::Address(Address::Ip((address(SERVER), 8081).into()));
    back(story, 30, in_program(SERVER), id, returned(0), vec![own]);
    print(story, 40, Stream::Stdout, "listening on 10.0.0.1:8081");
    print(story, 50, Stream::Stderr, "warning: 你好 <b> & \u{1b}[31m");
    // A second thread waits, while the first one goes on.
    let accept = Start {
        tid: 2,
        ..start("accept4", vec![fd(3), Arg::Wanted])
    };
    let accept = story.asks(60, in_program(SERVER), accept);
    print(story, 70, Stream::Stdout, "waiting");
    let peer = Output::Address(Address::Ip((address(CLIENT), 40_000).into()));
    back(
        story,
        80,
        in_program(SERVER),
        accept,
        returned(4),
        vec![peer],
    );
    let refused = story.connect(90);
    let why = Symbol {
        number: 111,
        name: Some("ECONNREFUSED".into()),
    };
    let outcome = Outcome::Failed(why);
    back(story, 91, in_program(CLIENT), refused, outcome, Vec::new());
    // It never comes back.
    story.asks(
        95,
        SECOND_CLIENT,
        start("recvfrom", vec![fd(5), Arg::Room(1024)]),
    );
}

/// Both talks end; one of them because the program does.
fn services(story: &mut Story) {
    let netlink = Start {
        socket: None,
        ..start("socket", vec![symbol(16, "AF_NETLINK")])
    };
    let id = story.asks(100, SECOND_CLIENT, netlink);
    let made = Kind::Return(End {
        id,
        outcome: returned(3),
        outputs: Vec::new(),
        sockets: vec![(3, inode(70))],
    });
    story.see(100, SECOND_CLIENT, made);
    on(story, 110, "sendto", Vec::new(), 70);
    on(story, 120, "close", Vec::new(), 70);
    let path = Address::Path(b"/var/run/nscd/socket".to_vec());
    on(story, 130, "connect", vec![Arg::Address(path)], 71);
}

fn packets(story: &mut Story) {
    let data = |text| tcp(CLIENT, PSH | ACK, 1, 1, text);
    story.packet(1000, CLIENT, tcp(CLIENT, SYN, 0, 0, ""), PASS);
    story.packet(1010, SERVER, tcp(SERVER, SYN | ACK, 0, 1, ""), PASS);
    let dropped = story.packet(1020, CLIENT, data("hello"), by(Fate::Dropped, "data drop"));
    let again = story.packet(1220, CLIENT, data("hello"), PASS.again(dropped));
    story.packet(1230, CLIENT, data("hello"), PASS.again(again));
    let delay = by(Fate::Delayed, "udp delay 200 ms");
    let delayed = story.packet(1300, CLIENT, udp(CLIENT, "one"), Way { late: 200, ..delay });
    story.later(1500, delayed, Fate::Passed, 200);
    let late = story.packet(1510, SERVER, udp(SERVER, "two"), Way { late: 20, ..PASS });
    story.later(1530, late, Fate::Passed, 20);
    for (time, fate) in [
        (2000, Fate::Dropped),
        (2500, Fate::Doubled),
        (3000, Fate::Delayed),
    ] {
        let held = story.packet(time, CLIENT, udp(CLIENT, "held"), HELD);
        story.later(time + 100, held, fate, 100);
    }
    story.packet(
        3500,
        SERVER,
        udp(SERVER, "twice"),
        by(Fate::Doubled, "udp double"),
    );
    let swapped = by(Fate::Swapped, "udp swap");
    let swapped = story.packet(3600, SERVER, udp(SERVER, "first"), swapped);
    story.packet(3700, SERVER, udp(SERVER, "second"), PASS);
    story.later(3700, swapped, Fate::Passed, 100);
    let bit = by(Fate::Corrupted { bit: 323 }, "corrupt");
    story.packet(3800, CLIENT, udp(CLIENT, "damaged"), bit);
    let about = About {
        source: (address(CLIENT), 40_000).into(),
        destination: (address(SERVER), 9).into(),
        protocol: 17,
    };
    let unreachable = Content::Icmp {
        kind: 3,
        code: 3,
        about: Some(about),
    };
    story.packet(3900, SERVER, unreachable, PASS);
    story.packet(4000, SERVER, tcp(SERVER, RST | ACK, 1, 6, ""), PASS);
}

fn states(story: &mut Story) {
    let mut change = |time, from, to, peer: u16, receive, send| {
        let change = Transition {
            local: (address(SERVER), 8081).into(),
            peer: (address(CLIENT), peer).into(),
            inode: None,
            from,
            to,
            queues: Queues { receive, send },
        };
        story.see(time, in_program(SERVER), Kind::State(change));
    };
    let (listen, there) = (TcpState::Listen, TcpState::Established);
    change(5000, None, listen, 0, 0, 128);
    change(5010, Some(listen), listen, 0, 1, 128);
    change(5020, None, there, 40_000, 0, 0);
    change(5030, Some(there), there, 40_000, 5, 7);
    change(5040, Some(there), there, 40_000, 0, 0);
    change(5050, Some(there), TcpState::CloseWait, 40_000, 0, 0);
    change(5060, Some(listen), TcpState::Closed, 0, 0, 0);
}

fn ends(story: &mut Story) {
    let mut end = |time, place, ending| {
        story.see(time, place, Kind::Ended(ending));
    };
    end(6000, SECOND_CLIENT, Ending::Status(1));
    end(6010, in_program(CLIENT), Ending::Status(0));
    end(6020, in_program(SERVER), Ending::Signal(15));
}

/// A call of the second client on a socket, which comes back at once.
fn on(story: &mut Story, time: u64, name: &'static str, more: Vec<Arg>, number: u64) {
    let args = std::iter::once(Arg::Descriptor(3)).chain(more).collect();
    let call = Start {
        socket: Some(inode(number)),
        ..start(name, args)
    };
    let id = story.asks(time, SECOND_CLIENT, call);
    back(story, time, SECOND_CLIENT, id, returned(0), Vec::new());
}

fn back(
    story: &mut Story,
    time: u64,
    place: Place,
    id: CallId,
    outcome: Outcome,
    outputs: Vec<Output>,
) {
    let end = End {
        id,
        outcome,
        outputs,
        sockets: Vec::new(),
    };
    story.see(time, place, Kind::Return(end));
}

fn print(story: &mut Story, time: u64, stream: Stream, text: &str) {
    let text = text.to_string();
    story.see(time, in_program(SERVER), Kind::Line { stream, text });
}

fn returned(value: i64) -> Outcome {
    Outcome::Returned(value)
}

fn symbol(number: i64, name: &'static str) -> Arg {
    Arg::Symbol(Symbol {
        number,
        name: Some(name.into()),
    })
}

fn inode(inode: u64) -> Socket {
    let protocol = None;
    Socket { inode, protocol }
}
