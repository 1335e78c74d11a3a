//! A real terminal.

#[cfg(target_os = "linux")]
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// After the program: its status, the terminal's settings, and a shell that
/// waits.
const AFTER: &str = r#"; echo "left with $?"; stty -a; echo "end of settings"; read line"#;

/// A terminal of its own, in a tmux of its own.
pub struct Terminal {
    folder: TempDir,
}

impl Terminal {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs a command line in a terminal of this size, in a folder of its own.
    pub fn run(&self, line: &str, (width, height): (u16, u16)) {
        let (width, height) = (width.to_string(), height.to_string());
        let line = format!("{line}{AFTER}");
        let size = ["-x", &width, "-y", &height];
        let mut arguments = vec!["-f", "/dev/null", "new-session", "-d"];
        arguments.extend(size);
        arguments.extend(["sh", "-c", &line]);
        self.tmux(&arguments);
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn tmux(&self, arguments: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.path().join("tmux")).args(arguments);
        let output = tmux.current_dir(self.path()).output().expect("tmux");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn key(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The screen, as soon as this is so.
    pub fn wait(&self, what: &str, so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let screen = self.screen();
            if so(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "never {what}:\n{screen}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn wait_for(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// The process that runs in the terminal.
    #[cfg(target_os = "linux")]
    pub fn program(&self) -> u32 {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let children = format!("/proc/{0}/task/{0}/children", shell.trim());
        let children = fs::read_to_string(children).unwrap();
        children.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Waits for the settings of the terminal, and looks whether they are those
    /// of a terminal in which a person types.
    pub fn is_given_back(&self) -> String {
        let screen = self.wait_for("end of settings");
        let words: Vec<&str> = screen.split_whitespace().collect();
        assert!(
            words.contains(&"icanon") && words.contains(&"echo"),
            "{screen}"
        );
        let state = "#{alternate_on} #{cursor_flag}";
        let state = self.tmux(&["display-message", "-p", state]);
        assert_eq!(state.trim(), "0 1", "the usual screen, and a cursor");
        screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.path().join("tmux"));
        let _ = tmux.arg("kill-server").output();
    }
}
