//! Exercises as a person does them: begin, watch, save, pass.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::Read;
use std::io::{BufRead, BufReader};
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use exercise::{Language, Part, Sources};
use rstest::rstest;

use super::said::{Said, dial, has, has_not};
#[cfg(unix)]
use super::terminal::Terminal;

/// A learner's folder of its own.
struct Learner {
    folder: tempfile::TempDir,
}

impl Learner {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("my").join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut dial = dial(args);
        dial.env("DIALTONE_MY", self.path(""));
        dial
    }

    fn said(&self, args: &[&str]) -> Said {
        Said::by(&mut self.command(args))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path("")).unwrap();
        fs::write(self.path(name), text).unwrap();
    }
}

/// A row of the file of progress.
fn row(lesson: u32, language: &str, is_passed: bool) -> String {
    let begun = "\"2026-01-02T03:04:05Z\"";
    let passed = if is_passed { begun } else { "null" };
    format!(
        r#"{{"lesson": {lesson}, "language": "{language}", "begun": {begun}, "passed": {passed}}}"#
    )
}

/// The solution of lesson 2 in Rust: server and client.
fn solution(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = Sources::new(&root, &root.join("lessons/02-loop-server"), Language::Rust);
    let files = sources.files(Part::Solution).unwrap();
    files.into_iter().find(|file| file.0 == name).unwrap().1
}

#[rstest]
#[case::rust("rust", "server.rs", "todo!(\"gap 1: ")]
#[case::python("python", "server.py", "raise NotImplementedError(\"gap 1: ")]
fn start_puts_a_starter_there_and_says_in_three_lines_what_to_do(
    #[case] language: &str,
    #[case] file: &str,
    #[case] gap: &str,
) {
    let learner = Learner::new();
    let said = learner.said(&["start", "1", "--lang", language]);
    let said = said.ended_with(0).out;
    let to_do = said.lines().filter(|line| line.starts_with("  "));
    assert_eq!(to_do.count(), 3, "{said}");
    has(&learner.read(&format!("lesson-1/{file}")), &[gap]);
}

#[test]
fn start_refuses_to_write_over_work_and_again_puts_it_aside() {
    let learner = Learner::new();
    learner.said(&["start", "1", "--lang", "python"]);
    learner.write("lesson-1/server.py", "mine");
    let refused = learner.said(&["start", "1", "--lang", "rust"]);
    let refused = refused.ended_with(1);
    refused.complains(&["cargo dial start 1 --again"]);
    assert_eq!(learner.read("lesson-1/server.py"), "mine");
    let again = learner.said(&["start", "1", "--again"]).ended_with(0);
    again.says(&["lesson-1.old-1"]);
    assert_eq!(learner.read("lesson-1.old-1/server.py"), "mine");
}

#[test]
fn a_lesson_begun_and_one_passed_stand_in_a_column_of_the_list() {
    let learner = Learner::new();
    let rows = [row(1, "rust", true), row(2, "rust", false)];
    learner.write("progress.json", &format!("[{}]", rows.join(",\n")));
    let said = learner.said(&["list"]).ended_with(0).out;
    let column = [
        "1  passed  bare connect, ",
        "2  begun   loop server, ",
        "3          UDP bind, ",
    ];
    has(&said, &column);
    let widest = said.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{said}");
}

#[rstest]
#[case::start(&["start", "1"])]
#[case::watch(&["watch", "1", "--once"])]
#[case::solution(&["solution", "1"])]
#[case::progress(&["progress"])]
#[case::list(&["list"])]
fn a_broken_progress_file_is_a_clear_error_and_is_kept(#[case] args: &[&str]) {
    let learner = Learner::new();
    let broken = "[{\"lesson\": 1,";
    learner.write("progress.json", broken);
    let said = learner.said(args).ended_with(1);
    said.complains(&["progress.json", "line 1", "cargo dial progress --reset"]);
    assert_eq!(args == ["list"], said.out.contains("bare connect"));
    assert_eq!(learner.read("progress.json"), broken);
    assert!(!learner.path("lesson-1").exists());
}

#[test]
fn the_solution_is_shown_after_passing_or_with_a_sentence() {
    let learner = Learner::new();
    let refused = learner.said(&["solution", "2"]).ended_with(1);
    assert_eq!(refused.complains(&["--solution"]).out, "");
    let shown = learner.said(&["start", "2", "--lang", "rust", "--solution"]);
    let shown = shown.ended_with(0).out;
    has(&shown, &["not passed", "write_all"]);
    has_not(&shown, &["gap"]);
    assert!(!learner.path("lesson-2").exists());
    learner.write("progress.json", &format!("[{}]", row(2, "python", true)));
    let shown = learner.said(&["solution", "2"]).ended_with(0).out;
    has(&shown, &["sendall"]);
    has_not(&shown, &["not passed"]);
}

