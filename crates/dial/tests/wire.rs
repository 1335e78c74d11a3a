//! Real programs on two hosts, as they are recorded.

use std::process::{Command, Output, Stdio};

use timeline::cable::{Fate, Later, Passage};
use timeline::packet::{Content, Packet};
use timeline::state::TcpState;
use timeline::{Actor, Event, Kind, Place, Timeline};

const TCP_SERVER: &str = r#"
import socket
s = socket.socket()
s.bind(("127.0.0.1", 8081))
s.listen(5)
c, peer = s.accept()
print("from", peer[0])
while d := c.recv(1024):
    c.sendall(d.upper())
c.close()
"#;

const TCP_CLIENT: &str = r#"
import socket
s = socket.create_connection(("127.0.0.1", 8081))
for word in (b"one", b"two"):
    s.sendall(word)
    print(s.recv(1024).decode())
s.close()
"#;

const UDP_SERVER: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 7788))
s.settimeout(20)
try:
    while True:
        print(s.recvfrom(1024)[0].decode())
        s.settimeout(1)
except TimeoutError:
    pass
"#;

const UDP_CLIENT: &str = r#"
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for word in (b"one", b"two", b"three"):
    s.sendto(word, ("server", 7788))
"#;

fn dial(args: &[&str], programs: &[&str]) -> Output {
    let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
    dial.arg("wire").args(args).arg("--").stdin(Stdio::null());
    for (index, program) in programs.iter().enumerate() {
        if index > 0 {
            dial.arg("::");
        }
        dial.args(["python3", "-c", program]);
    }
    dial.output().unwrap()
}

/// Runs the wire and reads what it has recorded.
fn wire(args: &[&str], programs: &[&str]) -> Timeline {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("timeline.jsonl");
    let args = [&["--out", file.to_str().unwrap()], args].concat();
    let output = dial(&args, programs);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    views::json::read(std::fs::read_to_string(file).unwrap()).unwrap()
}

fn lines(timeline: &Timeline, actor: usize) -> Vec<&str> {
    timeline.lines(Actor(actor)).collect()
}

/// Each packet with its place in the timeline.
fn packets(timeline: &Timeline) -> Vec<(usize, &Packet, &Passage)> {
    let events = timeline.events().iter().enumerate();
    let packets = events.filter_map(|(at, event)| match &event.kind {
        Kind::Packet(packet) => Some((at, packet, packet.passage.as_ref().unwrap())),
        _ => None,
    });
    packets.collect()
}

fn laters(timeline: &Timeline) -> Vec<&Later> {
    let events = timeline.events().iter();
    let laters = events.filter_map(|event| match &event.kind {
        Kind::Fate(later) => Some(later),
        _ => None,
    });
    laters.collect()
}

