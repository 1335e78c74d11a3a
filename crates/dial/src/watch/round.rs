//! One round: build, check, and say what comes next.

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;
use colored::Colorize;
use exercise::{Language, My};
use serde_json::Value;

use super::events::{Event, Events};
use super::files::{Files, files};
use super::run::Run;
use crate::lessons::{self, Lesson};
use crate::paper::{self, short};

/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How a round ended.
pub(super) enum Over {
    /// All checks were run, or the first one failed, or there is nothing to check.
    Verdict(bool),
    /// Something was saved, or Enter was pressed: begin again.
    Again,
    /// Enough.
    Quit,
}

/// The work on one lesson, and what was found out about it.
pub(super) struct Work {
    number: u32,
    next: Option<u32>,
    my: My,
    folder: PathBuf,
    language: Language,
    events: Events,
    /// As they were when the round began.
    files: Files,
    executable: PathBuf,
    /// The command lines of the server and the client.
    programs: [String; 2],
    /// What the checks write for us and for themselves; it goes when we go.
    scratch: tempfile::TempDir,
    hint: bool,
    keys: bool,
    /// The check that failed last.
    failed: Option<Value>,
    hints_shown: usize,
}

impl Work {
    pub(super) fn new(
        lesson: &Lesson,
        my: &My,
        folder: PathBuf,
        language: Language,
        events: Events,
        hint: bool,
        keys: bool,
    ) -> Result<Self> {
        let all = lessons::all()?;
        let next = lesson.lesson + 1;
        let scratch = tempfile::TempDir::with_prefix("dialtone-watch-");
        Ok(Self {
            number: lesson.lesson,
            next: all.iter().any(|one| one.lesson == next).then_some(next),
            my: my.clone(),
            files: Files::new(),
            programs: ["server", "client"].map(|side| language.program(&folder, side)),
            folder,
            language,
            events,
            executable: PathBuf::new(),
            scratch: scratch.context("make a temporary folder")?,
            hint,
            keys,
            failed: None,
            hints_shown: 0,
        })
    }

    /// Builds the lesson, whose program has the checks in it.
    pub(super) fn prepare(&mut self, package: &str) -> Result<Over> {
        say(format!("building the checks of lesson {} …", self.number).dimmed())?;
        let mut build = Command::new(lessons::cargo());
        build.args([
            "build",
            "--quiet",
            "--message-format=json",
            "--package",
            package,
        ]);
        let mut run = Run::start(build, true)?;
        let Ok(status) = self.until_end(&mut run)? else {
            return Ok(Over::Quit);
        };
        let (output, errors) = run.wrote();
        if !status.success() {
            bail!("build {package}: {errors}");
        }
        let artifacts = messages(&output).filter_map(|message| match message {
            Message::CompilerArtifact(artifact) if artifact.target.name == package => {
                artifact.executable
            }
            _ => None,
        });
        let executable = artifacts.last().context("the lesson has no program")?;
        self.executable = executable.into();
        Ok(Over::Again)
    }

    pub(super) fn round(&mut self) -> Result<Over> {
        self.files = files(&self.folder);
        self.hints_shown = 0;
        let language = self.language;
        if self.keys {
            // To the upper left, and clear what is below.
            paper::print("\x1b[H\x1b[2J")?;
        }
        say(format!("{} in {language}", short(&self.folder)).bold())?;
        match self.build()? {
            Ok(true) => self.check(),
            Ok(false) => {
                self.say_keys("")?;
                Ok(Over::Verdict(false))
            }
            Err(over) => Ok(over),
        }
    }

    /// Whether there are programs that can be checked.
    fn build(&mut self) -> Result<Result<bool, Over>> {
        let format = if colored::control::SHOULD_COLORIZE.should_colorize() {
            "json-diagnostic-rendered-ansi"
        } else {
            "json"
        };
        let Some(build) = self.language.build(&self.folder, format) else {
            return Ok(Ok(true));
        };
        let start = Instant::now();
        let mut run = Run::start(build, true)?;
        let status = match self.until_end(&mut run)? {
            Ok(status) => status,
            Err(over) => return Ok(Err(over)),
        };
        let (output, errors) = run.wrote();
        if status.success() {
            say(format!("built in {:.1} s", start.elapsed().as_secs_f64()).dimmed())?;
        } else {
            say(not_built(&output, &errors))?;
        }
        Ok(Ok(status.success()))
    }

    fn check(&mut self) -> Result<Over> {
        let report = self.report();
        // A round that was broken off may have found out something.
        if report.exists() {
            self.learn();
            fs::remove_file(&report).context("remove the last report")?;
        }
        let mut check = Command::new(&self.executable);
        check
            .args(["check", "--first"])
            .arg("--report")
            .arg(&report);
        let [server, client] = &self.programs;
        check.args(["--server", server, "--client", client]);
        // What failed last is what one has just mended.
        if let Some(address) = self.address() {
            check.args(["--begin", &address]);
        }
        let way = match self.keys {
            true => "press h".to_string(),
            false => format!("cargo dial watch {} --once --hint", self.number),
        };
        check.args(["--hint-way", &way]);
        check.args(self.hint.then_some("--hint"));
        // What a check puts into a temporary folder goes with ours.
        check.env("TMPDIR", self.scratch.path());
        // A way through the standard library tells a learner nothing.
        check.env("RUST_BACKTRACE", "0");
        let mut run = Run::start(check, false)?;
        let status = match self.until_end(&mut run)? {
            Ok(status) => status,
            Err(over) => return Ok(over),
        };
        self.learn();
        if status.success() {
            self.say_passed()?;
        }
        let hint = self.failed.as_ref().map_or("", |_| "h next hint · ");
        self.say_keys(hint)?;
        Ok(Over::Verdict(status.success()))
    }

