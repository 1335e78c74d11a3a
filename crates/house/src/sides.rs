//! What the server and the client of each lesson owe to a person at a terminal.

use std::process::{Command, Output};

/// One of the two programs of a lesson.
#[derive(Clone, Copy, Debug)]
pub struct LessonSide {
    executable: &'static str,
    command: &'static str,
}

impl LessonSide {
    /// The program, and how a person starts it: `cargo run -p lesson-1 server`.
    pub const fn new(executable: &'static str, command: &'static str) -> Self {
        Self {
            executable,
            command,
        }
    }

    fn run(self, args: &[&str]) -> Output {
        let output = Command::new(self.executable).args(args).output();
        output.expect("start the program")
    }

    /// # Panics
    /// When the help has no example that can be copied.
    pub fn help_shows_an_example(self) {
        let output = self.run(&["--help"]);
        let help = String::from_utf8(output.stdout).expect("help is text");
        let example = format!(":\n  {}", self.command);
        assert!(
            output.status.success() && help.contains(&example),
            "no {example:?} in:\n{help}"
        );
    }

    /// # Panics
    /// When a flag that does not exist is not refused with status 2.
    pub fn wrong_usage_is_status_2(self) {
        let output = self.run(&["--loud"]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("--loud"), "{said}");
    }

    /// A file that takes nothing is like a pipe that nobody reads. Unlike with a
    /// pipe, no process that another test is starting can hold its other end.
    ///
    /// # Panics
    /// When the server ends otherwise than quietly, with status 1.
    pub fn ends_quietly_where_nothing_can_be_written(self) {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut server = Command::new(self.executable);
        server.args(["--addr", "127.0.0.1:0"]);
        server.stdout(full.expect("open /dev/full"));
        let output = server.output().expect("start the server");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(output.status.code(), Some(1));
    }
}

/// # Panics
/// When the lesson's own programs do not pass its checks, with the report.
pub fn our_own_programs_pass(executable: &str) {
    let check = Command::new(executable).arg("check").output();
    let check = check.expect("start the checks");
    let report = String::from_utf8_lossy(&check.stdout);
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{report}\n{errors}");
}
