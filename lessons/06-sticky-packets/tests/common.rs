//! What several of these tests need.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use scene::{Actor, Program, Stage};

pub const SERVER: &str = env!("CARGO_BIN_EXE_lesson-6-server");
pub const CLIENT: &str = env!("CARGO_BIN_EXE_lesson-6-client");

/// A message as the lesson describes it, put together by hand: the length in 4
/// bytes, the most significant first, and the header.
pub fn message(header: &str) -> Vec<u8> {
    let length = header.len();
    let mut bytes = vec![
        (length >> 24) as u8,
        (length >> 16) as u8,
        (length >> 8) as u8,
        length as u8,
    ];
    bytes.extend_from_slice(header.as_bytes());
    bytes
}

/// The header of the next message.
pub fn receive(connection: &mut TcpStream) -> String {
    let mut length = [0; 4];
    connection.read_exact(&mut length).unwrap();
    let length = length.iter().fold(0, |sum, byte| sum * 256 + *byte as usize);
    let mut header = vec![0; length];
    connection.read_exact(&mut header).unwrap();
    String::from_utf8(header).unwrap()
}

/// Sends a header and receives one.
pub fn ask(connection: &mut TcpStream, header: &str) -> String {
    connection.write_all(&message(header)).unwrap();
    receive(connection)
}

/// A server on a port of its own.
pub fn serve(stage: &mut Stage, more: &[&str]) -> Actor {
    let program = Program::new(SERVER).args(["--addr", "127.0.0.1:0"]);
    stage.start("server", &program.args(more)).unwrap()
}

/// A call to a server that has just been started.
pub fn dial(stage: &mut Stage, server: Actor) -> TcpStream {
    let listening = stage.lines(server).first().cloned();
    let addr = match listening {
        Some(line) => line.rsplit(' ').next().unwrap().parse().unwrap(),
        None => stage.ready(server).unwrap(),
    };
    let connection = TcpStream::connect(addr).unwrap();
    let deadline = Some(Duration::from_secs(10));
    connection.set_read_timeout(deadline).unwrap();
    connection
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
