//! Programs that are seen, on the machine's own loopback: their calls need no
//! network of their own.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use timeline::{Event, Kind, Place};
use xray::{Cast, Program, Seen, Watching, catch_up, until};

use crate::Events;

/// On a busy machine, a python3 that is seen takes its time to start.
const PATIENCE: Duration = Duration::from_secs(60);

fn seen() -> Seen {
    let watching = Watching {
        keep: 64,
        alone: false,
        ..Watching::default()
    };
    Seen::new(&watching).unwrap()
}

fn python(script: &str) -> Program {
    Program::new("python3").args(["-c", script])
}

fn name(event: &Event) -> &str {
    match &event.kind {
        Kind::Call(call) => &call.name,
        Kind::Line { text, .. } => text,
        _ => "something else",
    }
}

#[test]
#[ignore = "needs ptrace and python3"]
fn what_a_program_prints_stands_before_the_call_behind_it_also_right_after_its_start() {
    let (mut cast, mut events) = (seen(), Events::default());
    let script = "print('one')\nimport _socket\n_socket.socket()\nprint('two')";
    for _ in 0..20 {
        let (actor, _) = cast.start("a", &python(script)).unwrap();
        let end = Instant::now() + PATIENCE;
        let ended = until(&mut cast, &mut events, end, |events, _| {
            events.has_ended(actor).then_some(())
        });
        assert!(ended.unwrap().is_some());
        let own = events.0.iter();
        let own = own.filter(|event| event.place == Place::Actor(actor));
        let names: Vec<&str> = own
            .map(name)
            .filter(|name| ["one", "socket", "two"].contains(name))
            // A python3 that is a shell script may ask the name service before.
            .skip_while(|name| *name != "one")
            .collect();
        assert_eq!(names, ["one", "socket", "two"]);
    }
}

#[test]
#[ignore = "needs ptrace and python3"]
fn who_catches_up_has_the_call_whose_effect_was_seen_elsewhere() {
    let ours = UdpSocket::bind("127.0.0.1:0").unwrap();
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = ours.local_addr().unwrap().port();
    let script = format!(
        "import socket\n\
         own = socket.socket(type=socket.SOCK_DGRAM)\n\
         for turn in range(20):\n    \
             own.sendto(b'turn', ('127.0.0.1', {port}))\n    \
             own.recv(1)\n"
    );
    let (mut cast, mut events) = (seen(), Events::default());
    cast.start("a", &python(&script)).unwrap();
    for turn in 1..=20 {
        let (_, peer) = ours.recv_from(&mut [0; 8]).unwrap();
        assert!(catch_up(&mut cast, &mut events, PATIENCE).unwrap());
        let sent = events.0.iter().filter(|event| name(event) == "sendto");
        assert_eq!(sent.count(), turn);
        ours.send_to(b"x", peer).unwrap();
    }
}
