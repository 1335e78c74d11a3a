//! A check that is interrupted leaves nothing behind.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// A program that is not impressed by signals, as is the one that it starts. Both
/// say who they are.
const STUBBORN: &str = "cd \"${0%/*}\"; trap '' INT TERM HUP; \
    setsid sh -c 'echo $$ > child; while :; do sleep 60; done' & \
    echo $$ > parent; while :; do sleep 60; done";

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The lesson's own program.
fn lesson() -> Command {
    let mut check = Command::new(Path::new(env!("CARGO_BIN_EXE_dial")).with_file_name("lesson-1"));
    check.arg("check");
    check
}

/// What a learner types.
fn dial() -> Command {
    let mut check = Command::new(env!("CARGO_BIN_EXE_dial"));
    check.args(["check", "1"]);
    check
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
    let built = cargo()
        .args(["build", "--quiet", "--package", "lesson-1"])
        .current_dir(ROOT)
        .status();
    assert!(built.unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let stubborn = folder.path().join("stubborn.sh");
    fs::write(&stubborn, STUBBORN).unwrap();
    let mut check = check
        .args(["--only", "1/start/says-where", "--server"])
        .arg(format!("sh {}", stubborn.display()))
        .current_dir(ROOT)
        .env("TMPDIR", &temporary)
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let wait = |what: &str, so: &mut dyn FnMut() -> bool| {
        while !so() {
            assert!(Instant::now() < deadline, "{what}");
            thread::sleep(Duration::from_millis(5));
        }
    };
    let mut pids = Vec::new();
    for name in ["parent", "child"] {
        wait(name, &mut || {
            let text = fs::read_to_string(folder.path().join(name)).unwrap_or_default();
            text.trim().parse::<u32>().map(|pid| pids.push(pid)).is_ok()
        });
    }
    let pid = Pid::from_child(&check);
    match to_all {
        true => kill_process_group(pid, signal).unwrap(),
        false => kill_process(pid, signal).unwrap(),
    }
    wait("the check ends", &mut || {
        check.try_wait().unwrap().is_some()
    });
    for pid in pids {
        let process = Path::new("/proc").join(pid.to_string());
        assert!(!process.exists(), "{pid} goes on");
    }
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
    let output = check.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.ends_with("\ninterrupted\n"), "{said}");
}
