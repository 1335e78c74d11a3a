//! What several of these tests need.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

/// A message as the lesson describes it, put together by hand: the length in 4
/// bytes, the most significant first, and the header.
pub fn message(header: &str) -> Vec<u8> {
    let length = header.len() as u32;
    [&length.to_be_bytes(), header.as_bytes()].concat()
}

/// The header of the next message.
pub fn receive(connection: &mut TcpStream) -> String {
    let mut length = [0; 4];
    connection.read_exact(&mut length).unwrap();
    let mut header = vec![0; u32::from_be_bytes(length) as usize];
    connection.read_exact(&mut header).unwrap();
    String::from_utf8(header).unwrap()
}

/// Sends a header and receives one.
pub fn ask(connection: &mut TcpStream, header: &str) -> String {
    connection.write_all(&message(header)).unwrap();
    receive(connection)
}

/// The names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
