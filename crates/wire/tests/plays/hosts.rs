//! What the hosts are, and what programs on them see.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use timeline::state::TcpState;
use wire::{Host, MTU, Side};

use super::lab::{Lab, again, talk};
use crate::harness::{Play, plays};

pub const PLAYS: &[Play] = plays![
    a_talk_crosses_the_cable_and_nothing_else_does,
    ipv6_crosses_the_cable_too,
    a_program_that_says_127_0_0_1_runs_unchanged,
    the_names_server_and_client_are_known_on_both_hosts,
    segments_are_no_longer_than_the_cable_takes,
    two_wires_at_once_do_not_disturb_each_other,
    a_value_is_set_on_one_host_alone,
    when_all_is_killed_nothing_is_left,
];

pub fn a_talk_crosses_the_cable_and_nothing_else_does() {
    let lab = Lab::new("");
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, b"hello");
    talk(&mut server, &mut client, b"HELLO");
    drop(client);
    assert_eq!(again(|| server.read(&mut [0])).unwrap(), 0);
    // The acknowledgement may be late by 40 ms, and FIN-WAIT-2 begins when the
    // kernel has taken it in: that it was delivered is not enough.
    lab.wait("FIN-WAIT-2", |lab| {
        let mut states = lab.client().states().unwrap();
        let mut sockets = states.look().unwrap().into_iter();
        sockets.find(|socket| socket.to == TcpState::FinWait2)
    });
    drop(server);
    lab.wait("end", |lab| {
        let states = lab.states(Side::Client);
        (states.last() == Some(&"TIME-WAIT")).then_some(())
    });
    let story = [
        "1 client SYN",
        "2 server SYN ACK",
        "3 client ACK",
        "4 client PSH ACK 5",
    ];
    assert_eq!(
        lab.story()[..4],
        story.map(|frame| format!("{frame} Passed"))
    );
    assert!(lab.frames().windows(2).all(|two| two[0].at <= two[1].at));
    // The kernel's states, seen at each frame before it is delivered.
    let client = "SYN-SENT ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT";
    assert_eq!(lab.states(Side::Client).join(" "), client);
    let server = "SYN-RECEIVED ESTABLISHED CLOSE-WAIT LAST-ACK";
    assert_eq!(lab.states(Side::Server).join(" "), server);
    for side in Side::BOTH {
        let counts = lab.control.counts(side);
        assert_eq!((counts.lost, counts.waiting, counts.dropped), (0, 0, 0));
        assert_eq!(counts.came, counts.delivered);
        assert_eq!(counts.chatter, 0, "frames that no program has asked for");
    }
}

fn ipv6_crosses_the_cable_too() {
    let lab = Lab::new("");
    let listener = lab.server().inside(|| TcpListener::bind("[fd00::1]:8081"));
    let listener = listener.unwrap();
    let client = lab.client().inside(|| TcpStream::connect("[fd00::1]:8081"));
    let (mut server, _) = listener.accept().unwrap();
    talk(&mut client.unwrap(), &mut server, b"hello");
    let frames = lab.frames();
    assert!(frames.iter().all(|frame| frame.packet.source.is_ipv6()));
    let chatter = Side::BOTH.map(|side| lab.control.counts(side).chatter);
    assert_eq!(chatter, [0, 0]);
}

fn a_program_that_says_127_0_0_1_runs_unchanged() {
    let lab = Lab::new("");
    let listener = lab.server().inside(|| TcpListener::bind("127.0.0.1:8081"));
    let client = lab.client().inside(|| TcpStream::connect("127.0.0.1:8081"));
    let (mut server, _) = listener.unwrap().accept().unwrap();
    talk(&mut client.unwrap(), &mut server, b"hello");
    let post = lab.server().inside(|| UdpSocket::bind("127.0.0.1:7788"));
    let asks = lab.client().inside(|| UdpSocket::bind("0.0.0.0:0"));
    let (post, asks) = (post.unwrap(), asks.unwrap());
    asks.send_to(b"post", "127.0.0.1:7788").unwrap();
    let (_, from) = again(|| post.recv_from(&mut [0; 10])).unwrap();
    post.send_to(b"back", from).unwrap();
    assert_eq!(again(|| asks.recv(&mut [0; 10])).unwrap(), 4);
    assert_eq!(lab.story()[0], "1 client SYN Passed");
}

