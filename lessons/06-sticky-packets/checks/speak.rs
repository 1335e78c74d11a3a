//! The framing `header`, from our end: it cuts where a program would not.

use check::{Fault, Folder, Peer, Verdict};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use lesson_6::framing::header::{LIMIT, hexadecimal};

/// 4 bytes of length, and the header.
pub fn frame(header: &[u8]) -> Vec<u8> {
    let length = u32::try_from(header.len()).expect("a short header");
    [&length.to_be_bytes(), header].concat()
}

/// A request for a file.
pub fn get(name: &str) -> Vec<u8> {
    let request = json!({ "request": "get", "name": name });
    frame(request.to_string().as_bytes())
}

/// An answer with a file, up to the end of its body.
pub fn answer(name: &str, body: &[u8]) -> Vec<u8> {
    answer_with_digest(name, body, &digest(body))
}

/// The same with any digest.
pub fn answer_with_digest(name: &str, body: &[u8], sha256: &str) -> Vec<u8> {
    let header = json!({ "status": "ok", "name": name, "size": body.len(), "sha256": sha256 });
    [frame(header.to_string().as_bytes()), body.to_vec()].concat()
}

/// The SHA-256, in hexadecimal digits.
pub fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes in which each place looks different from its neighbourhood.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 / 7 + i / 251) as u8).collect()
}

/// Receives the header of a message: JSON.
pub fn header(call: &mut Peer) -> Verdict<Value> {
    let length = call.receive(4, "the length of a header")?;
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
    if length > LIMIT {
        let seen = format!("{length}, if the most significant byte is the first");
        return Err(Fault::program("a length of at most 65536", seen));
    }
    let header = call.receive(length, "the header")?;
    serde_json::from_slice(&header)
        .map_err(|error| Fault::program("a header in JSON", format!("no JSON: {error}")))
}

/// Receives the header of an answer that is no refusal, and compares it.
pub fn accepted(call: &mut Peer, name: &str, size: usize, sha256: &str) -> Verdict {
    let header = header(call)?;
    let expected = json!({ "status": "ok", "name": name, "size": size, "sha256": sha256 });
    for (field, value) in expected.as_object().into_iter().flatten() {
        let same = match (value.as_str(), header[field].as_str()) {
            (Some(expected), Some(seen)) => expected.eq_ignore_ascii_case(seen),
            _ => *value == header[field],
        };
        if !same {
            let seen = format!("\"{field}\": {}", header[field]);
            return Err(Fault::program(format!("\"{field}\": {value}"), seen));
        }
    }
    Ok(())
}

/// Demands a file as the next answer.
pub fn expect_file(call: &mut Peer, name: &str, body: &[u8]) -> Verdict {
    accepted(call, name, body.len(), &digest(body))?;
    call.expect(body)
}

/// Demands an error as the next answer.
pub fn expect_error(call: &mut Peer) -> Verdict {
    let header = header(call)?;
    if header["status"] == "error" && header["reason"].is_string() {
        return Ok(());
    }
    Err(Fault::program(
        "{\"status\":\"error\",\"reason\":\"…\"}",
        header.to_string(),
    ))
}

/// Demands that a file was saved.
pub fn saved(folder: &Folder, name: &str, body: &[u8]) -> Verdict {
    match folder.read(name)? {
        Some(seen) if seen == body => Ok(()),
        Some(seen) => Err(Fault::bytes(body, seen, "the end of the file")),
        None => Err(Fault::program(
            format!("the file {name} in the folder"),
            format!("these names: {:?}", folder.names()?),
        )),
    }
}

/// Demands that nothing was left behind.
pub fn nothing_saved(folder: &Folder) -> Verdict {
    let names = folder.names()?;
    if names.is_empty() {
        return Ok(());
    }
    Err(Fault::program("no new file", format!("{names:?}")))
}
