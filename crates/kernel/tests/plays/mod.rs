//! Tests that leave for a network of their own. Only a process with one thread may do
//! so, and a test harness has several. So each play is run by the test program, started
//! once more.

use std::env;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial, run};

/// A test: its name, which is a sentence, and what is done.
pub type Play = (&'static str, fn());

/// Functions, each with its name.
macro_rules! plays {
    ($($play:ident),* $(,)?) => { &[$((stringify!($play), $play)),*] };
}
pub(crate) use plays;

/// The variable that tells a child which play it is.
pub const PLAY: &str = "DIALTONE_TEST_PLAY";

/// Runs the play that the variable names, or else each of them in a child.
pub fn main(plays: &[Play]) {
    if let Ok(name) = env::var(PLAY) {
        let play = plays.iter().find(|(play, _)| *play == name);
        return play.expect("a play of this name").1();
    }
    let allowed = kernel::probe::private_network().is_ok();
    let trials = plays.iter().map(|&(name, _)| {
        // What the machine forbids is shown as ignored; CI includes the ignored.
        let trial = Trial::test(name, move || in_child(name));
        let trial = trial.with_ignored_flag(!allowed);
        trial.with_kind("needs namespaces")
    });
    let mut arguments = Arguments::from_args();
    // Most of a play is waiting, for the timers of the kernel.
    arguments.test_threads.get_or_insert(8);
    run(&arguments, trials.collect()).exit();
}

fn in_child(name: &str) -> Result<(), Failed> {
    let mut child = Command::new(env::current_exe()?);
    let output = child.env(PLAY, name).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
