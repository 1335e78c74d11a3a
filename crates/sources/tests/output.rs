//! What programs write, as it arrives.

use std::process::Command;
use std::time::{Duration, Instant};

use rstest::rstest;
use sources::output::{Outputs, Said};
use timeline::{Actor, Ending, Stream};

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// All that happens until each program has ended.
fn watch(mut outputs: Outputs, scripts: &[&str]) -> Vec<(Actor, Said)> {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut start = |script: &&str| outputs.start(shell(script)).unwrap();
    let actors: Vec<Actor> = scripts.iter().map(&mut start).collect();
    let mut seen = Vec::new();
    while !actors.iter().all(|actor| outputs.has_ended(*actor)) {
        let output = outputs.next(deadline).expect("it ends before the deadline");
        seen.push((output.actor, output.what));
    }
    seen
}

fn lines(seen: &[(Actor, Said)]) -> Vec<&str> {
    let lines = seen.iter().filter_map(|(_, what)| match what {
        Said::Line(_, text) => Some(text.as_str()),
        Said::Ended(_) => None,
    });
    lines.collect()
}

fn one_queue() -> Outputs {
    Outputs::new().unwrap()
}

fn pipes() -> Outputs {
    Outputs::at_most(u64::MAX)
}

#[rstest]
fn both_streams_are_told_apart_and_the_end_comes_last(
    #[values(one_queue(), pipes())] outputs: Outputs,
) {
    let seen = watch(outputs, &["echo out; echo err >&2; exit 3"]);
    let streams = seen.iter().filter_map(|(_, what)| match what {
        Said::Line(stream, text) => Some((*stream, text.as_str())),
        Said::Ended(_) => None,
    });
    let mut streams: Vec<(Stream, &str)> = streams.collect();
    streams.sort_by_key(|(_, text)| *text);
    assert_eq!(streams, [(Stream::Stderr, "err"), (Stream::Stdout, "out")]);
    let last = seen.last().unwrap();
    assert!(matches!(last, (Actor(0), Said::Ended(Ending::Status(3)))));
}

#[rstest]
fn what_has_no_line_end_is_a_line_at_the_end(#[values(one_queue(), pipes())] outputs: Outputs) {
    let seen = watch(outputs, &["printf 'one\\ntw'; printf 'o\\r\\nthree'"]);
    assert_eq!(lines(&seen), ["one", "two", "three"]);
}

/// `cat` is a child of the program, waits at our end of its stdin, and has its stdout.
#[rstest]
fn last_words_come_before_the_end_while_a_child_of_the_program_holds_its_output(
    #[values(one_queue(), pipes())] outputs: Outputs,
) {
    let seen = watch(outputs, &["exec 3<&0; cat <&3 & printf 'one\\ntwo'"]);
    assert_eq!(lines(&seen), ["one", "two"]);
}

#[rstest]
fn bytes_that_are_no_text_are_escaped(#[values(one_queue(), pipes())] outputs: Outputs) {
    let seen = watch(outputs, &["printf '\\377\\345\\244\\251\\n'"]);
    assert_eq!(lines(&seen), ["\\xff天"]);
}

#[rstest]
fn a_program_that_writes_much_loses_nothing(#[values(one_queue(), pipes())] outputs: Outputs) {
    let seen = watch(outputs, &["seq 20000"]);
    let expected: Vec<String> = (1..=20000).map(|number| number.to_string()).collect();
    assert!(lines(&seen) == expected);
}

/// Two programs take turns over a pair of pipes; each writes before it passes on.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the one queue of Linux")]
fn lines_of_two_programs_arrive_in_the_order_in_which_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let (there, back) = (folder.path().join("there"), folder.path().join("back"));
    let (there, back) = (there.to_str().unwrap(), back.to_str().unwrap());
    let made = shell(&format!("mkfifo {there} {back}")).status().unwrap();
    assert!(made.success());
    let turns = 500;
    let ping = format!(
        "exec 3>{there} 4<{back}; i=0; while [ $i -lt {turns} ]; \
         do echo $((2 * i)); echo >&3; read x <&4; i=$((i + 1)); done"
    );
    let pong = format!(
        "exec 3<{there} 4>{back}; i=0; while [ $i -lt {turns} ]; \
         do read x <&3; echo $((2 * i + 1)); echo >&4; i=$((i + 1)); done"
    );
    let seen = watch(one_queue(), &[&ping, &pong]);
    let expected: Vec<String> = (0..2 * turns).map(|turn| turn.to_string()).collect();
    assert_eq!(lines(&seen), expected);
}

#[test]
fn what_still_runs_is_killed_when_the_watching_ends() {
    let mut outputs = one_queue();
    let actor = outputs.start(shell("echo ready; exec sleep 1000")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    outputs.next(deadline).expect("it says ready");
    let pid = outputs.pid(actor);
    drop(outputs);
    let alive = shell(&format!("kill -0 {pid} 2>&1")).output().unwrap();
    assert!(!alive.status.success(), "{pid} still runs");
}

#[test]
fn a_program_that_does_not_exist_is_an_error() {
    let error = one_queue().start(Command::new("/no/such/program"));
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}