#[rstest]
#[case::the_last_lesson(&["watch"])]
#[case::one_lesson(&["watch", "3"])]
fn watch_without_anything_begun_says_how_to_begin(#[case] args: &[&str]) {
    let said = Learner::new().said(args).ended_with(1);
    said.complains(&["cargo dial start"]);
}

/// A running watch, and what it says.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with this in it; gives what came before it.
    fn until(&self, wanted: &str) -> String {
        let end = Instant::now() + Duration::from_secs(120);
        let mut before = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return before,
                Ok(line) => before += &format!("{line}\n"),
                Err(_) => panic!("no {wanted:?} in:\n{before}"),
            }
        }
    }

    #[cfg(unix)]
    fn interrupt(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn watch_follows_the_work_from_the_first_gap_to_the_last_check() {
    let learner = Learner::new();
    learner.said(&["start", "2", "--lang", "rust"]);
    let watch = Watch::start(learner.command(&["watch"]));
    watch.until("FAILED  2/start/says-where");
    watch.until("not yet implemented: gap 1: ");
    watch.until("1 failed");

    learner.write("lesson-2/server.rs", "fn main() { one(); two() }\n");
    watch.until("The compiler asks for something");
    watch.until("cannot find function `one`");
    let between = watch.until("1 more after this one.");
    has_not(&between, &["`two`"]);

    learner.write("lesson-2/server.rs", &solution("server.rs"));
    let before = watch.until("FAILED  2/client/answer");
    has(&before, &["ok  2/start/says-where"]);
    watch.until("1 failed");

    learner.write("lesson-2/client.rs", &solution("client.rs"));
    // What failed last comes first.
    let before = watch.until("ok  2/client/answer");
    has_not(&before, &["ok  2/start"]);
    watch.until("All checks are passed.");
    watch.until("cargo dial start 3");
    has(&learner.read("progress.json"), &["\"passed\": \"20"]);
    watch.interrupt();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs python3"]
fn when_watch_is_interrupted_in_a_check_nothing_is_left_behind() {
    let learner = Learner::new();
    learner.said(&["start", "1", "--lang", "python"]);
    // A line that is open as long as the server or its child lives.
    let line = learner.path("line");
    let listener = UnixListener::bind(&line).unwrap();
    let text = format!(
        "import os, socket, time\nline = socket.socket(socket.AF_UNIX)\n\
         line.connect({line:?})\nos.fork()\nline.send(b'.')\ntime.sleep(1000)\n",
    );
    learner.write("lesson-1/server.py", &text);
    let (send, lives) = mpsc::channel();
    thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        line.read_exact(&mut [0; 2]).unwrap();
        send.send(true).unwrap();
        line.read_to_end(&mut Vec::new()).unwrap();
        send.send(false).unwrap();
    });
    let temporary = learner.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut command = learner.command(&["watch", "1"]);
    command.env("TMPDIR", &temporary);
    let watch = Watch::start(command);
    watch.until("Checks of lesson 1");
    assert_eq!(lives.recv_timeout(Duration::from_secs(60)), Ok(true));
    watch.interrupt();
    // A check that nobody ends would go on for five seconds.
    assert_eq!(lives.recv_timeout(Duration::from_secs(2)), Ok(false));
    let work = learner.path("lesson-1").to_string_lossy().into_owned();
    assert!(!is_running(&work));
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
}

/// Whether a process has this text in its command line.
#[cfg(target_os = "linux")]
fn is_running(text: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| String::from_utf8_lossy(&line).contains(text))
}

#[cfg(unix)]
#[test]
#[ignore = "needs tmux"]
fn in_a_terminal_h_shows_a_hint_enter_runs_again_and_q_ends() {
    let learner = Learner::new();
    learner.said(&["start", "2", "--lang", "rust"]);
    let terminal = Terminal::new();
    let watch = format!(
        "cd '{}'; DIALTONE_MY='{}' '{}' watch",
        env!("CARGO_MANIFEST_DIR"),
        learner.path("").display(),
        env!("CARGO_BIN_EXE_dial"),
    );
    terminal.run(&watch, (80, 50));
    terminal.wait_for("h next hint");
    terminal.key("h");
    terminal.wait_for("hint 1 of 1: ");
    terminal.key("Enter");
    terminal.wait("a new round", |screen| {
        screen.contains("lesson-2") && !screen.contains("hint 1 of 1: ")
    });
    terminal.wait_for("h next hint");
    terminal.key("q");
    // The terminal shows again what is typed.
    has(&terminal.is_given_back(), &["left with 0"]);
}
