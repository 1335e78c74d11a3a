//! What a lesson's tests ask of its exercise: the solution passes all checks, and
//! the starter fails the first one, and says which gap is open.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::language::Language;
use crate::sources::{Part, Sources};

/// Checks use the whole machine: those of two tests would only slow each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An exercise that is tried out, in a folder of its own that stays from run to
/// run: so only what has changed is built.
#[derive(Debug)]
pub struct Trial {
    lesson: PathBuf,
    executable: PathBuf,
    scratch: PathBuf,
}

impl Trial {
    /// The lesson's folder, its program, and a folder for builds; all three are
    /// known to an integration test from its environment.
    pub fn of(lesson: &str, executable: &str, scratch: &str) -> Self {
        let name = Path::new(executable).file_name().unwrap_or_default();
        Self {
            lesson: lesson.into(),
            executable: executable.into(),
            scratch: Path::new(scratch).join("exercise").join(name),
        }
    }

    /// # Panics
    /// When the solution does not pass a check, with the report.
    pub fn solution_passes(&self, language: Language) {
        passed(&self.check(language, Part::Solution, &[]));
    }

    /// The checks of what earlier lessons have taught may pass.
    ///
    /// # Panics
    /// When the first check that fails is another one or does not name the first
    /// gap, and when one could not be tested.
    pub fn starter_fails_at_its_first_gap(&self, language: Language, first: &str) {
        let check = self.check(language, Part::Starter, &["--json"]);
        let report: Value = serde_json::from_slice(&check.stdout).expect("a report in JSON");
        let checks = report["checks"].as_array().expect("checks");
        let untested = checks.iter().find(|check| check["verdict"] == "untested");
        assert!(untested.is_none(), "{untested:#?}");
        let failed = checks.iter().find(|check| check["verdict"] == "failed");
        let failed = failed.expect("a check that fails");
        assert_eq!(failed["address"], first);
        let output = failed["output"].to_string();
        assert!(output.contains("gap 1: "), "{output}");
    }

    /// The solution's client talks with this server, and its server with this client:
    /// commands with `{addr}` for the address.
    ///
    /// # Panics
    /// When the check at this address does not pass, with the report.
    pub fn solution_talks_with(&self, language: Language, ours: [String; 2], address: &str) {
        let theirs = self.write(language, Part::Solution);
        let [server, client] = &ours;
        for sides in [[server, &theirs[1]], [&theirs[0], client]] {
            passed(&self.run(sides, &["--only", address]));
        }
    }

    fn check(&self, language: Language, part: Part, args: &[&str]) -> Output {
        let [server, client] = &self.write(language, part);
        self.run([server, client], args)
    }

    /// Writes a part of the exercise, and builds it; gives the commands of its server
    /// and its client.
    fn write(&self, language: Language, part: Part) -> [String; 2] {
        let _turn = turn();
        let folder = self.scratch.join(format!("{language}-{part:?}"));
        let root = self.lesson.join("../..");
        let sources = Sources::new(&root, &self.lesson, language);
        sources
            .write(part, &folder)
            .unwrap_or_else(|error| panic!("{error:#}"));
        if let Some(mut build) = language.build(&folder, "human") {
            // The course has downloaded all that an exercise needs.
            let built = build.env("CARGO_NET_OFFLINE", "true").output();
            let built = built.expect("start cargo");
            let said = String::from_utf8_lossy(&built.stderr);
            assert!(built.status.success() && said.is_empty(), "{said}");
        }
        ["server", "client"].map(|side| language.program(&folder, side))
    }

    fn run(&self, [server, client]: [&String; 2], args: &[&str]) -> Output {
        let _turn = turn();
        let mut check = Command::new(&self.executable);
        check.args(["check", "--server", server, "--client", client]);
        // A way through the standard library tells a learner nothing.
        check.args(args).env("RUST_BACKTRACE", "0");
        check.output().expect("start the checks")
    }
}

/// A test that failed has poisoned nothing that others use.
fn turn() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn passed(check: &Output) {
    let said = String::from_utf8_lossy(&check.stdout);
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{said}\n{errors}");
}
