//! The X-ray of real programs, as it is recorded.
//!
//! The programs are Python here, because it is there on most machines and makes
//! its calls plainly; lessons are looked at by their own tests.

use std::process::{Command, Stdio};

use rstest::rstest;
use timeline::call::{Arg, CallId, Outcome};
use timeline::packet::{Content, Segment, TcpFlags};
use timeline::state::TcpState;
use timeline::{Actor, Event, Kind, Place, Timeline};

const TCP_SERVER: &str = r#"
import socket
s = socket.socket()
s.bind(("127.0.0.1", 8081))
s.listen(5)
c, _ = s.accept()
print("accepted")
d = c.recv(1024)
c.sendall(d.upper())
c.close()
"#;

const TCP_CLIENT: &str = r#"
import socket
s = socket.socket()
s.connect(("127.0.0.1", 8081))
s.sendall(b"hello")
print(s.recv(1024).decode())
s.recv(1024)
s.close()
"#;

const UDP_SERVER: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7788))
d, a = s.recvfrom(1024)
s.sendto(d, a)
"#;

const UDP_CLIENT: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"post", ("127.0.0.1", 7788))
print(s.recvfrom(1024)[0].decode())
"#;

const MAILBOX: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 7788))
for _ in range(200):
    s.recv(16)
"#;

const POSTMAN: &str = r#"
import socket
for _ in range(200):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"post", ("127.0.0.1", 7788))
"#;

const REFUSED: &str = r#"
import socket
print(socket.socket().connect_ex(("127.0.0.1", 9)))
"#;

/// Runs the X-ray and reads what it has recorded.
fn xray(programs: &[&str]) -> Timeline {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("timeline.jsonl");
    let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
    // Without a home, Python asks the name service where it is when it starts, and
    // these calls stand in the X-ray too.
    dial.env("HOME", folder.path());
    dial.args(["xray", "--out"])
        .arg(&file)
        .arg("--")
        .stdin(Stdio::null());
    for (index, program) in programs.iter().enumerate() {
        if index > 0 {
            dial.arg("::");
        }
        dial.args(["python3", "-c", program]);
    }
    let output = dial.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    views::json::read(std::fs::read_to_string(file).unwrap()).unwrap()
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
    let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
    let output = dial.args(["xray", "--"]).arg(&file).output().unwrap();
    assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with(&format!("start {}: ", file.display())),
        "{said}"
    );
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn what_the_c_library_asks_is_one_line_and_with_all_each_call() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("timeline.jsonl");
    let dial = |words: &[&str]| {
        let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
        dial.env("HOME", folder.path()).args(words);
        let output = dial.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let file = file.to_str().unwrap();
    let program = ["python3", "-c", "import socket; socket.if_nameindex()"];
    let live = dial(&[&["xray", "--out", file, "--"][..], &program].concat());
    for folded in [live, dial(&["show", file])] {
        assert!(folded.contains("(asks about the network:"), "{folded}");
        assert!(!folded.contains("AF_NETLINK"), "{folded}");
    }
    let whole = dial(&["show", "--all", file]);
    assert!(whole.contains("AF_NETLINK"), "{whole}");
    assert!(!whole.contains("(asks about the network:"), "{whole}");
}

/// Calls of one program by name, each with its place in the timeline and result.
fn calls(timeline: &Timeline, actor: usize) -> Vec<(String, usize, Option<usize>, String)> {
    let events = timeline.events();
    let end_of = |id: CallId| {
        events
            .iter()
            .position(|event| matches!(&event.kind, Kind::Return(end) if end.id == id))
    };
    let mut calls = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Kind::Call(start) = &event.kind else {
            continue;
        };
        if event.place != Place::Actor(Actor(actor)) {
            continue;
        }
        let end = end_of(start.id);
        let result = end.map(|end| match &events[end].kind {
            Kind::Return(end) => match &end.outcome {
                Outcome::Returned(value) => value.to_string(),
                Outcome::Failed(symbol) => symbol.name.clone().unwrap_or_default().to_string(),
                other => format!("{other:?}"),
            },
            _ => unreachable!(),
        });
        calls.push((start.name.to_string(), at, end, result.unwrap_or_default()));
    }
    calls
}

fn names(timeline: &Timeline, actor: usize, of_interest: &[&str]) -> Vec<String> {
    let calls = calls(timeline, actor).into_iter();
    let calls = calls.filter(|(name, ..)| of_interest.contains(&name.as_str()));
    calls
        .map(|(name, _, _, result)| format!("{name} {result}"))
        .collect()
}

