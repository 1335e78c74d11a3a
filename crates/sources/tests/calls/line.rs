//! A call of ours as a line, in the form into which `strace.rs` brings strace's.

use std::net::SocketAddr;

use timeline::call::{Address, Arg, Bytes, End, Outcome, Output, Setting, Start};

use super::strace::compared;

/// So many bytes of data are compared.
pub const KEEP: usize = 32;

/// One call of ours.
pub fn line(start: &Start, end: Option<&End>) -> String {
    let name = start.name.as_ref();
    let outputs = end.map_or(&[][..], |end| &end.outputs);
    let mut written = outputs.iter();
    let mut words = Vec::new();
    for arg in &start.args {
        match arg {
            Arg::Bytes(bytes) => {
                words.push(data(bytes));
                words.push(bytes.length.to_string());
            }
            Arg::Room(room) => {
                words.push(written.next().map_or("?".into(), output));
                words.push(room.to_string());
            }
            Arg::Wanted => words.push(written.next().map_or("?".into(), output)),
            Arg::Flags(flags) => {
                let mut names: Vec<String> = flags.names.iter().map(ToString::to_string).collect();
                if flags.unnamed != 0 || names.is_empty() {
                    names.push(match flags.unnamed {
                        0 => "0".into(),
                        unnamed => format!("{unnamed:#x}"),
                    });
                }
                words.push(names.join("|"));
            }
            Arg::Symbol(symbol) => words.push(match &symbol.name {
                Some(name) => name.to_string(),
                None => symbol.number.to_string(),
            }),
            Arg::Descriptor(number) => words.push(number.to_string()),
            Arg::Number(number) => words.push(number.to_string()),
            Arg::Address(found) => words.push(address(found)),
            Arg::Setting(value) => words.push(setting(value)),
            Arg::Null => words.push("NULL".into()),
            _ => words.push("?".into()),
        }
    }
    // Its address and the length of that are one argument here.
    let wanted = if name == "accept4" {
        &[0, 1, 2][..]
    } else {
        compared(name)
    };
    let chosen = wanted.iter().filter_map(|&index| words.get(index));
    let chosen: Vec<&str> = chosen.map(String::as_str).collect();
    let Some(end) = end else {
        return format!("{name} has no end");
    };
    let result = match &end.outcome {
        Outcome::Returned(value) => value.to_string(),
        Outcome::Failed(errno) if errno.name.as_deref() == Some("EINTR") => "interrupted".into(),
        Outcome::Failed(errno) => errno.name.clone().unwrap_or_default().into_owned(),
        Outcome::Interrupted(_) => "interrupted".into(),
        Outcome::Died => "died".into(),
    };
    format!("{name}({}) = {result}", chosen.join(", "))
}

fn output(output: &Output) -> String {
    match output {
        Output::Bytes(bytes) => data(bytes),
        Output::Address(found) => address(found),
        Output::Setting(value) => setting(value),
        Output::Descriptors(pair) => format!("{pair:?}"),
        _ => "?".into(),
    }
}

fn data(bytes: &Bytes) -> String {
    if bytes.first.is_empty() && bytes.length > 0 {
        return "?".into();
    }
    let shown = &bytes.first[..bytes.first.len().min(KEEP)];
    let text = escaped(shown);
    let is_all = bytes.length <= KEEP as u64;
    format!("\"{text}\"{}", if is_all { "" } else { "..." })
}

/// As in a C string; an octal number has three digits where one follows.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    let nexts = bytes.iter().skip(1).map(Some).chain([None]);
    for (&byte, next) in bytes.iter().zip(nexts) {
        match byte {
            b'\n' => text += "\\n",
            b'\t' => text += "\\t",
            b'\r' => text += "\\r",
            0x0b => text += "\\v",
            0x0c => text += "\\f",
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ if next.is_some_and(u8::is_ascii_digit) => text += &format!("\\{byte:03o}"),
            _ => text += &format!("\\{byte:o}"),
        }
    }
    text
}

fn address(found: &Address) -> String {
    match found {
        Address::Ip(address) => internet(*address),
        Address::Path(path) => format!("\"{}\"", String::from_utf8_lossy(path)),
        Address::Abstract(name) => format!("@\"{}\"", String::from_utf8_lossy(name)),
        Address::Unnamed => "unnamed".into(),
        Address::Other { .. } => "?".into(),
    }
}

/// A port that the system has chosen is another one in each run.
fn internet(address: SocketAddr) -> String {
    match address.port() {
        0 => format!("{}:0", address.ip()),
        _ => format!("{}:PORT", address.ip()),
    }
}

fn setting(value: &Setting) -> String {
    match value {
        Setting::Number(number) => format!("[{number}]"),
        Setting::Time(time) => {
            // strace does not know that it is a time, and shows the bytes of it.
            let parts = [time.as_secs(), u64::from(time.subsec_micros())];
            format!("\"{}\"", escaped(&parts.map(u64::to_le_bytes).concat()))
        }
        _ => "?".into(),
    }
}

/// Without the number of the descriptor that a call takes or makes.
pub fn without_numbers(line: &str) -> String {
    let (name, rest) = line.split_once('(').expect("a call");
    let (arguments, result) = rest.rsplit_once(" = ").expect("a result");
    let arguments = match name {
        "socket" => arguments,
        _ => arguments.trim_start_matches(|letter: char| letter.is_ascii_digit()),
    };
    let result = match name {
        "socket" | "accept4" if result.parse::<i32>().is_ok() => "_",
        _ => result,
    };
    format!("{name}({arguments} = {result}")
}
