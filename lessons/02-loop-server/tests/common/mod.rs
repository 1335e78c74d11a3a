//! What the tests share: the real programs on a stage, and raw sockets that
//! take the other side. Every wait has a deadline.

#![allow(dead_code, reason = "each test file is a program and uses a part of this")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use scene::{Actor, Program, Stage};

/// How long an event may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long we watch to say that something does not come.
pub const MOMENT: Duration = Duration::from_millis(150);

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-2-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-2-client");

pub fn stage() -> Stage {
    let mut stage = Stage::rehearsal();
    stage.deadline(PATIENCE);
    stage
}

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

/// A raw socket that listens, for a client to call.
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// Takes the call of a client. What it reads and writes has a deadline.
pub fn accept(listener: &TcpListener) -> TcpStream {
    let deadline = Instant::now() + PATIENCE;
    listener.set_nonblocking(true).unwrap();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                return patient(stream);
            }
            Err(error) if is_timeout(&error) => assert!(Instant::now() < deadline, "no call came"),
            Err(error) => panic!("{error}"),
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

fn patient(stream: TcpStream) -> TcpStream {
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

/// Whether nothing comes for a moment: no bytes, no end, no error.
pub fn nothing_comes(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(MOMENT)).unwrap();
    let outcome = stream.peek(&mut [0]);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    matches!(outcome, Err(error) if is_timeout(&error))
}

pub fn is_timeout(error: &io::Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind())
}

/// Closes with a reset in place of the end of the stream.
pub fn reset(stream: TcpStream) {
    let socket = socket2::SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

/// Runs a program to its end with this input; panics when it does not end.
pub fn run(program: &str, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let out = drain(child.stdout.take().unwrap());
    let err = drain(child.stderr.take().unwrap());
    let status = Lone(child).wait();
    // A program that does not want its input is no fault of this function.
    let _ = writer.join().unwrap();
    Output {
        status,
        stdout: out.join().unwrap(),
        stderr: err.join().unwrap(),
    }
}

/// Reads to the end, aside, so that the writer is never held up.
pub fn drain(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        from.read_to_end(&mut all).unwrap();
        all
    })
}

/// A program that is killed at the latest when its test ends, however it ends.
pub struct Lone(pub Child);

impl Drop for Lone {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Lone {
    /// Waits until it has ended; panics when it does not.
    pub fn wait(self) -> ExitStatus {
        self.wait_while(|| {})
    }

    /// The same, and does something again and again until then.
    pub fn wait_while(mut self, mut act: impl FnMut()) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not end in {PATIENCE:?}");
            act();
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
