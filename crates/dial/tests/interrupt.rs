//! A check that is interrupted leaves nothing behind.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::said::{self, Said};

/// A program that is not impressed by signals, as is the one that it starts. Both
/// say who they are, into a pipe.
const STUBBORN: &str = "exec 3> \"${0%/*}/pipe\"; trap '' INT TERM HUP; \
    setsid sh -c 'echo $$ >&3; while :; do sleep 60; done' & \
    echo $$ >&3; while :; do sleep 60; done";

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The lesson's own program.
fn lesson() -> Command {
    let mut check = Command::new(said::lesson(1));
    check.arg("check");
    check
}

/// What a learner types.
fn dial() -> Command {
    said::lesson(1);
    said::dial(&["check", "1"])
}

/// The terminal sends it to all, kill to one.
#[rstest]
#[case::ctrl_c(lesson(), Signal::INT, true)]
#[case::terminated(lesson(), Signal::TERM, false)]
#[case::the_terminal_is_closed(lesson(), Signal::HUP, true)]
#[case::ctrl_c_below_dial(dial(), Signal::INT, true)]
#[case::dial_is_terminated(dial(), Signal::TERM, false)]
fn who_waits_for_an_interrupted_check_finds_that_nothing_of_it_is_left(
    #[case] mut check: Command,
    #[case] signal: Signal,
    #[case] to_all: bool,
) {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let stubborn = folder.path().join("stubborn.sh");
    fs::write(&stubborn, STUBBORN).unwrap();
    let pipe = folder.path().join("pipe");
    Said::by(Command::new("mkfifo").arg(&pipe)).ended_with(0);
    let mut check = check
        .args(["--only", "1/start/says-where", "--server"])
        .arg(format!("sh {}", stubborn.display()))
        .current_dir(ROOT)
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let running = within_a_minute(move || {
        let pids = BufReader::new(File::open(pipe).unwrap()).lines().take(2);
        pids.collect::<Result<Vec<String>, _>>().unwrap()
    });
    let goes_on = |pid: &String| Path::new("/proc").join(pid).exists();
    assert!(running.iter().all(goes_on), "{running:?}");
    let pid = Pid::from_child(&check);
    match to_all {
        true => kill_process_group(pid, signal).unwrap(),
        false => kill_process(pid, signal).unwrap(),
    }
    let (status, mut stdout) = within_a_minute(move || {
        let status = check.wait().unwrap();
        (status, check.stdout.take().unwrap())
    });
    assert!(!running.iter().any(goes_on), "{running:?}");
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
    assert_eq!(status.code(), Some(130));
    let mut said = String::new();
    stdout.read_to_string(&mut said).unwrap();
    assert!(said.ends_with("\ninterrupted\n"), "{said}");
}

/// What this comes back with, which waits for others.
fn within_a_minute<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, done) = mpsc::channel();
    thread::spawn(move || send.send(wait()));
    let done = done.recv_timeout(Duration::from_secs(60));
    done.expect("it comes within a minute")
}
