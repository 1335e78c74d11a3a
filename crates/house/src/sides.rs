//! What the server and the client of each lesson owe to a person at a terminal.

use std::process::{Command, Output};

use scene::Program;

use crate::rehearsal::Rehearsal;

/// One of the two programs of a lesson.
#[derive(Clone, Copy, Debug)]
pub struct LessonSide {
    executable: &'static str,
    command: &'static str,
    args: &'static str,
}

impl LessonSide {
    /// The program, how a person starts it (`cargo run -p lesson-1 server`), and how
    /// the checks do: `--addr {addr}`, and what else the exercise asks for.
    pub fn new(executable: &'static str, command: &'static str, args: &'static str) -> Self {
        Self {
            executable,
            command,
            args,
        }
    }

    /// Where the program is.
    pub fn executable(self) -> &'static str {
        self.executable
    }

    /// The command with which the checks start it.
    pub fn for_checks(self) -> String {
        format!("{} {}", shell_words::quote(self.executable), self.args)
    }

    /// Its flag for the address.
    pub(crate) fn address(self) -> &'static str {
        self.args.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn program(self) -> Program {
        Program::new(self.executable)
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(self, args: &[&str]) -> Output {
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
    /// When a flag that does not exist, or an address that is none, is not refused.
    pub fn wrong_usage_is_status_2(self) {
        self.refuses(&["--loud"], "--loud");
        for addr in ["127.0.0.1", ":8081", "127.0.0.1:65536"] {
            self.refuses(&[self.address(), addr], self.address());
        }
    }

    /// # Panics
    /// When the program does not end with status 2 at these arguments, and names
    /// what is wrong or what would be right.
    pub fn refuses(self, args: &[&str], named: &str) {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "");
        assert!(said.contains(named), "no {named:?} in:\n{said}");
    }

    /// # Panics
    /// When the server is not where it was told to be, or does not tell its real port.
    pub fn listens_where_it_is_told(self) {
        for (addr, ip) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("[::1]:0", "::1"),
            ("localhost:0", "127.0.0.1"),
            ("0.0.0.0:0", "0.0.0.0"),
        ] {
            let (_, told) = Rehearsal::of(self, self).server_at(addr, &[]);
            assert_eq!(told.ip().to_string(), ip);
            assert_ne!(told.port(), 0);
        }
    }

    /// # Panics
    /// When the server does not say in one line why it cannot be at an address, and
    /// what to do about it.
    pub fn says_why_it_cannot_listen(self) {
        let mut stage = Rehearsal::of(self, self);
        let (_, taken) = stage.server(&[]);
        let in_use = format!("bind {taken}: address already in use");
        for (addr, reason) in [
            (&*taken.to_string(), &*in_use),
            ("192.0.2.1:0", "bind 192.0.2.1:0: "),
            // A name with two dots in a row is looked up nowhere.
            ("local..host:8080", "resolve local..host:8080: "),
        ] {
            let server = stage.start_server(&["--addr", addr]);
            let error = stage.failure(server);
            assert!(error.starts_with(reason), "{error}");
        }
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
