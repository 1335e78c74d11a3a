//! The real client, on a stage or run to its end.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use scene::{Actor, Program, Stage};

use crate::common::PATIENCE;

pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-7-client");

/// The real client of this server.
pub fn client(stage: &mut Stage, addr: SocketAddr, args: &[&str]) -> Actor {
    let addr = addr.to_string();
    let program = Program::new(CLIENT).args(["--addr", &addr]).args(args);
    stage.start("client", &program).unwrap()
}

/// Runs the client to its end, with this input and without a terminal.
pub fn run_client(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(CLIENT)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A client that does not want its input is no fault of this function.
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    thread::spawn(move || stdin.write_all(&input));
    let (ended, end) = mpsc::channel();
    let pid = child.id().to_string();
    thread::spawn(move || ended.send(child.wait_with_output()));
    match end.recv_timeout(PATIENCE) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            let _ = Command::new("kill").arg(pid).status();
            panic!("the client did not end in {PATIENCE:?}");
        }
    }
}
