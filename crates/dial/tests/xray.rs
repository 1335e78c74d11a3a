//! The X-ray of real programs, as it is recorded.
//!
//! The programs are Python here, because it is there on most machines and makes
//! its calls plainly; lessons are looked at by their own tests.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use timeline::call::{Arg, CallId, Outcome};
use timeline::packet::{Content, Packet, Segment, TcpFlags};
use timeline::state::TcpState;
use timeline::{Actor, Event, Kind, Place, Timeline};

use super::said::{Said, dial, has, has_not, recorded, with_programs};

const TCP_SERVER: &str = include_str!("programs/answers_once.py");
const TCP_CLIENT: &str = include_str!("programs/asks_once.py");
const UDP_SERVER: &str = include_str!("programs/datagram_server.py");
const UDP_CLIENT: &str = include_str!("programs/datagram_client.py");
const MAILBOX: &str = include_str!("programs/mailbox.py");
const POSTMAN: &str = include_str!("programs/postman.py");
const REFUSED: &str = include_str!("programs/refused.py");

fn xray(programs: &[&str]) -> Timeline {
    recorded(&["xray"], programs)
}

/// What the kernel alone finds out: here that a loader is not there.
#[test]
#[ignore = "needs namespaces"]
fn a_program_that_cannot_be_executed_is_said_without_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program");
    let mut program = std::fs::read(env!("CARGO_BIN_EXE_dial")).unwrap();
    let loader = program
        .windows(3)
        .position(|bytes| bytes == b"/ld")
        .unwrap();
    program[loader + 1] = b'X';
    // A file that we have open for writing is busy, also in a child of another test.
    let data = folder.path().join("data");
    std::fs::write(&data, program).unwrap();
    let mut install = Command::new("install");
    let installed = install.args(["-m", "755"]).args([&data, &file]).status();
    assert!(installed.unwrap().success());
    let said = Said::by(dial(&["xray", "--"]).arg(&file)).ended_with(1);
    assert_eq!(said.out, "");
    said.complains(&[&format!("start {}: ", file.display())]);
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn what_the_c_library_asks_is_one_line_and_with_all_each_call() {
    const FOLDED: &str = "(asks about the network:";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("timeline.jsonl");
    let file = file.to_str().unwrap();
    let mut xray = with_programs(
        &["xray", "--out", file],
        &["import socket; socket.if_nameindex()"],
    );
    let live = Said::by(xray.env("HOME", folder.path()));
    for folded in [live, Said::by(&mut dial(&["show", file]))] {
        let folded = folded.ended_with(0).out;
        has(&folded, &[FOLDED]);
        has_not(&folded, &["AF_NETLINK"]);
    }
    let whole = Said::by(&mut dial(&["show", "--all", file]))
        .ended_with(0)
        .out;
    has(&whole, &["AF_NETLINK"]);
    has_not(&whole, &[FOLDED]);
}

/// A call of a program, and where it begins and ends in the timeline.
struct Seen {
    name: String,
    id: CallId,
    begin: usize,
    end: usize,
    result: String,
}

fn calls(timeline: &Timeline, actor: usize) -> Vec<Seen> {
    let mut calls: Vec<Seen> = Vec::new();
    let events = timeline.events().iter().enumerate();
    for (at, event) in events.filter(|(_, event)| event.place == Place::Actor(Actor(actor))) {
        match &event.kind {
            Kind::Call(start) => calls.push(Seen {
                name: start.name.to_string(),
                id: start.id,
                begin: at,
                end: usize::MAX,
                result: String::new(),
            }),
            Kind::Return(end) => {
                let call = calls.iter_mut().find(|call| call.id == end.id).unwrap();
                call.end = at;
                call.result = match &end.outcome {
                    Outcome::Returned(value) => value.to_string(),
                    Outcome::Failed(symbol) => symbol.name.clone().unwrap_or_default().to_string(),
                    other => format!("{other:?}"),
                };
            }
            _ => {}
        }
    }
    calls
}

