//! A check that is interrupted leaves nothing behind.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

/// A program that is not impressed by signals, as is the one that it starts. Both
/// say who they are.
const STUBBORN: &str = "trap '' INT TERM HUP; \
    setsid sh -c 'echo $$ > child; while :; do sleep 60; done' & \
    echo $$ > parent; while :; do sleep 60; done";

#[rstest]
#[case::ctrl_c(Signal::INT)]
#[case::terminated(Signal::TERM)]
#[case::the_terminal_is_closed(Signal::HUP)]
fn an_interrupted_check_ends_all_programs_and_takes_its_files_away(#[case] signal: Signal) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--package", "lesson-1"])
        .current_dir(root)
        .status();
    assert!(built.unwrap().success());
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    fs::write(folder.path().join("stubborn.sh"), STUBBORN).unwrap();
    let mut check = Command::new(Path::new(env!("CARGO_BIN_EXE_dial")).with_file_name("lesson-1"))
        .args([
            "check",
            "--only",
            "1/start/says-where",
            "--server",
            "sh stubborn.sh",
        ])
        .current_dir(folder.path())
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
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
    kill_process(Pid::from_child(&check), signal).unwrap();
    wait("the check ends", &mut || {
        check.try_wait().unwrap().is_some()
    });
    assert_eq!(check.wait().unwrap().code(), Some(130));
    for pid in pids {
        let process = Path::new("/proc").join(pid.to_string());
        assert!(!process.exists(), "{pid} goes on");
    }
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
}
