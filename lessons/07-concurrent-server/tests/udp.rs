//! The same service over datagrams.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::thread;

use house::raw::again;
use rstest::rstest;
use scene::Ending;

use crate::common::{MOMENT, PATIENCE, server, stage, text};
use crate::our_client::{client, run_client};

fn caller(addr: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn exchange(socket: &UdpSocket, message: &[u8]) -> Vec<u8> {
    socket.send(message).unwrap();
    let mut buffer = vec![0; 65_536];
    let length = again(|| socket.recv(&mut buffer)).unwrap();
    buffer[..length].to_vec()
}

#[rstest]
#[case::upper_case_is_the_default(&["--udp"], b"HELLO \xff")]
#[case::echo(&["--udp", "--reply", "echo"], b"hello \xff")]
fn each_datagram_is_answered_to_its_sender(#[case] args: &[&str], #[case] answer: &[u8]) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, args);
    let (first, second) = (caller(addr), caller(addr));
    assert_eq!(exchange(&first, b"hello \xff"), answer);
    assert_eq!(exchange(&second, b"hello \xff"), answer);
    assert_eq!(exchange(&first, b""), b"", "an empty one is a message too");
}

#[test]
fn the_largest_datagram_comes_back_whole() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--udp"]);
    assert_eq!(exchange(&caller(addr), &[b'x'; 65_507]), [b'X'; 65_507]);
}

#[test]
fn a_panic_in_the_handler_loses_one_answer_and_nothing_else() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--udp", "--panic-on", "boom"]);
    let unlucky = caller(addr);
    unlucky.send(b"boom").unwrap();
    stage.wait_line(server, "the handler panicked").unwrap();
    unlucky.set_read_timeout(Some(MOMENT)).unwrap();
    let nothing = again(|| unlucky.recv(&mut [0])).unwrap_err();
    assert!(matches!(
        nothing.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut
    ));
    assert_eq!(exchange(&caller(addr), b"hello"), b"HELLO");
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let line = stage.lines(server).pop().unwrap();
    assert_eq!(line, "stopped: 2 datagrams, 5 bytes, 1 panicked");
}

#[test]
fn a_caller_that_is_gone_when_its_answer_comes_hurts_nobody() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--udp"]);
    for _ in 0..3 {
        caller(addr).send(b"and away").unwrap();
        stage.wait_line(server, "sending 8 bytes").unwrap();
    }
    assert_eq!(exchange(&caller(addr), b"hello"), b"HELLO");
}

#[test]
fn our_client_sends_each_message_as_one_datagram() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--udp"]);
    let client = client(
        &mut stage,
        addr,
        &["--udp", "--say", "hello", "--say", "world"],
    );
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    let said = [
        "sending 5 bytes: \"hello\"",
        "received 5 bytes: \"HELLO\"",
        "sending 5 bytes: \"world\"",
        "received 5 bytes: \"WORLD\"",
    ];
    assert_eq!(stage.lines(client), said);
    stage.wait_line(server, "received 5 bytes from 127.0.0.1:").unwrap();
}

#[test]
fn our_client_waits_for_an_answer_no_longer_than_its_deadline() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = silent.local_addr().unwrap().to_string();
    let args = [
        "--addr",
        &addr,
        "--udp",
        "--deadline",
        "0.1",
        "--say",
        "hello",
    ];
    let output = run_client(&args, b"");
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    assert!(line.starts_with(&format!("recv from {addr}: ")), "{line}");
    assert!(line.contains("no answer within the deadline"), "{line}");
}

#[test]
fn a_crowd_over_udp_checks_each_answer() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--udp", "--quiet"]);
    let args = [
        "--udp",
        "--clients",
        "5",
        "--messages",
        "4",
        "--size",
        "1400",
    ];
    let crowd = client(&mut stage, addr, &args);
    assert_eq!(stage.wait_exit(crowd).unwrap(), Ending::Status(0));
    stage.wait_line(crowd, "answered: 20 of 20 messages").unwrap();
}

#[rstest]
#[case::a_part(&b"abc"[..])]
#[case::nothing(b"")]
#[case::more_than_was_sent(&[b'x'; 65])]
#[case::other_bytes(&[b'!'; 64])]
fn a_crowd_over_udp_notices_an_answer_that_is_wrong(#[case] answer: &'static [u8]) {
    let wrong = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = wrong.local_addr().unwrap().to_string();
    thread::spawn(move || {
        while let Ok((_, peer)) = wrong.recv_from(&mut [0; 64]) {
            wrong.send_to(answer, peer).unwrap();
        }
    });
    let output = run_client(&["--addr", &addr, "--udp", "--clients", "3"], b"");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains("failures: connect 0, wrong bytes 3, reset 0"),
        "{said}"
    );
}

/// Here nothing is sent again: what is lost stays away, and the crowd says so.
#[test]
fn a_crowd_over_udp_counts_an_answer_that_never_comes_as_timed_out() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = silent.local_addr().unwrap().to_string();
    let args = [
        "--addr",
        &addr,
        "--udp",
        "--clients",
        "3",
        "--deadline",
        "0.1",
    ];
    let output = run_client(&args, b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("timed out 3, other 0"));
}