/// The calls with these names, each with its result.
fn results(timeline: &Timeline, actor: usize, names: &[&str]) -> String {
    let calls = calls(timeline, actor).into_iter();
    let calls = calls.filter(|call| names.contains(&call.name.as_str()));
    let results = calls.map(|call| format!("{} {}", call.name, call.result));
    results.collect::<Vec<_>>().join(", ")
}

/// Each packet with its place in the timeline.
fn packets(timeline: &Timeline) -> impl Iterator<Item = (usize, &Event, &Packet)> {
    let events = timeline.events().iter().enumerate();
    events.filter_map(|(at, event)| match &event.kind {
        Kind::Packet(packet) => Some((at, event, packet)),
        _ => None,
    })
}

fn segments(timeline: &Timeline) -> Vec<(usize, &Event, &Segment)> {
    let segments = packets(timeline).filter_map(|(at, event, packet)| match &packet.content {
        Content::Tcp(segment) => Some((at, event, segment)),
        _ => None,
    });
    segments.collect()
}

const OF_INTEREST: [&str; 8] = [
    "socket", "bind", "listen", "accept4", "connect", "sendto", "recvfrom", "close",
];

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_tcp_talk_shows_calls_packets_states_and_lines_of_both_programs() {
    let timeline = xray(&[TCP_SERVER, TCP_CLIENT]);
    assert_eq!(
        results(&timeline, 0, &OF_INTEREST),
        "socket 3, bind 0, listen 0, accept4 4, recvfrom 5, sendto 5, close 0, close 0"
    );
    assert_eq!(
        results(&timeline, 1, &OF_INTEREST),
        "socket 3, connect 0, sendto 5, recvfrom 5, recvfrom 0, close 0"
    );
    assert_eq!(timeline.lines(Actor(0)).collect::<Vec<_>>(), ["accepted"]);
    assert_eq!(timeline.lines(Actor(1)).collect::<Vec<_>>(), ["HELLO"]);
    for (actor, state) in [
        (0, TcpState::Listen),
        (0, TcpState::Established),
        (1, TcpState::Established),
    ] {
        let is_reached = timeline.events().iter().any(|event| {
            event.place == Place::Actor(Actor(actor))
                && matches!(&event.kind, Kind::State(change) if change.to == state)
        });
        assert!(is_reached, "{state:?} of {actor}");
    }
}

const FROM_SERVER: Place = Place::Wire {
    from: Some(Actor(0)),
    to: Some(Actor(1)),
};
const FROM_CLIENT: Place = Place::Wire {
    from: Some(Actor(1)),
    to: Some(Actor(0)),
};

