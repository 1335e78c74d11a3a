//! What the tests share: the real programs on a stage, and raw sockets that take
//! the other side.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use scene::{Actor, Program, Stage};
use socket2::SockRef;

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-2-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-2-client");

/// How long an event may take that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long we watch to say that something does not come.
const MOMENT: Duration = Duration::from_millis(150);

/// The real server on a port of the system's choice.
pub fn server(stage: &mut Stage, args: &[&str]) -> (Actor, SocketAddr) {
    let program = Program::new(SERVER).args(["--addr", "127.0.0.1:0"]);
    let server = stage.start("server", &program.args(args)).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// The real client of this server.
pub fn client(stage: &mut Stage, addr: SocketAddr, args: &[&str]) -> Actor {
    let addr = addr.to_string();
    let program = Program::new(CLIENT).args(["--addr", &addr]).args(args);
    stage.start("client", &program).unwrap()
}

/// A raw socket calls this address.
pub fn call(addr: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(addr).unwrap())
}

/// A client with these arguments calls a raw socket.
pub fn called_by(stage: &mut Stage, args: &[&str]) -> (Actor, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(stage, listener.local_addr().unwrap(), args);
    (client, patient(listener.accept().unwrap().0))
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Exactly so many bytes, however they arrive.
pub fn read(mut stream: &TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// One message and its answer.
pub fn exchange(mut stream: &TcpStream, message: &str) -> String {
    stream.write_all(message.as_bytes()).unwrap();
    read(stream, message.len())
}

/// Whether nothing comes for a moment: no bytes, no end, no error.
pub fn nothing_comes(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(MOMENT)).unwrap();
    let outcome = stream.peek(&mut [0]).map_err(|error| error.kind());
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    matches!(outcome, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// Closes with a reset in place of the end of the stream.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}
