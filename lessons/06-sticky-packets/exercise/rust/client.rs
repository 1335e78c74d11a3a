//! Lesson 6, the client: "list" or "get NAME" on each line of its input.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// No header is longer.
const LIMIT: usize = 65536;
/// So much of a body is in memory.
const PIECE: usize = 65536;

/// Whether all requests were granted.
fn talk(address: SocketAddr, folder: &Path) -> io::Result<bool> {
    let call = TcpStream::connect(address)?;
    let mut all = true;
    for line in io::stdin().lines() {
        all &= ask(&call, &line?, folder)?;
    }
    Ok(all)
}

/// One request; whether it was granted.
fn ask(call: &TcpStream, line: &str, folder: &Path) -> io::Result<bool> {
    let name = line.strip_prefix("get ");
    let request = match name {
        Some(name) if name.contains('/') || matches!(name, "" | "." | "..") => {
            return Err(wrong("that is no name of a file"));
        }
        Some(name) => json!({ "request": "get", "name": name }),
        None => json!({ "request": line }),
    };
    send_header(call, &request)?;
    let header = receive_header(call)?;
    if header["status"] != "ok" {
        eprintln!("refused: {}", header["reason"]);
        return Ok(false);
    }
    match name {
        Some(name) => {
            save(call, &header, folder, name)?;
            println!("saved {name}");
        }
        None => receive_body(call, &header, &mut io::stdout())?,
    }
    Ok(true)
}

/// 4 bytes of length, then the header in JSON.
fn send_header(mut call: &TcpStream, header: &Value) -> io::Result<()> {
    // gap: Turn the header into bytes, and send their number in 4 bytes, then the bytes.
    // Calls: to_string, to_be_bytes, write_all. Lesson 6, "What is new".
    let data = header.to_string();
    let length = u32::try_from(data.len()).expect("a short header");
    call.write_all(&[&length.to_be_bytes(), data.as_bytes()].concat())
    // end of gap
}

/// Receives so many bytes, however they come.
fn exactly(mut call: &TcpStream, count: usize) -> io::Result<Vec<u8>> {
    // gap: Receive until you have `count` bytes, and never more than that.
    // Call: read_exact, or read in a loop. The end of the stream before that is an error of the
    // kind UnexpectedEof. Lesson 6, "What you saw and why".
    let mut received = vec![0; count];
    call.read_exact(&mut received)?;
    Ok(received)
    // end of gap
}

/// The header of an answer.
fn receive_header(call: &TcpStream) -> io::Result<Value> {
    // gap: Receive the length, compare it with LIMIT, receive so many bytes, and decode the JSON.
    // Calls: exactly (above), u32::from_be_bytes, wrong (below), serde_json::from_slice.
    // Lesson 6, "What you saw and why".
    let length = exactly(call, 4)?;
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    if length > LIMIT {
        return Err(wrong("the header is too long"));
    }
    Ok(serde_json::from_slice(&exactly(call, length)?)?)
    // end of gap
}

/// Hands the body on, piece by piece; an error if its digest is another one.
fn receive_body(mut call: &TcpStream, header: &Value, out: &mut impl Write) -> io::Result<()> {
    // gap: Receive as many bytes as the header's "size" says, at most PIECE at once, and write each
    // piece to `out`. Compare the SHA-256 at the end. Calls: as_u64, read, update, write_all,
    // finalize, wrong (below). 0 bytes are the end of the stream: UnexpectedEof.
    let mut missing = header["size"].as_u64().ok_or(wrong("no size"))?;
    let (mut digest, mut piece) = (Sha256::new(), vec![0; PIECE]);
    while missing > 0 {
        let room = missing.min(PIECE as u64) as usize;
        let length = match call.read(&mut piece[..room]) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => length,
            // A signal came in between: nothing is lost.
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digest.update(&piece[..length]);
        out.write_all(&piece[..length])?;
        missing -= length as u64;
    }
    if header["sha256"] != hexadecimal(&digest.finalize()) {
        return Err(wrong("the digest is another one"));
    }
    Ok(())
    // end of gap
}

/// Receives the body into the folder; there is no new file unless all of it is right.
fn save(call: &TcpStream, header: &Value, folder: &Path, name: &str) -> io::Result<()> {
    // gap: Write under a temporary name in the folder, and rename at the end. After any error
    // remove the temporary file. Calls: File::create, receive_body, fs::rename, fs::remove_file.
    let temporary = folder.join(format!(".{}.part", process::id()));
    let mut file = File::create(&temporary)?;
    let received = receive_body(call, header, &mut file);
    let saved = received.and_then(|()| fs::rename(&temporary, folder.join(name)));
    if saved.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    saved
    // end of gap
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the server sent is not what it should.
fn wrong(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8083".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    let folder = PathBuf::from(std::env::var("FOLDER").unwrap_or(".".into()));
    match talk(address, &folder) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("call to {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
