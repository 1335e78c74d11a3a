//! A command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::{env, io, iter};

use timeline::Kind;
use wire::Side;

/// A command line: which program, with which arguments.
#[derive(Clone, Debug)]
pub struct Program {
    executable: Option<PathBuf>,
    args: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    host: Option<Side>,
}

impl Program {
    /// Any program, by its path or by a name that PATH resolves.
    pub fn new(executable: impl Into<PathBuf>) -> Self {
        Self {
            executable: Some(executable.into()),
            args: Vec::new(),
            environment: Vec::new(),
            host: None,
        }
    }

    /// One side of this very executable: `server` plays what `… server` runs.
    /// So a scene never plays a program that is older than itself.
    pub fn side(side: &str) -> Self {
        Self {
            executable: None,
            args: vec![side.into()],
            environment: Vec::new(),
            host: Side::BOTH.into_iter().find(|host| host.name() == side),
        }
    }

    /// Has it play on this host, where there are two. If nothing is said, the
    /// sides `server` and `client` play on the hosts of their name; of others, the
    /// first program plays on the server's host, and all that follow on the
    /// client's.
    #[must_use]
    pub fn on(mut self, host: Side) -> Self {
        self.host = Some(host);
        self
    }

    /// The host on which it is to play, where there are two.
    pub fn host(&self) -> Option<Side> {
        self.host
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Its command line in words, to be named in an error.
    pub fn line(&self) -> String {
        let command = self.command();
        command.map_or_else(|error| error.to_string(), |it| words(&it).join(" "))
    }

    pub(crate) fn command(&self) -> io::Result<Command> {
        let executable = match &self.executable {
            Some(path) => path.clone(),
            None => env::current_exe()?,
        };
        let mut command = Command::new(executable);
        command.args(&self.args);
        let set = self.environment.iter();
        command.envs(set.map(|(name, value)| (name, value)));
        Ok(command)
    }
}

/// The words of a command line.
fn words(command: &Command) -> Vec<String> {
    let words = iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

/// That a program was started in this lane.
pub(crate) fn started(lane: &str, command: &Command) -> Kind {
    Kind::Started {
        lane: lane.to_string(),
        command: words(command),
    }
}
