//! What the tests share: the real programs on a stage, each server on an
//! address of its own, and the kernel's list.

#![allow(dead_code, reason = "each test file is a program and uses a part of this")]

#[path = "../../scene/time_wait.rs"]
pub mod time_wait;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use scene::{Actor, Ending, Program, Stage};

/// How long an event may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const SCENE: &str = env!("CARGO_BIN_EXE_lesson-4");
pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-4-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-4-client");

pub fn stage() -> Stage {
    let mut stage = Stage::rehearsal();
    stage.deadline(PATIENCE);
    stage
}

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
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One message, and all that comes until the end of the stream.
pub fn exchange(mut stream: &TcpStream, message: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.write_all(message).unwrap();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// A whole call of the real client to the real server, until both have ended;
/// gives back the address of the server.
pub fn one_run(stage: &mut Stage, of_server: &[&str], of_client: &[&str]) -> SocketAddr {
    let (server, addr) = server(stage, of_server);
    let client = client(stage, addr, &[&["--say", "hello"], of_client].concat());
    for actor in [server, client] {
        let ending = stage.wait_exit(actor).unwrap();
        assert_eq!(ending, Ending::Status(0), "{:?}", stage.lines(actor));
    }
    addr
}

/// What a server says that is started at once on a port with a past: its first
/// line.
pub fn restarted(stage: &mut Stage, addr: SocketAddr, args: &[&str]) -> String {
    let server = start(stage, addr, args);
    let said = stage.wait_line(server, "").unwrap();
    if said.starts_with("listening on") {
        stage.kill(server).unwrap();
        stage.wait_exit(server).unwrap();
    } else {
        assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    }
    said
}

/// Waits until the kernel lists this address in TIME-WAIT, at one end only.
pub fn in_time_wait(addr: SocketAddr) -> time_wait::Row {
    wait_for_rows(addr, &["TIME-WAIT"]).remove(0)
}

/// Waits until the kernel lists sockets with this address in these states, and
/// no others. No event tells when the last segment is in, and a list that is
/// read while sockets come and go can miss one.
pub fn wait_for_rows(addr: SocketAddr, states: &[&str]) -> Vec<time_wait::Row> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = time_wait::rows(addr).unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row.state).collect();
        if found == states {
            return rows;
        }
        assert!(Instant::now() < deadline, "{addr}: {found:?}");
        std::thread::yield_now();
    }
}

/// Runs a program without input to its end; it has a deadline.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    finish(command.spawn().unwrap())
}

/// The output of a program that must end; kills it when it does not. What it
/// writes fits into a pipe.
pub fn finish(mut child: Child) -> Output {
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it did not end: {:?}", child.wait_with_output());
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}
