//! A program that is run to its end, and what it has said.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use timeline::Timeline;

/// `dial` with these words.
pub fn dial(words: &[&str]) -> Command {
    let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
    dial.args(words).stdin(Stdio::null());
    dial.current_dir(env!("CARGO_MANIFEST_DIR"));
    dial
}

/// The program `lesson-N`, built: it stands beside that of the command line.
#[cfg(target_os = "linux")]
pub fn lesson(number: u32) -> String {
    let name = format!("lesson-{number}");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", &name]);
    Said::by(build.current_dir(env!("CARGO_MANIFEST_DIR"))).ended_with(0);
    let program = Path::new(env!("CARGO_BIN_EXE_dial")).with_file_name(name);
    program.to_str().unwrap().to_string()
}

/// What a program has said until its end.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub errors: String,
    pub status: Option<i32>,
}

impl Said {
    pub fn by(command: &mut Command) -> Self {
        let output = command.output().expect("it is installed");
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            out: text(output.stdout),
            errors: text(output.stderr),
            status: output.status.code(),
        }
    }

    #[track_caller]
    pub fn ended_with(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }

    /// On stdout.
    #[track_caller]
    pub fn says(&self, parts: &[&str]) -> &Self {
        has(&self.out, parts);
        self
    }

    /// On stderr.
    #[track_caller]
    pub fn complains(&self, parts: &[&str]) -> &Self {
        has(&self.errors, parts);
        self
    }
}

#[track_caller]
pub fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[track_caller]
pub fn has_not(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part:?} in:\n{text}");
    }
}

/// These Python programs behind the words of a command, with `::` between them.
pub fn with_programs(words: &[&str], programs: &[&str]) -> Command {
    let mut dial = dial(words);
    for (index, program) in programs.iter().enumerate() {
        let before = if index == 0 { "--" } else { "::" };
        dial.args([before, "python3", "-c", program]);
    }
    dial
}

/// What a command records of Python programs.
pub fn recorded(words: &[&str], programs: &[&str]) -> Timeline {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("timeline.jsonl");
    let words = [words, &["--out", file.to_str().unwrap()]].concat();
    // Without a home, Python asks the name service where it is when it starts, and
    // these calls stand in the X-ray too.
    let mut dial = with_programs(&words, programs);
    Said::by(dial.env("HOME", folder.path())).ended_with(0);
    views::json::read(fs::read_to_string(file).unwrap()).unwrap()
}
