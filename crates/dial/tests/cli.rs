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
#[case::start(&["start", "one"])]
#[case::check(&["check", "one"])]
#[case::solution(&["solution", "one"])]
#[case::watch(&["watch", "one"])]
#[case::progress(&["progress", "--reset", "one"])]
fn a_lesson_that_is_no_number_is_told_what_to_write(#[case] args: &[&str]) {
    let output = dial(args);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    let way_out = "write the number of a lesson, such as 1: see \"cargo dial list\"";
    assert!(error.contains(way_out), "{error}");
}

#[test]
fn each_command_has_a_help_with_an_example() {
    let help = text(&dial(&["--help"]));
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 5, "{help}");
    for name in names {
        let help = text(&dial(&[name, "--help"]));
        assert!(help.contains(&format!("\n  cargo dial {name}")), "{help}");
    }
}

#[test]
fn check_has_a_help_before_any_lesson() {
    let output = dial(&["check", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("Usage: cargo dial check"));
}

#[test]
fn behind_a_lesson_the_help_of_check_is_that_of_the_lesson() {
    let output = dial(&["check", "1", "--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output).contains("Usage: lesson-1 check"));
}

#[rstest]
#[case::nothing(&[])]
#[case::an_unknown_command(&["play"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    assert_eq!(dial(args).status.code(), Some(2));
}

#[rstest]
#[case::not_in_path("no-such-program", "needs \"./\" before its name")]
#[case::not_executable("./Cargo.toml", "is not executable")]
#[case::not_there("./no-such-program", "there is no file")]
fn a_program_that_is_not_there_is_said_before_anything_is_drawn(
    #[values("xray", "wire")] command: &str,
    #[case] program: &str,
    #[case] reason: &str,
) {
    let output = dial(&[command, "--", "true", "::", program]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("start {program}: ")), "{said}");
    assert!(said.contains(reason), "{said}");
}

#[cfg(target_os = "linux")]
#[rstest]
#[case::interpreter("#!/no/such/interpreter -x\n", "asks for \"/no/such/interpreter\"")]
#[case::no_folder("#! python3\n", "asks for \"python3\"")]
#[case::nothing("#!\n", "asks for \"\"")]
#[case::from_windows("#!/bin/sh\r\ntrue\r\n", "ends as on Windows")]
#[case::env_from_windows("#!/usr/bin/env sh\r\n", "ends as on Windows")]
fn a_script_without_its_interpreter_is_said_before_anything_is_drawn(
    #[values("xray", "wire")] command: &str,
    #[case] script: &str,
    #[case] reason: &str,
) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    let file = file.to_str().unwrap();
    let output = dial(&[command, "--", "true", "::", file]);
    assert_eq!(
        (output.status.code(), text(&output).as_str()),
        (Some(1), "")
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("start {file}: ")), "{said}");
    assert!(said.contains(reason) && said.lines().count() == 1, "{said}");
}

#[test]
fn a_picture_that_would_be_too_long_ends_and_says_so_and_the_other_files_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let line = |number: usize| format!("{{\"time\":{number},\"note\":\"note {number}\"}}\n");
    let recorded: String = (0..9).map(line).collect();
    let header = views::json::header();
    std::fs::write(path("talk.jsonl"), header + &recorded).unwrap();
    let outs = ["talk.svg", "talk.txt", "again.jsonl"].map(path);
    let [svg, txt, jsonl] = &outs;
    let mut args = vec!["show", "--keep", "4"];
    args.extend(outs.iter().flat_map(|out| ["--out", out]));
    let recording = path("talk.jsonl");
    args.push(&recording);
    let shown = dial(&args);
    assert!(shown.status.success(), "{shown:?}");
    let said = String::from_utf8(shown.stderr).unwrap();
    let first = "talk.svg has the first 4 of 9 events; --keep 9 draws all";
    assert!(said.contains(first), "{said}");
    let drawn = std::fs::read_to_string(svg).unwrap();
    assert!(drawn.contains("the 5 events after this"), "{drawn}");
    assert!(
        drawn.contains("note 3") && !drawn.contains("note 4"),
        "{drawn}"
    );
    assert!(std::fs::read_to_string(txt).unwrap().contains("note 8"));
    assert!(std::fs::read_to_string(jsonl).unwrap().contains("note 8"));
}

#[test]
fn only_what_is_drawn_counts_for_the_length_of_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let mut recorded = views::json::header();
    recorded += "{\"time\":0,\"actor\":0,\"started\":{\"lane\":\"server\",\"command\":[\"x\"]}}\n";
    for number in 0..9 {
        let line = format!("{{\"stream\":\"stdout\",\"text\":\"line {number}\"}}");
        recorded += &format!("{{\"time\":{number},\"actor\":0,\"line\":{line}}}\n");
    }
    recorded += "{\"time\":9,\"note\":\"the note\"}\n";
    let (talk, svg) = (path("talk.jsonl"), path("talk.svg"));
    std::fs::write(&talk, recorded).unwrap();
    let shown = dial(&[
        "show", "--only", "packets", "--keep", "2", "--out", &svg, &talk,
    ]);
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
    assert!(std::fs::read_to_string(svg).unwrap().contains("the note"));
}
