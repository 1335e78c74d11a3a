//! The same programs under strace: it must have seen the same.
//!
//! Both are brought into one form, a line for each call, and one list of lines
//! for each task. Ports and times differ from run to run, and so does which task
//! comes first; they are left out.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;
use timeline::Ending;
use timeline::call::{Address, Arg, Bytes, Outcome, Output, Setting};

use crate::stage::{Call, FIRST, Stage};
use crate::strace::{TRACED, compared, strace_line};

/// So many bytes of data are compared.
const KEEP: usize = 32;

pub fn python() -> PathBuf {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .expect("python3 is installed");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

pub fn talk(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/talks");
    folder.join(format!("{name}.py"))
}

/// Part of names that no other test uses.
fn own_name() -> String {
    format!("talk {}", std::process::id())
}

/// The lines of each task that has made calls, in an order that no run changes.
type Tasks = Vec<Vec<String>>;

fn observed(name: &str) -> Tasks {
    let mut stage = Stage::new();
    let mut command = Command::new(python());
    command
        .arg(talk(name))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command.env("TALK", own_name());
    stage.start(FIRST, command);
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    let mut tasks: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for call in stage.calls() {
        tasks.entry(call.start.tid).or_default().push(line(&call));
    }
    sorted(tasks.into_values())
}

fn witnessed(name: &str) -> Tasks {
    let folder = tempfile::tempdir().expect("there is room");
    let status = Command::new("strace")
        .args([
            "-ff",
            "-y",
            "-s",
            &KEEP.to_string(),
            "-e",
            "signal=none",
            "-e",
            TRACED,
            "-o",
        ])
        .arg(folder.path().join("task"))
        .arg(python())
        .arg(talk(name))
        .env("TALK", own_name())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("strace is installed").success());
    let files = fs::read_dir(folder.path()).expect("the folder is there");
    let tasks = files.map(|file| {
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        text.lines().filter_map(strace_line).collect()
    });
    sorted(tasks.filter(|lines: &Vec<String>| !lines.is_empty()))
}

fn sorted(tasks: impl Iterator<Item = Vec<String>>) -> Tasks {
    let mut tasks: Tasks = tasks.collect();
    tasks.sort();
    tasks
}

#[rstest]
#[case("threaded")]
#[case("forking")]
#[case("udp")]
#[case("epoll")]
#[case("selecting")]
#[case("refused")]
#[case("ipv6")]
#[case("unix")]
#[case("exits")]
#[case("killed")]
#[case("inherited")]
#[case("signals")]
#[case("wild")]
#[ignore = "needs strace and python3"]
fn strace_has_seen_the_same(#[case] name: &str) {
    // In this one, the numbers of descriptors depend on which thread comes first.
    // In two, the end of a child is a signal that the program ignores. With a
    // tracer it interrupts a call that waits, if there is one at that moment.
    let comparable = |tasks: Tasks| match name {
        "threaded" => sorted(
            tasks
                .iter()
                .map(|lines| lines.iter().map(|line| without_numbers(line)).collect()),
        ),
        "forking" | "inherited" => {
            let calls = |lines: &Vec<String>| {
                lines
                    .iter()
                    .filter(|line| !line.ends_with("interrupted"))
                    .cloned()
                    .collect()
            };
            sorted(tasks.iter().map(calls))
        }
        _ => tasks,
    };
    let (ours, theirs) = (comparable(observed(name)), comparable(witnessed(name)));
    assert!(!ours.is_empty());
    assert_eq!(ours, theirs, "ours left, strace right");
}

/// One call of ours.
fn line(call: &Call) -> String {
    let name = call.start.name.as_ref();
    let end = call.end.as_ref().map(|(_, end)| end);
    let outputs = end.map_or(&[][..], |end| &end.outputs);
    let mut written = outputs.iter();
    let mut words = Vec::new();
    for arg in &call.start.args {
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
            Arg::Symbol(symbol) => {
                let number = || symbol.number.to_string();
                words.push(
                    symbol
                        .name
                        .as_ref()
                        .map_or_else(number, ToString::to_string),
                );
            }
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
    let chosen: Vec<&str> = wanted
        .iter()
        .filter_map(|&index| words.get(index).map(String::as_str))
        .collect();
    let result = match call.outcome() {
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
    let mut text = String::new();
    for &byte in shown {
        match byte {
            0 => text += "\\0",
            byte => text.push(char::from(byte)),
        }
    }
    let rest = if bytes.length > KEEP as u64 {
        "..."
    } else {
        ""
    };
    format!("\"{text}\"{rest}")
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
        _ => "?".into(),
    }
}

/// Without the number of the descriptor that a call takes or makes.
fn without_numbers(line: &str) -> String {
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