    fn report(&self) -> PathBuf {
        self.scratch.path().join("report.json")
    }

    /// Which check has failed, if one has. A report that is cut off says nothing.
    fn learn(&mut self) {
        let report = fs::read(self.report()).unwrap_or_default();
        if let Ok(report) = serde_json::from_slice::<Value>(&report) {
            let checks = report["checks"].as_array();
            let mut failed = checks.into_iter().flatten();
            let failed = failed.find(|check| check["verdict"] == "failed");
            self.failed = failed.cloned();
        }
    }

    fn address(&self) -> Option<String> {
        let address = self.failed.as_ref()?["address"].as_str()?;
        Some(address.to_string())
    }

    /// Waits for the end of a program, unless something happens that makes it
    /// useless: then the program is ended.
    fn until_end(&self, run: &mut Run) -> Result<Result<ExitStatus, Over>> {
        loop {
            if let Some(status) = run.ended()? {
                return Ok(Ok(status));
            }
            match self.events.within(LOOK) {
                Some(Event::Quit) => return Ok(Err(Over::Quit)),
                Some(Event::Again) => return Ok(Err(Over::Again)),
                Some(Event::Touched) if self.is_saved() => {
                    let quit = self.events.settle() == Some(Event::Quit);
                    return Ok(Err(if quit { Over::Quit } else { Over::Again }));
                }
                _ => {}
            }
        }
    }

    /// Whether something was saved since the round began. Before the first round
    /// nothing can be out of date.
    fn is_saved(&self) -> bool {
        !self.files.is_empty() && files(&self.folder) != self.files
    }

    /// True when a new round is wanted, false when it is enough.
    pub(super) fn wait_for_change(&mut self) -> Result<bool> {
        let mut event = self.events.next();
        loop {
            match event {
                Event::Quit => return Ok(false),
                Event::Again => return Ok(true),
                Event::Hint => self.say_hint()?,
                Event::Touched => {
                    if let Some(other) = self.events.settle() {
                        event = other;
                        continue;
                    }
                    if self.is_saved() {
                        return Ok(true);
                    }
                }
            }
            event = self.events.next();
        }
    }

    fn say_passed(&self) -> Result<()> {
        let number = self.number;
        let first = self.my.progress().pass(number, self.language)?;
        say("All checks are passed.".green().bold())?;
        if first {
            say(format!(
                "Written down in {}.",
                short(self.my.progress().path())
            ))?;
        }
        say(format!(
            "Compare yours with ours: cargo dial solution {number}"
        ))?;
        match self.next {
            Some(next) => say(format!("Go on: cargo dial start {next}")),
            None => say("This was the last lesson."),
        }
    }

    fn say_keys(&self, hint: &str) -> Result<()> {
        if !self.keys {
            return Ok(());
        }
        let keys = format!("\nEnter run again · {hint}q end · it runs by itself at each save");
        say(keys.dimmed())
    }

    /// One hint more, from where to look to how.
    fn say_hint(&mut self) -> Result<()> {
        let Some(failed) = &self.failed else {
            return Ok(());
        };
        let hints: Vec<&str> = failed["hints"]
            .as_array()
            .map(|hints| hints.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let number = self.hints_shown + 1;
        let text = match hints.get(self.hints_shown) {
            Some(hint) => format!("hint {number} of {}: {hint}", hints.len()),
            None => {
                let taught = failed["taught"].as_str().unwrap_or_default();
                format!("There is no hint more. Read {taught}")
            }
        };
        self.hints_shown += 1;
        say(paper::wrap(&text, 2))
    }
}

fn messages(output: &[u8]) -> impl Iterator<Item = Message> {
    Message::parse_stream(output).flatten()
}

/// The first error of the compiler as it says it, and how many there are.
fn not_built(output: &[u8], errors: &str) -> String {
    let errors_of_compiler: Vec<String> = messages(output)
        .filter_map(|message| match message {
            Message::CompilerMessage(message) => Some(message.message),
            _ => None,
        })
        .filter(|message| matches!(message.level, DiagnosticLevel::Error))
        .filter(|message| !message.spans.is_empty())
        .filter_map(|message| message.rendered)
        .collect();
    match errors_of_compiler.as_slice() {
        [] => format!("cargo cannot build it:\n\n{}", errors.trim_end()),
        [first] => format!("The compiler asks for something:\n\n{}", first.trim_end()),
        [first, more @ ..] => format!(
            "The compiler asks for something:\n\n{}\n\n{} more after this one.",
            first.trim_end(),
            more.len()
        ),
    }
}

fn say(line: impl Display) -> Result<()> {
    paper::print(&format!("{line}\n"))
}
