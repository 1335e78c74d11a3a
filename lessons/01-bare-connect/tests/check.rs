//! What a person who runs the checks is told, beside the verdicts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rstest::rstest;

/// What is wrong in a command line is said in one line, before the first check.
#[rstest]
#[case::no_such_check(&["--only", "1/nonsense"], r#"--only "1/nonsense": there is no such check"#)]
#[case::nothing(&["--only", ""], r#"--only "": there is no such check"#)]
#[case::no_such_beginning(&["--begin", "1/nonsense"], r#"--begin "1/nonsense": there is no such"#)]
#[case::no_command(&["--server", ""], r#"--server "": the command is empty"#)]
#[case::an_open_quote(&["--server", "'"], "missing closing quote")]
#[case::a_folder(&["--server", "/"], r#""/" is a folder"#)]
#[case::a_source(&["--server", "./server.rs"], "chmod +x")]
#[case::the_other_side(&["--server", "sh", "--only", "1/client"], "about the other side")]
#[case::no_place_for_a_report(&["--report", "/nowhere/x"], "--report /nowhere/x: no such file")]
#[case::a_folder_for_a_report(&["--report", "/"], "--report /: is a directory")]
fn wrong_usage_is_said_before_the_first_check(#[case] args: &[&str], #[case] expected: &str) {
    let check = Command::new(env!("CARGO_BIN_EXE_lesson-1"))
        .arg("check")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(errors.contains(expected), "{errors}");
    assert_eq!((check.status.code(), errors.lines().count()), (Some(2), 1));
    assert_eq!(String::from_utf8_lossy(&check.stdout), "");
}

#[test]
fn when_nobody_reads_the_report_any_more_no_further_check_is_begun() {
    let begun = Path::new(env!("CARGO_TARGET_TMPDIR")).join("begun-checks");
    fs::write(&begun, "").unwrap();
    let mut check = Command::new(env!("CARGO_BIN_EXE_lesson-1"))
        .args(["check", "--once", "--server"])
        .arg("sh -c 'echo once >> \"$BEGUN\"; sleep 0.3'")
        .env("BEGUN", &begun)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut report = BufReader::new(check.stdout.take().unwrap());
    report.read_line(&mut String::new()).unwrap();
    // As head does.
    drop(report);
    assert_eq!(check.wait().unwrap().code(), Some(2));
    let begun = fs::read_to_string(begun).unwrap().lines().count();
    assert!((1..10).contains(&begun), "{begun} checks were begun");
}
