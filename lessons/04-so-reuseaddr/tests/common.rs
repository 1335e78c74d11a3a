//! What the tests share: the real programs on a stage, each server on an address
//! of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use scene::{Actor, Ending, Program, Stage};

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-4-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-4-client");

/// Port 0 on an address that nobody else uses, so that no other program gets
/// the port between an end and a restart. Scenes take 127.1 and upwards by
/// their process id, tests 127.128 and upwards.
pub fn fresh() -> SocketAddr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let ip = if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, 128 | (high % 127), middle, low)
    } else {
        Ipv4Addr::LOCALHOST
    };
    SocketAddr::new(ip.into(), 0)
}

/// A server on this address; it need not come to listen.
pub fn start(stage: &mut Stage, addr: SocketAddr, args: &[&str]) -> Actor {
    let program = Program::new(SERVER).args(["--addr", &addr.to_string()]);
    stage.start("server", &program.args(args)).unwrap()
}

/// A server on a fresh port, with its real address.
pub fn server(stage: &mut Stage, args: &[&str]) -> (Actor, SocketAddr) {
    let server = start(stage, fresh(), args);
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

pub fn client(stage: &mut Stage, addr: SocketAddr, args: &[&str]) -> Actor {
    let program = Program::new(CLIENT).args(["--addr", &addr.to_string()]);
    stage.start("client", &program.args(args)).unwrap()
}

/// A raw socket calls this address. What it reads has a deadline.
pub fn call(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// One message, and all that comes until the end of the stream.
pub fn exchange(mut stream: &TcpStream, message: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.write_all(message).unwrap();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// These programs come to a good end.
pub fn end_well(stage: &mut Stage, actors: &[Actor]) {
    for actor in actors {
        let ending = stage.wait_exit(*actor).unwrap();
        assert_eq!(ending, Ending::Status(0), "{:?}", stage.lines(*actor));
    }
}
