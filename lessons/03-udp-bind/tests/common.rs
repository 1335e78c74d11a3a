//! What the tests share: the two programs on a stage without an audience, and
//! sockets that wait with a deadline.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use scene::{Actor, Ending, Program, Stage};

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-3-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-3-client");

/// A server on a free port of the loopback interface.
pub fn server(stage: &mut Stage, args: &[&str]) -> (Actor, SocketAddr) {
    server_at(stage, "127.0.0.1:0", args)
}

pub fn server_at(stage: &mut Stage, addr: &str, args: &[&str]) -> (Actor, SocketAddr) {
    let program = Program::new(SERVER).args(["--addr", addr]).args(args);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

pub fn client(stage: &mut Stage, to: SocketAddr, args: &[&str]) -> Actor {
    let program = Program::new(CLIENT).args(["--to", &to.to_string()]).args(args);
    stage.start("client", &program).unwrap()
}

/// Waits for the end; gives the status and all that was said.
pub fn ended(stage: &mut Stage, actor: Actor) -> (Ending, Vec<String>) {
    let ending = stage.wait_exit(actor).unwrap();
    (ending, stage.lines(actor))
}

/// All that a program says that fails with one line, which names a way out.
pub fn failure(program: &str, args: &[&str]) -> String {
    let mut stage = Stage::rehearsal();
    let program = stage.start("program", &Program::new(program).args(args)).unwrap();
    let (ending, lines) = ended(&mut stage, program);
    assert_eq!(ending, Ending::Status(1), "{lines:?}");
    let errors: Vec<&String> = lines.iter().filter(|line| line.contains("; ")).collect();
    assert_eq!(errors.len(), 1, "{lines:?}");
    errors[0].clone()
}

/// A socket that waits, but not for ever.
pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
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
