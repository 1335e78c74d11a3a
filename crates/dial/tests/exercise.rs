//! Exercises as a person does them: begin, watch, save, pass.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::Read;
use std::io::{BufRead, BufReader};
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use exercise::{Language, Part, Sources};
use rstest::rstest;

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
        let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
        dial.args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("DIALTONE_MY", self.path(""));
        dial
    }

    fn dial(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Its text, and whether the status was 0.
    fn said(&self, args: &[&str]) -> (String, String, bool) {
        let output = self.dial(args);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let success = output.status.success();
        (text(output.stdout), text(output.stderr), success)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path("")).unwrap();
        fs::write(self.path(name), text).unwrap();
    }
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
    let (said, errors, success) = learner.said(&["start", "1", "--lang", language]);
    assert!(success, "{errors}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("  ")).count(),
        3,
        "{said}"
    );
    let text = fs::read_to_string(learner.path("lesson-1").join(file)).unwrap();
    assert!(text.contains(gap), "{text}");
}

#[test]
fn start_refuses_to_write_over_work_and_again_puts_it_aside() {
    let learner = Learner::new();
    learner.dial(&["start", "1", "--lang", "python"]);
    learner.write("lesson-1/server.py", "mine");
    let (_, errors, success) = learner.said(&["start", "1", "--lang", "rust"]);
    assert!(
        !success && errors.contains("cargo dial start 1 --again"),
        "{errors}"
    );
    let mine = fs::read_to_string(learner.path("lesson-1/server.py")).unwrap();
    assert_eq!(mine, "mine");
    let (said, _, success) = learner.said(&["start", "1", "--again"]);
    assert!(success && said.contains("lesson-1.old-1"), "{said}");
    let mine = fs::read_to_string(learner.path("lesson-1.old-1/server.py")).unwrap();
    assert_eq!(mine, "mine");
}

#[test]
fn a_lesson_begun_and_one_passed_stand_in_a_column_of_the_list() {
    let learner = Learner::new();
    let row = |lesson: u32, passed: &str| {
        format!(
            r#"{{"lesson": {lesson}, "language": "rust", "begun": "2026-01-02T03:04:05Z", "passed": {passed}}}"#
        )
    };
    let rows = [row(1, "\"2026-01-02T03:04:05Z\""), row(2, "null")];
    learner.write("progress.json", &format!("[{}]", rows.join(",\n")));
    let (said, errors, success) = learner.said(&["list"]);
    assert!(success, "{errors}");
    assert!(said.contains("1  passed  bare connect, "), "{said}");
    assert!(said.contains("2  begun   loop server, "), "{said}");
    assert!(said.contains("3          UDP bind, "), "{said}");
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
    let (said, errors, success) = learner.said(args);
    assert!(!success);
    assert!(
        errors.contains("progress.json") && errors.contains("line 1"),
        "{errors}"
    );
    assert!(errors.contains("cargo dial progress --reset"), "{errors}");
    assert_eq!(args == ["list"], said.contains("bare connect"), "{said}");
    assert_eq!(
        fs::read_to_string(learner.path("progress.json")).unwrap(),
        broken
    );
    assert!(!learner.path("lesson-1").exists());
}

#[test]
fn the_solution_is_shown_after_passing_or_with_a_sentence() {
    let learner = Learner::new();
    let (said, errors, success) = learner.said(&["solution", "2"]);
    assert!(
        !success && said.is_empty() && errors.contains("--solution"),
        "{errors}"
    );
    let (said, _, success) = learner.said(&["start", "2", "--lang", "rust", "--solution"]);
    assert!(
        success && said.contains("not passed") && said.contains("write_all"),
        "{said}"
    );
    assert!(!said.contains("gap"), "{said}");
    assert!(!learner.path("lesson-2").exists());
    let row = r#"[{"lesson": 2, "language": "python", "begun": "2026-01-02T03:04:05Z",
                   "passed": "2026-01-02T03:04:05Z"}]"#;
    learner.write("progress.json", row);
    let (said, _, success) = learner.said(&["solution", "2"]);
    assert!(
        success && said.contains("sendall") && !said.contains("not passed"),
        "{said}"
    );
}

#[test]
fn watch_without_anything_begun_says_how_to_begin() {
    let learner = Learner::new();
    for args in [&["watch"][..], &["watch", "3"]] {
        let (_, errors, success) = learner.said(args);
        assert!(!success && errors.contains("cargo dial start"), "{errors}");
    }
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
    fn until(&self, wanted: &str) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(120);
        let mut before = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return before,
                Ok(line) => before.push(line),
                Err(_) => panic!("no {wanted:?} in:\n{}", before.join("\n")),
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
    learner.dial(&["start", "2", "--lang", "rust"]);
    let watch = Watch::start(learner.command(&["watch"]));
    watch.until("FAILED  2/start/says-where");
    watch.until("not yet implemented: gap 1: ");
    watch.until("1 failed");

    learner.write("lesson-2/server.rs", "fn main() { one(); two() }\n");
    watch.until("The compiler asks for something");
    watch.until("cannot find function `one`");
    let between = watch.until("1 more after this one.");
    assert!(!between.join("").contains("`two`"), "{between:?}");

    learner.write("lesson-2/server.rs", &solution("server.rs"));
    let before = watch.until("FAILED  2/client/answer");
    assert!(
        before.join("\n").contains("ok  2/start/says-where"),
        "{before:?}"
    );
    watch.until("1 failed");

    learner.write("lesson-2/client.rs", &solution("client.rs"));
    // What failed last comes first.
    let before = watch.until("ok  2/client/answer");
    assert!(!before.join("\n").contains("ok  2/start"), "{before:?}");
    watch.until("All checks are passed.");
    watch.until("cargo dial start 3");
    let progress = fs::read_to_string(learner.path("progress.json")).unwrap();
    assert!(progress.contains("\"passed\": \"20"), "{progress}");
    watch.interrupt();
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs python3"]
fn when_watch_is_interrupted_in_a_check_nothing_is_left_behind() {
    let learner = Learner::new();
    learner.dial(&["start", "1", "--lang", "python"]);
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
    assert_eq!(process_of(&work), None);
    assert_eq!(fs::read_dir(temporary).unwrap().count(), 0);
}

/// The command line of a process in which this text is.
#[cfg(target_os = "linux")]
fn process_of(text: &str) -> Option<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let line = lines.find(|line| String::from_utf8_lossy(line).contains(text))?;
    Some(String::from_utf8_lossy(&line).replace('\0', " "))
}

#[cfg(unix)]
#[test]
#[ignore = "needs tmux"]
fn in_a_terminal_h_shows_a_hint_enter_runs_again_and_q_ends() {
    let learner = Learner::new();
    learner.dial(&["start", "2", "--lang", "rust"]);
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
    let screen = terminal.is_given_back();
    assert!(screen.contains("left with 0"), "{screen}");
}
