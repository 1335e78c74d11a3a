//! Real programs on two hosts, as they are recorded.

use rstest::rstest;
use timeline::cable::{Fate, Later, Passage};
use timeline::packet::{Content, Packet};
use timeline::state::TcpState;
use timeline::{Actor, Kind, Place, Timeline};

use super::said::{Said, dial, has, recorded, with_programs};

const TCP_SERVER: &str = include_str!("programs/answers_all.py");
const TCP_CLIENT: &str = include_str!("programs/asks_twice.py");
const UDP_SERVER: &str = include_str!("programs/prints_datagrams.py");
const UDP_CLIENT: &str = include_str!("programs/sends_three_datagrams.py");

fn wire(args: &[&str], programs: &[&str]) -> Timeline {
    recorded(&[&["wire"], args].concat(), programs)
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
    let rules = ["--rule", "syn drop once; client→server data 2 drop"];
    let timeline = wire(&rules, &[TCP_SERVER, TCP_CLIENT]);
    assert_eq!(lines(&timeline, 0), ["from 10.0.0.2"]);
    assert_eq!(lines(&timeline, 1), ["ONE", "TWO"]);
    let packets = packets(&timeline);
    let mut dropped = packets.clone();
    dropped.retain(|(.., passage)| passage.fate == Fate::Dropped);
    let by = dropped.iter().map(|(.., passage)| passage.by.as_deref());
    assert!(by.eq([Some("syn drop once"), Some("client→server data 2 drop")]));
    for (at, _, passage) in &dropped {
        let mut others = packets.iter();
        let answer = others.find(|(.., other)| other.again == Some(passage.frame));
        assert!(answer.expect("a retransmission").0 > *at);
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
    for (at, ..) in packets {
        let place = timeline.events()[at].place;
        let has_lanes = matches!(place, Place::Wire { from, to } if from.and(to).is_some());
        assert!(has_lanes, "{place:?}");
    }
    let told = ["client→server data 2 drop", "2 were dropped"];
    has(&notes(&timeline), &told);
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn nobody_repairs_what_happens_to_datagrams_and_names_are_known() {
    let rules = ["--rule", "udp 1 swap; udp 3 double"];
    let timeline = wire(&rules, &[UDP_SERVER, UDP_CLIENT]);
    assert_eq!(lines(&timeline, 0), ["two", "one", "three", "three"]);
    let events = timeline.events().iter();
    let on_wire = events.filter(|event| matches!(event.kind, Kind::Packet(_) | Kind::Fate(_)));
    let places = on_wire.map(|event| event.place);
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
        let udp = |packet: &Packet| matches!(packet.content, Content::Udp(_));
        let udp = packets.iter().filter(|(_, packet, _)| udp(packet));
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
    let outs = files.iter().flat_map(|file| ["--out", file.as_str()]);
    let words = ["wire", "--rule", "syn drop once"].into_iter().chain(outs);
    let words: Vec<&str> = words.collect();
    Said::by(&mut with_programs(&words, &[TCP_SERVER, TCP_CLIENT])).ended_with(0);
    let files = files.map(|file| std::fs::read(file).unwrap());
    let [text, svg, pcapng] = files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    has(&text, &["╳", "answers the"]);
    has(&svg, &["class=\"cross\"", "syn drop once"]);
    has(&pcapng, &["frame 1: dropped: syn drop once"]);
}

#[test]
#[ignore = "needs python3 and namespaces"]
fn a_value_of_the_kernel_is_set_on_one_host() {
    let client = "import socket\ntry:\n socket.create_connection(('10.0.0.1', 9))\n\
                  except OSError as e: print(type(e).__name__)";
    let once = "client:net.ipv4.tcp_syn_retries=1";
    let doubling = "client:net.ipv4.tcp_syn_linear_timeouts=0";
    let args = ["--rule", "syn drop", "--set", once, "--set", doubling];
    let timeline = wire(&args, &[UDP_SERVER, client]);
    assert_eq!(lines(&timeline, 1), ["TimeoutError"]);
    assert_eq!(packets(&timeline).len(), 2);
}

#[rstest]
#[case::its_place_is_shown(
    ["--rule", "sny drop"],
    &["rule 1: sny drop\n        ^^^", "did you mean \"syn\"?"]
)]
#[case::a_file_that_is_not_there(["--rules", "/nonexistent/rules"], &["read /nonexistent/rules"])]
fn a_rule_that_is_none_is_status_2(#[case] rule: [&str; 2], #[case] said: &[&str]) {
    let words = ["wire", rule[0], rule[1], "--", "true"];
    Said::by(&mut dial(&words)).ended_with(2).complains(said);
}