#[test]
#[ignore = "needs python3 and namespaces"]
fn each_segment_goes_from_the_program_that_sent_it_to_the_one_that_received_it() {
    let timeline = xray(&[TCP_SERVER, TCP_CLIENT]);
    for (_, event, segment) in segments(&timeline) {
        let expected = match segment.source_port {
            8081 => FROM_SERVER,
            _ => FROM_CLIENT,
        };
        assert_eq!(event.place, expected, "{segment:?}");
    }
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_udp_talk_shows_two_datagrams_in_their_lanes() {
    let timeline = xray(&[UDP_SERVER, UDP_CLIENT]);
    let datagrams = packets(&timeline).map(|(_, event, packet)| match &packet.content {
        Content::Udp(datagram) => (event.place, datagram.data.clone()),
        other => panic!("{other:?}"),
    });
    let expected = [FROM_CLIENT, FROM_SERVER].map(|place| (place, b"post".to_vec()));
    assert!(datagrams.eq(expected));
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_datagram_has_its_sender_also_when_that_socket_is_closed_at_once() {
    let timeline = xray(&[MAILBOX, POSTMAN]);
    let places = packets(&timeline).map(|(_, event, _)| event.place);
    assert!(places.eq([FROM_CLIENT; 200]));
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_refused_call_shows_the_reset_and_the_error() {
    let timeline = xray(&[REFUSED]);
    assert_eq!(results(&timeline, 0, &["connect"]), "connect ECONNREFUSED");
    let flags: Vec<String> = segments(&timeline)
        .iter()
        .map(|(_, _, segment)| segment.flags.names().join(" "))
        .collect();
    assert_eq!(flags, ["SYN", "RST ACK"]);
}

/// What each timeline must keep, whatever the threads of the X-ray did.
fn check_causality(timeline: &Timeline) -> Result<()> {
    let segments = segments(timeline);
    let find = |actor: usize, name: &str| {
        let mut calls = calls(timeline, actor).into_iter();
        let call = calls.find(|call| call.name == name);
        call.with_context(|| format!("no {name}"))
    };
    let first = |what: &'static str, wanted: &dyn Fn(&Segment) -> bool| {
        let mut segments = segments.iter();
        let found = segments.find(|(.., segment)| wanted(segment));
        found.map(|(at, ..)| *at).context(what)
    };
    let syn = first("no SYN", &|segment| segment.flags.names() == ["SYN"])?;
    let has_data = |segment: &Segment, port| segment.length > 0 && port == 8081;
    let answer = first("no answer", &|segment| {
        has_data(segment, segment.source_port)
    })?;
    let question = first("no question", &|segment| {
        has_data(segment, segment.destination_port)
    })?;
    for (cause, effect, what) in [
        (find(1, "connect")?.begin, syn, "SYN"),
        (syn, find(0, "accept4")?.end, "return of accept"),
        (find(1, "sendto")?.begin, question, "question"),
        (
            question,
            find(0, "recvfrom")?.end,
            "return of the server's recv",
        ),
        (find(0, "sendto")?.begin, answer, "answer"),
        (
            answer,
            find(1, "recvfrom")?.end,
            "return of the client's recv",
        ),
    ] {
        ensure!(cause < effect, "the {what} stands before its cause");
    }
    let listen = find(0, "listen")?.begin;
    let fin = first("no FIN", &|segment| segment.flags.has(TcpFlags::FIN))?;
    for (at, event) in timeline.events().iter().enumerate() {
        let Kind::State(change) = &event.kind else {
            continue;
        };
        let cause = match change.to {
            TcpState::Listen | TcpState::Closed => listen,
            TcpState::SynSent | TcpState::SynReceived | TcpState::Established => syn,
            _ => fin,
        };
        ensure!(cause < at, "{} stands before its cause", change.to.name());
    }
    let times = timeline.events().iter().map(|event| event.time);
    ensure!(times.is_sorted(), "the times do not rise");
    Ok(())
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn no_effect_stands_before_its_cause() {
    let runs = std::env::var("DIALTONE_RUNS").unwrap_or("20".into());
    for run in 0..runs.parse().expect("a number of runs") {
        let timeline = xray(&[TCP_SERVER, TCP_CLIENT]);
        if let Err(violation) = check_causality(&timeline) {
            panic!("run {run}: {violation}\n{:#?}", timeline.events());
        }
    }
}

/// So that the property above is not true of everything.
#[test]
#[ignore = "needs python3 and namespaces"]
fn a_timeline_out_of_order_is_found_out() {
    let timeline = xray(&[TCP_SERVER, TCP_CLIENT]);
    let syn = segments(&timeline)[0].0;
    let mut events = timeline.events().to_vec();
    let connect = events.iter().position(|event| {
        matches!(&event.kind, Kind::Call(start) if start.name == "connect"
            && start.args.iter().any(|arg| matches!(arg, Arg::Address(_))))
    });
    events.swap(connect.unwrap(), syn);
    let mut wrong = Timeline::default();
    events.into_iter().for_each(|event| wrong.push(event));
    assert!(check_causality(&wrong).is_err());
}
