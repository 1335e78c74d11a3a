//! The languages that exercises are written in.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fmt};

use serde::{Deserialize, Serialize};

use crate::cargo::cargo;

/// A language. Its small letters are the name of its folder, too.
#[derive(
    Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// A package with two programs.
    Rust,
    /// Two files that python3 runs.
    Python,
}

impl Language {
    /// The name of its folder: in small letters.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
        }
    }

    /// Which language the work in a folder is written in.
    pub fn of_folder(folder: &Path) -> Option<Self> {
        let there = |name| folder.join(name).is_file();
        if there("Cargo.toml") {
            Some(Self::Rust)
        } else {
            (there("server.py") || there("client.py")).then_some(Self::Python)
        }
    }

    /// Which language a file is written in that has marks for gaps.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        match path.extension().and_then(OsStr::to_str) {
            Some("rs") => Some(Self::Rust),
            Some("py") => Some(Self::Python),
            _ => None,
        }
    }

    pub(crate) fn comment(self) -> &'static str {
        match self {
            Self::Rust => "//",
            Self::Python => "#",
        }
    }

    /// A statement that ends the program with this message.
    pub(crate) fn failing(self, message: &str) -> String {
        match self {
            Self::Rust => format!("todo!(\"{message}\");"),
            Self::Python => format!("raise NotImplementedError(\"{message}\")"),
        }
    }

    /// What has to be run in a folder before its programs can be started. It
    /// writes what cargo found out as JSON lines to stdout.
    pub fn build(self, folder: &Path, format: &str) -> Option<Command> {
        (self == Self::Rust).then(|| {
            let mut build = Command::new(cargo());
            build
                .args(["build", "--quiet", "--message-format", format])
                .arg("--target-dir")
                .arg(folder.join("target"))
                .current_dir(folder);
            build
        })
    }

    /// The command line of a side, `server` or `client`.
    pub fn program(self, folder: &Path, side: &str) -> String {
        match self {
            Self::Rust => {
                let name = format!("{side}{}", env::consts::EXE_SUFFIX);
                quoted(&folder.join("target/debug").join(name))
            }
            Self::Python => {
                let file = folder.join(format!("{side}.py"));
                format!("{} {}", quoted(Path::new(python())), quoted(&file))
            }
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
        })
    }
}

/// The interpreter itself. What is called python3 may be a script that looks for
/// it anew each time, and takes longer for that than a check does.
pub fn python() -> &'static str {
    static ITSELF: OnceLock<String> = OnceLock::new();
    ITSELF.get_or_init(|| {
        let itself = Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output();
        let said = itself.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
        let path = said.ok().filter(|path| !path.is_empty());
        path.unwrap_or_else(|| "python3".into())
    })
}

fn quoted(path: &Path) -> String {
    shell_words::quote(&path.to_string_lossy()).into_owned()
}
