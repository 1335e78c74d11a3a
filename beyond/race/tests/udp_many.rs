//! Many datagrams with one system call.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;

use scene::Ending;

use crate::common::{PATIENCE, server, stage, text};

fn caller(addr: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(addr).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn exchange(socket: &UdpSocket, message: &[u8]) -> Vec<u8> {
    socket.send(message).unwrap();
    let mut buffer = vec![0; 65_536];
    let length = socket.recv(&mut buffer).unwrap();
    buffer[..length].to_vec()
}

#[test]
fn each_datagram_is_answered_to_its_sender() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--udp", "--many"]);
    let (first, second) = (caller(addr), caller(addr));
    assert_eq!(exchange(&first, b"hello \xff"), b"HELLO \xff");
    assert_eq!(exchange(&second, b"hello \xff"), b"HELLO \xff");
    assert_eq!(exchange(&first, b""), b"", "an empty one is a message too");
}

#[test]
fn few_system_calls_answer_a_burst() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--udp", "--many", "--quiet"]);
    let caller = caller(addr);
    let pid = stage.pid(server).to_string();
    // It is held while they come, so that they wait together.
    let signal = |name: &str| {
        let kill = Command::new("kill").args([name, &pid]).status();
        assert!(kill.unwrap().success());
    };
    signal("-STOP");
    for number in 0..100 {
        caller
            .send(format!("datagram {number}").as_bytes())
            .unwrap();
    }
    signal("-CONT");
    for number in 0..100 {
        let mut answer = [0; 64];
        let length = caller.recv(&mut answer).unwrap();
        assert_eq!(text(&answer[..length]), format!("DATAGRAM {number}"));
    }
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let line = stage.wait_line(server, "system calls").unwrap();
    let calls: u32 = line.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(calls < 20, "one a call would need 200: {line}");
}
