//! What the tests of this lesson share: its programs on a stage, and raw sockets
//! that take the other side.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use scene::{Actor, Program, Stage};
use socket2::SockRef;

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-5-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-5-client");

/// How long an event may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The lesson's server, with these flags, on a free port.
pub fn server(stage: &mut Stage, flags: &str) -> (Actor, SocketAddr) {
    let program = Program::new(SERVER).args(["--addr", "127.0.0.1:0"]);
    let program = program.args(flags.split_whitespace());
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// The lesson's client, with these flags, which call this address.
pub fn client(stage: &mut Stage, addr: SocketAddr, flags: &str) -> Actor {
    let program = Program::new(CLIENT).args(["--addr", &addr.to_string()]);
    let program = program.args(flags.split_whitespace());
    stage.start("client", &program).unwrap()
}

/// A caller of our own, who never waits for ever.
pub fn call(addr: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(addr).unwrap())
}

/// A client with these flags calls a raw socket.
pub fn called_by(stage: &mut Stage, flags: &str) -> (Actor, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = client(stage, listener.local_addr().unwrap(), flags);
    (client, patient(listener.accept().unwrap().0))
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// All that comes until the end of the stream.
pub fn rest(mut stream: &TcpStream) -> String {
    let mut words = String::new();
    stream.read_to_string(&mut words).unwrap();
    words
}

/// Exactly so many bytes, however they arrive.
pub fn read(mut stream: &TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Closes with a reset in place of the end of the stream.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Whether an actor said exactly this line.
pub fn said(stage: &Stage, actor: Actor, line: &str) -> bool {
    stage.lines(actor).iter().any(|said| said == line)
}
