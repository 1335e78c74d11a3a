//! What the tests share with those of the race: the server that is tested on a
//! stage, and raw sockets that take the other side.

#![allow(dead_code, unused_imports, reason = "each test file is a program and uses a part of this")]

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

pub use house::raw::{
    MOMENT, PATIENCE, accept, again, call, closed_port, exchange, is_timeout, listener,
    nothing_comes, nothing_comes_for, read, reset,
};
use scene::{Actor, Program, Stage};

use crate::SERVER;

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
    ready(stage, program(), args)
}

/// The real server under a limit of the shell, such as `-n 20`.
pub fn server_with_limit(stage: &mut Stage, limit: &str, args: &[&str]) -> (Actor, SocketAddr) {
    let script = format!("ulimit {limit}; exec \"$0\" \"$@\"");
    let program = Program::new("sh").args(["-c", &script]).args(SERVER);
    ready(stage, program, args)
}

fn ready(stage: &mut Stage, program: Program, args: &[&str]) -> (Actor, SocketAddr) {
    let program = program.args(["--addr", "127.0.0.1:0"]);
    let server = stage.start("server", &program.args(args)).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

/// Sends until the server takes no more; gives back how much it took.
pub fn push_until_it_stalls(mut stream: &TcpStream, piece: &[u8]) -> usize {
    stream.set_write_timeout(Some(MOMENT)).unwrap();
    let mut sent = 0;
    loop {
        match again(|| stream.write(&piece[sent % piece.len()..])) {
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
