//! The same programs under strace: it must have seen the same.
//!
//! Both are brought into one form, a line for each call, and one list of lines
//! for each task. Ports and times differ from run to run, and so does which task
//! comes first; they are left out.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use rstest::rstest;
use timeline::Ending;

use super::line::{KEEP, line, without_numbers};
use super::stage::{FIRST, Stage, talk};
use super::strace::{TRACED, strace_line};

/// Part of names that no other test uses.
fn own_name() -> String {
    format!("talk {}", std::process::id())
}

/// The lines of each task that has made calls, in an order that no run changes.
type Tasks = Vec<Vec<String>>;

fn observed(name: &str) -> Tasks {
    let mut stage = Stage::new();
    let mut command = talk(name);
    command.env("TALK", own_name());
    stage.start(FIRST, command);
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    let mut tasks: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for call in stage.calls() {
        let end = call.end.as_ref().map(|(_, end)| end);
        tasks
            .entry(call.start.tid)
            .or_default()
            .push(line(&call.start, end));
    }
    sorted(tasks.into_values())
}

fn witnessed(name: &str) -> Tasks {
    let folder = tempfile::tempdir().expect("there is room");
    let talk = talk(name);
    let keep = KEEP.to_string();
    let status = Command::new("strace")
        .args(["-ff", "-y", "-s", &keep, "-e", "signal=none", "-e", TRACED])
        .arg("-o")
        .arg(folder.path().join("task"))
        .arg(talk.get_program())
        .args(talk.get_args())
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
        "threaded" => {
            let without =
                |lines: Vec<String>| lines.iter().map(|line| without_numbers(line)).collect();
            sorted(tasks.into_iter().map(without))
        }
        "forking" | "inherited" => sorted(tasks.into_iter().map(|mut lines| {
            lines.retain(|line| !line.ends_with("interrupted"));
            lines
        })),
        _ => tasks,
    };
    let (ours, theirs) = (comparable(observed(name)), comparable(witnessed(name)));
    assert!(!ours.is_empty());
    assert_eq!(ours, theirs, "ours left, strace right");
}
