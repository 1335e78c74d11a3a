//! What the tests of this lesson share: its programs on a stage.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use scene::{Actor, Program, Stage};

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-5-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-5-client");
pub const LESSON: &str = env!("CARGO_BIN_EXE_lesson-5");

/// When a test gives up. Nothing here takes so long.
pub const GIVE_UP: Duration = Duration::from_secs(20);

pub fn stage() -> Stage {
    let mut stage = Stage::rehearsal();
    stage.deadline(GIVE_UP);
    stage
}

/// The lesson's server, with these flags, on a free port.
pub fn server(stage: &mut Stage, flags: &str) -> (Actor, SocketAddr) {
    let program = Program::new(SERVER).args(["--addr", "127.0.0.1:0"]);
    let program = program.args(flags.split_whitespace());
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// The lesson's client, with these flags, which call this address.
pub fn client(stage: &mut Stage, addr: SocketAddr, flags: &[&str]) -> Actor {
    let program = Program::new(CLIENT).args(["--addr", &addr.to_string()]);
    stage.start("client", &program.args(flags)).unwrap()
}

/// A caller of our own, who never waits for ever.
pub fn call(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(GIVE_UP)).unwrap();
    stream.set_write_timeout(Some(GIVE_UP)).unwrap();
    stream
}

/// All that comes until the end of the stream.
pub fn rest(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Says this, nothing more, and gives back the whole answer.
pub fn ask(addr: SocketAddr, words: &[u8]) -> String {
    let mut stream = call(addr);
    stream.write_all(words).unwrap();
    let answer = rest(&stream);
    let _ = stream.shutdown(Shutdown::Both);
    answer
}

/// Whether an actor said exactly this line.
pub fn said(stage: &Stage, actor: Actor, line: &str) -> bool {
    stage.lines(actor).iter().any(|said| said == line)
}
