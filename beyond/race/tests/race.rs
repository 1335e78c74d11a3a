//! The race as a command.

use std::process::{Command, Output};

use rstest::rstest;

fn race(args: &[&str]) -> Output {
    let mut race = Command::new(env!("CARGO_BIN_EXE_race"));
    race.args(args).output().unwrap()
}

#[test]
#[cfg(debug_assertions)]
fn a_debug_build_is_refused_with_the_right_command() {
    let output = race(&["--quick"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("cargo run --release -p race"), "{said}");
}

#[rstest]
#[case::no_clients(&["--clients", "0"])]
#[case::an_unknown_model(&["--only", "telepathy"])]
#[case::an_unknown_place(&["--place", "elsewhere"])]
#[case::a_program_without_a_port(&["--also", "mine=./server"])]
#[case::idle_and_churn(&["--idle", "5", "--churn"])]
#[case::a_rate_of_nothing(&["--rate", "0"])]
fn wrong_usage_is_told(#[case] args: &[&str]) {
    let output = race(args);
    assert_eq!(output.status.code(), Some(2));
    assert!(!output.stderr.is_empty() && output.stdout.is_empty());
}