fn notes(timeline: &Timeline) -> String {
    let events = timeline.events().iter();
    let notes = events.filter_map(|event| match &event.kind {
        Kind::Note(text) => Some(text.as_str()),
        _ => None,
    });
    notes.collect::<Vec<_>>().join("\n")
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_dropped_syn_and_a_dropped_segment_stand_with_what_answers_them() {
    let rules = [
        "--rule",
        "syn drop once",
        "--rule",
        "client→server data 2 drop",
    ];
    let timeline = wire(&rules, &[TCP_SERVER, TCP_CLIENT]);
    assert_eq!(lines(&timeline, 0), ["from 10.0.0.2"]);
    assert_eq!(lines(&timeline, 1), ["ONE", "TWO"]);
    let packets = packets(&timeline);
    let dropped = packets
        .iter()
        .filter(|(.., passage)| passage.fate == Fate::Dropped);
    let dropped: Vec<_> = dropped.collect();
    let by: Vec<_> = dropped
        .iter()
        .map(|(.., passage)| passage.by.as_deref())
        .collect();
    assert_eq!(
        by,
        [Some("syn drop once"), Some("client→server data 2 drop")]
    );
    for (at, _, passage) in &dropped {
        let answer = packets
            .iter()
            .find(|(.., other)| other.again == Some(passage.frame));
        let (answered, ..) = answer.expect("a retransmission");
        assert!(answered > at);
    }
    // While its SYN is lost, the kernel shows what the socket waits for.
    let at_state = |state: TcpState| {
        timeline.events().iter().position(|event| {
            event.place == Place::Actor(Actor(1))
                && matches!(&event.kind, Kind::State(change) if change.to == state)
        })
    };
    let waits = at_state(TcpState::SynSent).expect("SYN-SENT");
    assert!(dropped[0].0 < waits && waits < packets[1].0);
    // Calls, lanes and causes are those of the X-ray.
    assert!(packets.iter().all(|(at, ..)| matches!(
        timeline.events()[*at].place,
        Place::Wire {
            from: Some(_),
            to: Some(_)
        }
    )));
    assert!(notes(&timeline).contains("client→server data 2 drop"));
    assert!(notes(&timeline).contains("2 were dropped"));
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn nobody_repairs_what_happens_to_datagrams_and_names_are_known() {
    let rules = ["--rule", "udp 1 swap; udp 3 double"];
    let timeline = wire(&rules, &[UDP_SERVER, UDP_CLIENT]);
    assert_eq!(lines(&timeline, 0), ["two", "one", "three", "three"]);
    let places = timeline
        .events()
        .iter()
        .filter_map(|event: &Event| match event.kind {
            Kind::Packet(_) | Kind::Fate(_) => Some(event.place),
            _ => None,
        });
    let there = Place::Wire {
        from: Some(Actor(1)),
        to: Some(Actor(0)),
    };
    assert!(
        places.eq([there; 4]),
        "three packets, and the swapped one goes on"
    );
    assert_eq!(laters(&timeline).len(), 1);
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_slow_cable_shows_when_each_packet_arrives() {
    let timeline = wire(&["--rule", "latency 100 ms"], &[TCP_SERVER, TCP_CLIENT]);
    assert_eq!(lines(&timeline, 1), ["ONE", "TWO"]);
    let laters = laters(&timeline);
    assert!(laters.len() >= 8, "{laters:?}");
    let late = laters.iter().all(|later| later.after.as_millis() >= 100);
    assert!(late, "{laters:?}");
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn the_same_seed_is_the_same_fate_and_stands_in_the_recording() {
    let fates = |seed: &str| {
        let args = ["--seed", seed, "--rule", "udp 50 % drop"];
        let timeline = wire(&args, &[UDP_SERVER, UDP_CLIENT]);
        assert!(notes(&timeline).contains(&format!("--seed {seed}")));
        let packets = packets(&timeline);
        let udp = packets
            .iter()
            .filter(|(_, packet, _)| matches!(packet.content, Content::Udp(_)));
        udp.map(|(.., passage)| passage.fate).collect::<Vec<_>>()
    };
    assert_eq!(fates("7"), fates("7"));
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn each_form_of_output_tells_the_fate_of_a_packet() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let files = ["t.txt", "t.svg", "t.pcapng"].map(file);
    let outs: Vec<&str> = files
        .iter()
        .flat_map(|file| ["--out", file.as_str()])
        .collect();
    let args = [&outs[..], &["--rule", "syn drop once"]].concat();
    let output = dial(&args, &[TCP_SERVER, TCP_CLIENT]);
    assert!(output.status.success());
    let [text, svg, pcapng] = files.map(|file| std::fs::read(file).unwrap());
    let has = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(has(&text, "╳") && has(&text, "answers the"));
    assert!(has(&svg, "class=\"cross\"") && has(&svg, "syn drop once"));
    assert!(has(&pcapng, "frame 1: dropped: syn drop once"));
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_value_of_the_kernel_is_set_on_one_host() {
    let client = "import socket\ntry:\n socket.create_connection(('10.0.0.1', 9))\n\
                  except OSError as e: print(type(e).__name__)";
    let args = [
        "--rule",
        "syn drop",
        "--set",
        "client:net.ipv4.tcp_syn_retries=1",
        "--set",
        "client:net.ipv4.tcp_syn_linear_timeouts=0",
    ];
    let timeline = wire(&args, &[UDP_SERVER, client]);
    assert_eq!(lines(&timeline, 1), ["TimeoutError"]);
    assert_eq!(packets(&timeline).len(), 2);
}

#[test]
fn a_rule_that_is_none_is_shown_with_its_place_and_status_2() {
    let output = dial(&["--rule", "sny drop"], &["pass"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("rule 1: sny drop\n        ^^^"), "{said}");
    assert!(said.contains("did you mean \"syn\"?"), "{said}");
}

#[test]
fn a_file_of_rules_that_is_not_there_is_named() {
    let output = dial(&["--rules", "/nonexistent/rules"], &["pass"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("read /nonexistent/rules"), "{said}");
}
