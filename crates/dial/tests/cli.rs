//! The command line as a person types it.

use std::process::{Command, Output};

use rstest::rstest;

fn dial(args: &[&str]) -> Output {
    let mut dial = Command::new(env!("CARGO_BIN_EXE_dial"));
    dial.args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn list_shows_every_lesson_in_order_with_what_its_manifest_says() {
    let listed = text(&dial(&["list"]));
    let lessons = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons");
    let folders = std::fs::read_dir(lessons).unwrap().filter(|entry| {
        let entry = entry.as_ref().unwrap();
        entry.path().join("Cargo.toml").exists()
    });
    let numbers: Vec<usize> = listed
        .lines()
        .filter(|line| line.ends_with(" minutes"))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<usize> = (1..=folders.count()).collect();
    assert_eq!(numbers, expected, "{listed}");
    assert!(listed.contains("new: socket, bind, listen"), "{listed}");
}

#[test]
fn doctor_says_yes_or_no_and_what_follows() {
    let said = text(&dial(&["doctor"]));
    for name in [
        "loopback IPv4",
        "loopback IPv6",
        "own network",
        "call tracing",
    ] {
        let row = said
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap();
        assert!(row.contains(" yes ") || row.contains(" no "), "{row}");
    }
}

#[rstest]
#[case::list("list")]
#[case::doctor("doctor")]
fn piped_it_has_no_escape_codes_and_no_line_wider_than_80(#[case] command: &str) {
    let said = text(&dial(&[command]));
    assert!(!said.contains('\x1b'));
    for line in said.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[rstest]
#[case::nothing(&[])]
#[case::an_unknown_command(&["play"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    assert_eq!(dial(args).status.code(), Some(2));
}
