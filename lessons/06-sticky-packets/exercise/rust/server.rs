//! Lesson 6, the server: it hands out the files of a folder.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// No header is longer.
const LIMIT: usize = 65536;
/// So much of a body is in memory.
const PIECE: usize = 65536;

/// What a client gets, or the reason why it does not.
type Granted<T> = Result<T, &'static str>;

fn serve_all(address: SocketAddr, folder: &Path) -> io::Result<()> {
    let phone = TcpListener::bind(address)?;
    println!("listening on {}", phone.local_addr()?);
    loop {
        let (call, caller) = match phone.accept() {
            Ok(taken) => taken,
            // This caller is gone already. The next may be there.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) => return Err(error),
        };
        // gap: Serve the caller. The end of the stream and all errors end this call alone.
        // Call: serve (below). You know it from lesson 2.
        if let Err(error) = serve(&call, folder) {
            println!("call of {caller}: {error}");
        }
        // end of gap
    }
}

/// Answers one request after the other, until the stream ends.
fn serve(call: &TcpStream, folder: &Path) -> io::Result<()> {
    loop {
        let data = receive_header(call)?;
        match understand(&data).and_then(|request| find(folder, &request)) {
            Ok(Found::List(body)) => send_body(call, "list", &mut io::Cursor::new(body))?,
            Ok(Found::File(name, mut file)) => send_body(call, &name, &mut file)?,
            Err(reason) => refuse(call, reason)?,
        }
    }
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

/// 4 bytes of length, then the header in JSON.
fn send_header(mut call: &TcpStream, header: &Value) -> io::Result<()> {
    // gap: Turn the header into bytes, and send their number in 4 bytes, then the bytes.
    // Calls: to_string, to_be_bytes, write_all. Lesson 6, "What is new".
    let data = header.to_string();
    let length = u32::try_from(data.len()).expect("a short header");
    call.write_all(&[&length.to_be_bytes(), data.as_bytes()].concat())
    // end of gap
}

/// The bytes of the next header.
fn receive_header(call: &TcpStream) -> io::Result<Vec<u8>> {
    // gap: Receive the length, compare it with LIMIT, and receive so many bytes.
    // Calls: exactly (above), u32::from_be_bytes, refuse (below). After a header that is too long
    // nobody knows where the next message begins: refuse it, and give an error.
    // Lesson 6, "What you saw and why".
    let length = exactly(call, 4)?;
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    if length > LIMIT {
        refuse(call, "the header is too long")?;
        return Err(ErrorKind::InvalidData.into());
    }
    exactly(call, length)
    // end of gap
}

fn refuse(call: &TcpStream, reason: &str) -> io::Result<()> {
    send_header(call, &json!({ "status": "error", "reason": reason }))
}

enum Request {
    List,
    Get(String),
}

/// The request in a header, or why there is none in it.
fn understand(data: &[u8]) -> Granted<Request> {
    // gap: Decode the JSON, and see what its "request" is: "list", or "get" with a "name".
    // Calls: serde_json::from_slice, as_str. A header can be no text, no JSON, a number, …
    let header: Value = serde_json::from_slice(data).map_err(|_| "no JSON")?;
    match (header["request"].as_str(), header["name"].as_str()) {
        (Some("list"), _) => Ok(Request::List),
        (Some("get"), Some(name)) => Ok(Request::Get(name.into())),
        _ => Err("no request that we know"),
    }
    // end of gap
}

enum Found {
    List(Vec<u8>),
    File(String, File),
}

fn find(folder: &Path, request: &Request) -> Granted<Found> {
    match request {
        Request::List => Ok(Found::List(list(folder))),
        Request::Get(name) => {
            let file = File::open(place(folder, name)?).map_err(|_| "the file cannot be read")?;
            Ok(Found::File(name.clone(), file))
        }
    }
}

/// Where a file is that the client has named, if it may have it.
fn place(folder: &Path, name: &str) -> Granted<PathBuf> {
    // gap: Refuse a name that leads out of the folder, also by a link, and one of no regular file.
    // Calls: join, canonicalize, parent, is_file. Lesson 6, "Break it".
    let path = folder.join(name).canonicalize();
    let path = path.map_err(|_| "no such file")?;
    let inside = !name.contains('/') && path.parent() == Some(folder);
    if inside && path.is_file() {
        Ok(path)
    } else {
        Err("no such file")
    }
    // end of gap
}

/// A line "SIZE NAME" for each file.
fn list(folder: &Path) -> Vec<u8> {
    // gap: Make the list, sorted by name, of all files that a client may have.
    // Calls: fs::read_dir, place, fs::metadata.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string());
    let mut names: Vec<String> = names.flatten().collect();
    names.sort();
    let mut lines = String::new();
    for name in names {
        if let Ok(Ok(found)) = place(folder, &name).map(fs::metadata) {
            lines += &format!("{} {name}\n", found.len());
        }
    }
    lines.into_bytes()
    // end of gap
}

/// The header with size and digest, then the bytes.
fn send_body(mut call: &TcpStream, name: &str, body: &mut (impl Read + Seek)) -> io::Result<()> {
    // gap: Find out size and SHA-256, send the header, and send the bytes, at most PIECE at once.
    // Calls: Sha256::new, read, update, finalize, rewind, send_header, write_all. The header is
    // {"status":"ok","name":…,"size":…,"sha256":…}. Lesson 6, "What is new".
    let mut piece = vec![0; PIECE];
    let (mut digest, mut size) = (Sha256::new(), 0);
    loop {
        match body.read(&mut piece)? {
            0 => break,
            length => {
                digest.update(&piece[..length]);
                size += length;
            }
        }
    }
    let digest = hexadecimal(&digest.finalize());
    let header = json!({ "status": "ok", "name": name, "size": size, "sha256": digest });
    send_header(call, &header)?;
    body.rewind()?;
    while size > 0 {
        let length = size.min(PIECE);
        body.read_exact(&mut piece[..length])?;
        call.write_all(&piece[..length])?;
        size -= length;
    }
    Ok(())
    // end of gap
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn main() -> ExitCode {
    let address = std::env::var("ADDR").unwrap_or("127.0.0.1:8083".into());
    let address = address.parse().expect("ADDR is IP:PORT");
    let folder = std::env::var("FOLDER").unwrap_or(".".into());
    let folder = PathBuf::from(folder).canonicalize();
    match folder.and_then(|folder| serve_all(address, &folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server at {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
