//! The command line as a person types it.

use std::fs;
use std::path::Path;

use rstest::rstest;

use super::said::{Said, dial, has, has_not};

fn said(words: &[&str]) -> Said {
    Said::by(&mut dial(words))
}

#[test]
fn list_shows_every_lesson_in_order_with_what_its_manifest_says() {
    let listed = said(&["list"]);
    let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons");
    let entries = fs::read_dir(lessons).unwrap().flatten();
    let folders = entries.filter(|entry| entry.path().join("Cargo.toml").exists());
    let lines = listed.out.lines();
    let numbers: Vec<usize> = lines
        .filter(|line| line.ends_with(" minutes"))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<usize> = (1..=folders.count()).collect();
    assert_eq!(numbers, expected, "{listed:?}");
    listed.says(&["new: socket, bind, listen"]);
}

#[test]
fn doctor_says_yes_or_no_and_what_follows() {
    let said = said(&["doctor"]).out;
    let names = ["loopback IPv4", "loopback IPv6", "own network"];
    for name in names.into_iter().chain(["call tracing"]) {
        let mut rows = said.lines().map(str::trim_start);
        let row = rows.find(|row| row.starts_with(name)).unwrap();
        assert!(row.contains(" yes ") || row.contains(" no "), "{row}");
    }
}

#[rstest]
#[case::list("list")]
#[case::doctor("doctor")]
fn piped_it_has_no_escape_codes_and_no_line_wider_than_80(#[case] command: &str) {
    let said = said(&[command]).out;
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
    let way_out = "write the number of a lesson, such as 1: see \"cargo dial list\"";
    said(args).ended_with(2).complains(&[way_out]);
}

#[test]
fn each_command_has_a_help_with_an_example() {
    let help = said(&["--help"]).out;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 5, "{help}");
    for name in names {
        let example = format!("\n  cargo dial {name}");
        let said = said(&[name, "--help"]).ended_with(0);
        said.says(&[&example]);
    }
}

#[test]
fn behind_a_lesson_the_help_of_check_is_that_of_the_lesson() {
    let said = said(&["check", "1", "--help"]).ended_with(0);
    said.says(&["Usage: lesson-1 check"]);
}

#[rstest]
#[case::nothing(&[])]
#[case::an_unknown_command(&["play"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    said(args).ended_with(2);
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
    does_not_start(command, program, reason);
}

/// A client is not started, in one line, and nothing is drawn.
fn does_not_start(command: &str, program: &str, reason: &str) {
    let said = said(&[command, "--", "true", "::", program]).ended_with(1);
    assert_eq!((said.out.as_str(), said.errors.lines().count()), ("", 1));
    let begins = said.errors.starts_with(&format!("start {program}: "));
    assert!(begins && said.errors.contains(reason), "{said:?}");
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
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    does_not_start(command, file.to_str().unwrap(), reason);
}

#[test]
fn a_picture_that_would_be_too_long_ends_and_says_so_and_the_other_files_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let line = |number: usize| format!("{{\"time\":{number},\"note\":\"note {number}\"}}\n");
    let recorded: String = (0..9).map(line).collect();
    let header = views::json::header();
    fs::write(path("talk.jsonl"), header + &recorded).unwrap();
    let outs = ["talk.svg", "talk.txt", "again.jsonl"].map(path);
    let [svg, txt, jsonl] = &outs;
    let mut args = vec!["show", "--keep", "4"];
    args.extend(outs.iter().flat_map(|out| ["--out", out]));
    let recording = path("talk.jsonl");
    args.push(&recording);
    let first = "talk.svg has the first 4 of 9 events; --keep 9 draws all";
    said(&args).ended_with(0).complains(&[first]);
    let [svg, txt, jsonl] = [svg, txt, jsonl].map(|file| fs::read_to_string(file).unwrap());
    has(&svg, &["the 5 events after this", "note 3"]);
    has_not(&svg, &["note 4"]);
    has(&txt, &["note 8"]);
    has(&jsonl, &["note 8"]);
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
    fs::write(&talk, recorded).unwrap();
    let only = ["show", "--only", "packets", "--keep", "2"];
    let shown = said(&[&only[..], &["--out", &svg, &talk]].concat());
    assert_eq!(shown.errors, "");
    has(&fs::read_to_string(svg).unwrap(), &["the note"]);
}
