//! One round: build, check, and say what comes next.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::events::{Event, Events};
use super::report::{self, Check};
use super::run::Run;
use super::saved::{Files, files};
use super::{Manner, Remark};
use crate::cargo::{cargo, executable, not_built};
use crate::course::{Course, Manifest};
use crate::language::Language;
use crate::my::My;
use crate::number::Number;

/// How often we ask whether a program has ended.
const ENDED_YET: Duration = Duration::from_millis(5);

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
pub(super) struct Work<'a> {
    lesson: Number,
    next: Option<Number>,
    my: My,
    folder: PathBuf,
    language: Language,
    manner: Manner,
    say: &'a mut dyn FnMut(Remark) -> Result<()>,
    events: Events,
    /// As they were when the round began.
    files: Files,
    executable: PathBuf,
    /// What the checks write for themselves, and their report for us; it goes when
    /// we go.
    scratch: tempfile::TempDir,
    report: PathBuf,
    /// The check that failed last.
    failed: Option<Check>,
    hints_shown: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        course: &Course,
        lesson: &Manifest,
        language: Language,
        manner: Manner,
        say: &'a mut dyn FnMut(Remark) -> Result<()>,
    ) -> Result<Self> {
        let my = course.my()?;
        let folder = my.lesson(lesson.number);
        let next = lesson.number.next();
        let scratch = tempfile::TempDir::with_prefix("dialtone-watch-");
        let scratch = scratch.context("make a temporary folder")?;
        Ok(Self {
            lesson: lesson.number,
            next: course.lesson(next).is_ok().then_some(next),
            my,
            events: Events::start(&folder, manner.keys)?,
            folder,
            language,
            manner,
            say,
            files: Files::new(),
            executable: PathBuf::new(),
            report: scratch.path().join("report.json"),
            scratch,
            failed: None,
            hints_shown: 0,
        })
    }

    /// Builds the lesson, whose program has the checks in it.
    pub(super) fn prepare(&mut self, package: &str) -> Result<Over> {
        (self.say)(Remark::Building(self.lesson))?;
        let mut build = Command::new(cargo());
        build.args(["build", "--quiet", "--message-format=json"]);
        build.args(["--package", package]);
        let mut run = Run::start(build, true)?;
        let Ok(status) = self.until_end(&mut run)? else {
            return Ok(Over::Quit);
        };
        let (output, errors) = run.wrote();
        if !status.success() {
            bail!("build {package}: {errors}");
        }
        self.executable = executable(&output, package)?;
        Ok(Over::Again)
    }

    pub(super) fn round(&mut self) -> Result<Over> {
        self.files = files(&self.folder);
        self.hints_shown = 0;
        (self.say)(Remark::Round {
            folder: &self.folder,
            language: self.language,
        })?;
        let (over, hint) = match self.build()? {
            Over::Verdict(true) => (self.check()?, self.failed.is_some()),
            not_built => (not_built, false),
        };
        if self.manner.keys && matches!(over, Over::Verdict(_)) {
            (self.say)(Remark::Keys { hint })?;
        }
        Ok(over)
    }

    /// The verdict is whether there are programs that can be checked.
    fn build(&mut self) -> Result<Over> {
        let format = match self.manner.colour {
            true => "json-diagnostic-rendered-ansi",
            false => "json",
        };
        let Some(build) = self.language.build(&self.folder, format) else {
            return Ok(Over::Verdict(true));
        };
        let start = Instant::now();
        let mut run = Run::start(build, true)?;
        let status = match self.until_end(&mut run)? {
            Ok(status) => status,
            Err(over) => return Ok(over),
        };
        let (output, errors) = run.wrote();
        (self.say)(match status.success() {
            true => Remark::Built(start.elapsed()),
            false => Remark::NotBuilt(not_built(&output, &errors)),
        })?;
        Ok(Over::Verdict(status.success()))
    }

    fn check(&mut self) -> Result<Over> {
        if self.report.exists() {
            // A round that was broken off may have found out something.
            self.learn();
            fs::remove_file(&self.report).context("remove the last report")?;
        }
        let mut run = Run::start(self.checks(), false)?;
        let status = match self.until_end(&mut run)? {
            Ok(status) => status,
            Err(over) => return Ok(over),
        };
        self.learn();
        if status.success() {
            let first = self.my.progress().pass(self.lesson, self.language)?;
            (self.say)(Remark::Passed {
                lesson: self.lesson,
                written: first.then(|| self.my.progress().path().to_path_buf()),
                next: self.next,
            })?;
        }
        Ok(Over::Verdict(status.success()))
    }

    /// The command line of the checks.
    fn checks(&self) -> Command {
        let mut checks = Command::new(&self.executable);
        checks.args(["check", "--first"]);
        checks.arg("--report").arg(&self.report);
        for side in ["server", "client"] {
            let program = self.language.program(&self.folder, side);
            checks.args([format!("--{side}"), program]);
        }
        // What failed last is what one has just mended.
        if let Some(failed) = &self.failed {
            checks.args(["--begin", &failed.address]);
        }
        let way = match self.manner.keys {
            true => "press h".to_string(),
            false => format!("cargo dial watch {} --once --hint", self.lesson),
        };
        checks.args(["--hint-way", &way]);
        checks.args(self.manner.hint.then_some("--hint"));
        // What a check puts into a temporary folder goes with ours.
        checks.env("TMPDIR", self.scratch.path());
        // A way through the standard library tells a learner nothing.
        checks.env("RUST_BACKTRACE", "0");
        checks
    }

    fn learn(&mut self) {
        if let Some(failed) = report::failed(&self.report) {
            self.failed = failed;
        }
    }

    /// Waits for the end of a program, unless something happens that makes it
    /// useless: then the program is ended.
    fn until_end(&self, run: &mut Run) -> Result<Result<ExitStatus, Over>> {
        loop {
            if let Some(status) = run.ended()? {
                return Ok(Ok(status));
            }
            match self.events.within(ENDED_YET) {
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

    fn say_hint(&mut self) -> Result<()> {
        let Some(failed) = &self.failed else {
            return Ok(());
        };
        let number = self.hints_shown + 1;
        let text = match failed.hints.get(self.hints_shown) {
            Some(hint) => format!("hint {number} of {}: {hint}", failed.hints.len()),
            None => format!("There are no more hints. Read {}", failed.taught),
        };
        self.hints_shown = number;
        (self.say)(Remark::Hint(text))
    }
}
