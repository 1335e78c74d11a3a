//! What the tests share: the two programs on a stage without an audience, and
//! sockets that wait with a deadline.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use scene::{Actor, Program, Stage};

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-3-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-3-client");

/// Longer than anything here takes.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A server on a free port of the loopback interface.
pub fn server(stage: &mut Stage, args: &[&str]) -> (Actor, SocketAddr) {
    let program = Program::new(SERVER).args(["--addr", "127.0.0.1:0"]).args(args);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// A client that has not to hurry; a later --timeout in the arguments wins.
pub fn client(stage: &mut Stage, to: SocketAddr, args: &[&str]) -> Actor {
    let program = Program::new(CLIENT).args(["--to", &to.to_string()]).args(args);
    stage.start("client", &program).unwrap()
}

/// Waits for the end; gives the status and all that was said.
pub fn ended(stage: &mut Stage, actor: Actor) -> (scene::Ending, Vec<String>) {
    let ending = stage.wait_exit(actor).unwrap();
    (ending, stage.lines(actor))
}

/// A program that reads what it is given and whose output is read.
pub fn spawn(program: &str, args: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Closes its input and waits for its end, but not for ever.
pub fn output_of(mut child: Child) -> Output {
    drop(child.stdin.take());
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        out.as_mut().map(|out| out.read_to_end(&mut stdout));
        err.as_mut().map(|err| err.read_to_end(&mut stderr));
        let _ = sender.send((stdout, stderr));
    });
    let Ok((stdout, stderr)) = receiver.recv_timeout(DEADLINE) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it did not end");
    };
    let status = child.wait().unwrap();
    Output {
        status,
        stdout,
        stderr,
    }
}

/// Runs a program without any input.
pub fn run(program: &str, args: &[&str]) -> Output {
    output_of(spawn(program, args))
}

/// A socket that waits, but not for ever.
pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// Sends, and gives the answer.
pub fn ask(socket: &UdpSocket, to: SocketAddr, message: &[u8]) -> Vec<u8> {
    socket.send_to(message, to).unwrap();
    let (answer, peer) = receive(socket);
    assert_eq!(peer, to, "the answer comes from the address that was asked");
    answer
}

/// The next datagram, and who sent it.
pub fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_535];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((length, peer)) => {
                buffer.truncate(length);
                return (buffer, peer);
            }
            // A machine that was halted for a moment can interrupt a wait.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("recvfrom: {error}"),
        }
    }
}

/// Whether nothing has come. To be asked when nothing can come any more.
pub fn heard_nothing(socket: &UdpSocket) -> bool {
    socket.set_nonblocking(true).unwrap();
    let error = socket.recv_from(&mut [0; 16]).expect_err("a datagram came");
    error.kind() == ErrorKind::WouldBlock
}

/// A port that nobody receives on, as long as the socket lives: it keeps the
/// number, and since it is connected to itself, it hears nobody else.
pub fn closed_port() -> (UdpSocket, SocketAddr) {
    let keeper = UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = keeper.local_addr().unwrap();
    keeper.connect(addr).unwrap();
    (keeper, addr)
}

/// The address in a line such as `  from 127.0.0.1:40000`.
pub fn address_in(line: &str) -> SocketAddr {
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