fn the_names_server_and_client_are_known_on_both_hosts() {
    let lab = Lab::new("");
    for side in Side::BOTH {
        let host = lab.wire.host(side);
        assert!(host.knows_names());
        for (name, addr) in [("server", "10.0.0.1"), ("client", "10.0.0.2")] {
            let mut getent = Command::new("getent");
            getent.args(["ahostsv4", name]);
            host.place(&mut getent);
            let said = String::from_utf8(getent.output().unwrap().stdout).unwrap();
            assert!(said.starts_with(&format!("{addr} ")), "{name}: {said}");
        }
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap();
    assert!(!hosts.contains("10.0.0.1 server"), "it is seen outside");
}

fn segments_are_no_longer_than_the_cable_takes() {
    let lab = Lab::new("");
    let (mut server, mut client) = lab.pair();
    talk(&mut client, &mut server, &[b'x'; 100_000]);
    let frames = lab.frames();
    let longest = frames.iter().map(|frame| frame.packet.length).max();
    assert_eq!(longest, Some(MTU));
}

fn two_wires_at_once_do_not_disturb_each_other() {
    let one = Lab::new("syn drop once");
    let other = Lab::further("", |_| {});
    let (mut server, mut client) = other.pair();
    talk(&mut client, &mut server, b"hello");
    assert!(one.frames().is_empty());
    one.pair();
    assert_eq!(one.story()[0], "1 client SYN Dropped");
}

fn a_value_is_set_on_one_host_alone() {
    let lab = Lab::new("");
    let value = |host: &Host, name: &str| {
        let path = format!("/proc/sys/net/ipv4/{name}");
        host.inside(|| fs::read_to_string(path)).unwrap()
    };
    let before = value(lab.client(), "tcp_syn_retries");
    lab.server().set("net.ipv4.tcp_syn_retries", "2").unwrap();
    assert_eq!(value(lab.server(), "tcp_syn_retries"), "2\n");
    assert_eq!(value(lab.client(), "tcp_syn_retries"), before);
    let error = lab.server().set("net.ipv4.no_such_thing", "1").unwrap_err();
    assert!(error.to_string().contains("net.ipv4.no_such_thing"));
    assert_eq!(value(lab.server(), "tcp_congestion_control"), "reno\n");
}

/// The child of this play: a wire with programs on it, which waits to be killed.
const IS_KILLED: &str = "DIALTONE_TEST_IS_KILLED";

fn when_all_is_killed_nothing_is_left() {
    if std::env::var_os(IS_KILLED).is_some() {
        let lab = Lab::new("");
        let mut outputs = sources::output::Outputs::new().unwrap();
        for side in Side::BOTH {
            let mut command = Command::new("sleep");
            command.arg("1000");
            lab.wire.host(side).place(&mut command);
            let actor = outputs.start(command).unwrap();
            println!("{}", outputs.pid(actor));
        }
        std::io::stdout().flush().unwrap();
        outputs.next(Instant::now() + Duration::from_secs(60));
        return;
    }
    let before = fs::read_to_string("/proc/mounts").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(IS_KILLED, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let pids: Vec<String> = said.take(2).map(Result::unwrap).collect();
    assert_eq!(pids.len(), 2);
    child.kill().unwrap();
    child.wait().unwrap();
    for pid in pids {
        let limit = Duration::from_secs(10);
        let ended = kernel::process::has_ended(pid.parse().unwrap(), limit);
        assert!(ended.unwrap(), "{pid} goes on");
    }
    assert_eq!(fs::read_to_string("/proc/mounts").unwrap(), before);
}