fn segments(timeline: &Timeline) -> Vec<(usize, &Event, &Segment)> {
    let events = timeline.events().iter().enumerate();
    let segments = events.filter_map(|(at, event)| match &event.kind {
        Kind::Packet(packet) => match &packet.content {
            Content::Tcp(segment) => Some((at, event, segment)),
            _ => None,
        },
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
        names(&timeline, 0, &OF_INTEREST),
        [
            "socket 3",
            "bind 0",
            "listen 0",
            "accept4 4",
            "recvfrom 5",
            "sendto 5",
            "close 0",
            "close 0"
        ]
    );
    assert_eq!(
        names(&timeline, 1, &OF_INTEREST),
        [
            "socket 3",
            "connect 0",
            "sendto 5",
            "recvfrom 5",
            "recvfrom 0",
            "close 0"
        ]
    );
    assert_eq!(timeline.lines(Actor(0)).collect::<Vec<_>>(), ["accepted"]);
    assert_eq!(timeline.lines(Actor(1)).collect::<Vec<_>>(), ["HELLO"]);
    let states: Vec<(Place, TcpState)> = timeline
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::State(change) => Some((event.place, change.to)),
            _ => None,
        })
        .collect();
    let server = Place::Actor(Actor(0));
    assert!(states.contains(&(server, TcpState::Listen)), "{states:?}");
    assert!(
        states.contains(&(server, TcpState::Established)),
        "{states:?}"
    );
    assert!(
        states.contains(&(Place::Actor(Actor(1)), TcpState::Established)),
        "{states:?}"
    );
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn each_segment_goes_from_the_program_that_sent_it_to_the_one_that_received_it() {
    let timeline = xray(&[TCP_SERVER, TCP_CLIENT]);
    let (server, client) = (Some(Actor(0)), Some(Actor(1)));
    for (_, event, segment) in segments(&timeline) {
        let expected = if segment.source_port == 8081 {
            (server, client)
        } else {
            (client, server)
        };
        assert_eq!(
            event.place,
            Place::Wire {
                from: expected.0,
                to: expected.1
            },
            "{segment:?}"
        );
    }
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_udp_talk_shows_two_datagrams_in_their_lanes() {
    let timeline = xray(&[UDP_SERVER, UDP_CLIENT]);
    let datagrams: Vec<(Place, &[u8])> = timeline
        .events()
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Packet(packet) => match &packet.content {
                Content::Udp(datagram) => Some((event.place, datagram.data.as_slice())),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let (server, client) = (Some(Actor(0)), Some(Actor(1)));
    assert_eq!(
        datagrams,
        [
            (
                Place::Wire {
                    from: client,
                    to: server
                },
                &b"post"[..]
            ),
            (
                Place::Wire {
                    from: server,
                    to: client
                },
                &b"post"[..]
            ),
        ]
    );
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_datagram_has_its_sender_also_when_that_socket_is_closed_at_once() {
    let timeline = xray(&[MAILBOX, POSTMAN]);
    let mut count = 0;
    for event in timeline.events() {
        if let (Place::Wire { from, to }, Kind::Packet(_)) = (event.place, &event.kind) {
            assert_eq!((from, to), (Some(Actor(1)), Some(Actor(0))), "{event:?}");
            count += 1;
        }
    }
    assert_eq!(count, 200);
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_refused_call_shows_the_reset_and_the_error() {
    let timeline = xray(&[REFUSED]);
    assert_eq!(names(&timeline, 0, &["connect"]), ["connect ECONNREFUSED"]);
    let flags: Vec<String> = segments(&timeline)
        .iter()
        .map(|(_, _, segment)| segment.flags.names().join(" "))
        .collect();
    assert_eq!(flags, ["SYN", "RST ACK"]);
}

/// What each timeline must keep, whatever the threads of the X-ray did.
fn check_causality(timeline: &Timeline) -> Result<(), String> {
    let segments = segments(timeline);
    let find = |actor: usize, name: &str| {
        calls(timeline, actor)
            .into_iter()
            .find(|(call, ..)| call == name)
            .map(|(_, start, end, _)| (start, end.unwrap_or(usize::MAX)))
            .ok_or(format!("no {name}"))
    };
    let expect = |so: bool, what: &str| if so { Ok(()) } else { Err(what.to_string()) };
    let first = |wanted: &dyn Fn(&Segment) -> bool| {
        segments
            .iter()
            .find(|(_, _, segment)| wanted(segment))
            .map(|(at, ..)| *at)
    };
    let syn = first(&|segment| segment.flags.names() == ["SYN"]).ok_or("no SYN")?;
    expect(
        find(1, "connect")?.0 < syn,
        "the SYN stands before its connect",
    )?;
    expect(syn < find(0, "accept4")?.1, "accept returns before the SYN")?;
    let data = |port: u16| {
        first(&move |segment: &Segment| segment.length > 0 && segment.source_port == port)
    };
    let answer = data(8081).ok_or("no answer")?;
    let question = first(&|segment| segment.length > 0 && segment.destination_port == 8081);
    let question = question.ok_or("no question")?;
    expect(
        find(1, "sendto")?.0 < question,
        "the question stands before its send",
    )?;
    expect(
        question < find(0, "recvfrom")?.1,
        "the server received before the question",
    )?;
    expect(
        find(0, "sendto")?.0 < answer,
        "the answer stands before its send",
    )?;
    expect(
        answer < find(1, "recvfrom")?.1,
        "the client received before the answer",
    )?;
    let listen = find(0, "listen")?.0;
    let fin = first(&|segment| segment.flags.has(TcpFlags::FIN)).ok_or("no FIN")?;
    for (at, event) in timeline.events().iter().enumerate() {
        let Kind::State(change) = &event.kind else {
            continue;
        };
        let cause = match change.to {
            TcpState::Listen => listen,
            TcpState::SynSent | TcpState::SynReceived | TcpState::Established => syn,
            TcpState::Closed => listen,
            _ => fin,
        };
        expect(
            cause < at,
            &format!("{} stands before its cause", change.to.name()),
        )?;
    }
    let times: Vec<_> = timeline.events().iter().map(|event| event.time).collect();
    expect(times.is_sorted(), "the times do not rise")
}

#[rstest]
#[case::some(20)]
#[ignore = "needs python3 and namespaces"]
fn no_effect_stands_before_its_cause(#[case] runs: usize) {
    let runs = std::env::var("DIALTONE_RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(runs);
    for run in 0..runs {
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
