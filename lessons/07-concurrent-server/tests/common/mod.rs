//! What the tests share: the real programs on a stage, and raw sockets that
//! take the other side. Every wait has a deadline.

#![allow(dead_code, reason = "each test file is a program and uses a part of this")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use scene::{Actor, Program, Stage};

use crate::SERVER;

/// How long an event may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long we watch to say that something does not come.
pub const MOMENT: Duration = Duration::from_millis(150);

/// The server that is tested.
pub fn program() -> Program {
    Program::new(SERVER[0]).args(&SERVER[1..])
}

pub fn stage() -> Stage {
    let mut stage = Stage::rehearsal();
    stage.deadline(PATIENCE);
    stage
}

/// The real server on a port of the system's choice.
pub fn server(stage: &mut Stage, args: &[&str]) -> (Actor, SocketAddr) {
    let program = program().args(["--addr", "127.0.0.1:0"]);
    let server = stage.start("server", &program.args(args)).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// The real server under a limit of the shell, such as `-n 20`.
pub fn server_with_limit(stage: &mut Stage, limit: &str, args: &[&str]) -> (Actor, SocketAddr) {
    let script = format!("ulimit {limit}; exec \"$0\" \"$@\"");
    let program = Program::new("sh").args(["-c", &script]).args(SERVER);
    let program = program.args(["--addr", "127.0.0.1:0"]);
    let server = stage.start("server", &program.args(args)).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// A raw socket calls this address.
pub fn call(addr: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(addr).unwrap())
}

/// A raw socket that listens, for a client to call.
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// Takes a client's call.
pub fn accept(listener: &TcpListener) -> TcpStream {
    patient(listener.accept().unwrap().0)
}

/// A port that is ours until the program ends, and that nobody listens on.
pub fn closed_port() -> SocketAddr {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    let addr = socket.local_addr().unwrap().as_socket().unwrap();
    std::mem::forget(socket);
    addr
}

pub fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Exactly so many bytes, however they arrive.
pub fn read(mut stream: &TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// One message and its answer.
pub fn exchange(mut stream: &TcpStream, message: &[u8]) -> Vec<u8> {
    stream.write_all(message).unwrap();
    read(stream, message.len())
}

/// Whether nothing comes for so long: no bytes, no end, no error.
pub fn nothing_comes_for(time: Duration, stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(time)).unwrap();
    let outcome = stream.peek(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    matches!(outcome, Err(error) if is_timeout(&error))
}

pub fn nothing_comes(stream: &TcpStream) -> bool {
    nothing_comes_for(MOMENT, stream)
}

pub fn is_timeout(error: &io::Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind())
}

/// Closes with a reset in place of the end of the stream.
pub fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

/// Sends until the server takes no more; gives back how much it took.
pub fn push_until_it_stalls(mut stream: &TcpStream, piece: &[u8]) -> usize {
    stream.set_write_timeout(Some(MOMENT)).unwrap();
    let mut sent = 0;
    loop {
        match stream.write(&piece[sent % piece.len()..]) {
            Ok(length) => sent += length,
            Err(error) if is_timeout(&error) => break,
            Err(error) => panic!("after {sent} bytes: {error}"),
        }
        assert!(sent < 1 << 30, "a gibibyte went in, and no answer was read");
    }
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    sent
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
