//! The client as a server meets it, also a server that means harm.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use house::raw::{again, listener};
use house::{LessonSide, Rehearsal};
use rstest::rstest;
use scene::{Actor, Ending, Program};
use tempfile::TempDir;

use crate::common::{message, names, receive};
use crate::lesson::{client, server, stage};

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn ok(name: &str, size: u64, sha256: &str) -> Vec<u8> {
    message(&format!(
        r#"{{"status":"ok","name":"{name}","size":{size},"sha256":"{sha256}"}}"#
    ))
}

fn abc(name: &str) -> Vec<u8> {
    [ok(name, 3, ABC), b"abc".to_vec()].concat()
}

/// A client that calls a server of our own, and the folder into which it saves.
fn called(stage: &mut Rehearsal, more: &[&str]) -> (Actor, TcpStream, TempDir) {
    let inbox = tempfile::tempdir().unwrap();
    let (client, call) = called_with(stage, inbox.path(), more);
    (client, call, inbox)
}

fn called_with(stage: &mut Rehearsal, inbox: &Path, more: &[&str]) -> (Actor, TcpStream) {
    let into = ["--into", inbox.to_str().unwrap()];
    stage.called_by(&[&into, more].concat())
}

/// It ended with status 1, its last line contains this, and its folder is empty.
fn failed(stage: &mut Rehearsal, client: Actor, inbox: &TempDir, line: &str) {
    let (ending, lines) = stage.ended(client);
    assert_eq!(ending, Ending::Status(1));
    assert!(lines.last().unwrap().contains(line), "{lines:#?}");
    assert_eq!(names(inbox.path()), Vec::<String>::new());
}

const GET: [&str; 2] = ["--say", "get a.txt"];

#[test]
fn until_a_file_is_whole_its_name_does_not_exist() {
    let mut stage = stage();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    call.write_all(b"ab").unwrap();
    stage.wait_line(client, "received").unwrap();
    assert!(!inbox.path().join("a.txt").exists());
    call.write_all(b"c").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(names(inbox.path()), ["a.txt"]);
}

#[test]
fn a_digest_in_upper_case_is_the_same_digest() {
    let mut stage = stage();
    let (client, mut call, _inbox) = called(&mut stage, &GET);
    let digits = ABC.to_uppercase();
    call.write_all(&ok("a.txt", 3, &digits)).unwrap();
    call.write_all(b"abc").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[rstest]
#[case::in_mid_body(&[ok("a.txt", 3, ABC), b"ab".to_vec()].concat(), "fetch \"a.txt\" from 127.0.0.1:", "end of stream after 2 of 3 bytes")]
#[case::before_an_answer(b"", "recv from 127.0.0.1:", "end of stream: the server hung up")]
fn a_connection_that_is_cut_leaves_nothing(
    #[case] answer: &[u8],
    #[case] operation: &str,
    #[case] reason: &str,
) {
    let mut stage = stage();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    receive(&mut call);
    call.write_all(answer).unwrap();
    drop(call);
    failed(&mut stage, client, &inbox, reason);
    assert!(stage.lines(client).last().unwrap().starts_with(operation));
}

#[test]
fn a_reset_in_mid_body_leaves_nothing_and_is_no_end_of_stream() {
    let mut stage = stage();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    stage.wait_line(client, "received").unwrap();
    // To close with the request unread is a reset.
    drop(call);
    failed(&mut stage, client, &inbox, "connection reset by peer");
}

#[rstest]
#[case::broken_json(&GET, b"\0\0\0\x05{\"sta", "the header is no answer: EOF")]
#[case::no_answer(&GET, &message(r#"{"request":"list"}"#), "no answer: missing field `status`")]
#[case::to_something_else(&GET, &abc("b.txt"), "the answer is for \"b.txt\", not for \"a.txt\"")]
#[case::silence_in_mid_body(
    &[GET, ["--timeout", "0.2"]].concat(),
    &abc("a.txt")[..100],
    "timed out; a longer --timeout has more patience"
)]
#[case::over_the_limit(
    &GET,
    &ok("a.txt", (4 << 30) + 1, ABC),
    "has 4294967297 bytes, and 4294967296 is the limit; pass a larger --max-size"
)]
#[case::over_the_limit_that_was_asked_for(
    &[GET, ["--max-size", "1000"]].concat(),
    &ok("a.txt", 1001, ABC),
    "has 1001 bytes, and 1000 is the limit; pass a larger --max-size"
)]
#[case::digits_over_the_limit_with_ack(
    &[GET, ["--framing", "ack"], ["--max-size", "1000"]].concat(),
    b"1001",
    "has 1001 bytes, and 1000 is the limit"
)]
#[case::beyond_all_numbers_of_bytes(
    &GET,
    &ok("a.txt", u64::MAX, ABC),
    "has 18446744073709551615 bytes"
)]
#[case::a_list_that_would_not_fit_into_memory(
    &["--say", "list"],
    &ok("list", 1 << 30, ABC),
    "has 1073741824 bytes, and 16777216 is the limit; a list has no larger one"
)]
fn an_answer_that_cannot_be_kept_leaves_nothing(
    #[case] args: &[&str],
    #[case] answer: &[u8],
    #[case] reason: &str,
) {
    let mut stage = stage();
    let (client, mut call, inbox) = called(&mut stage, args);
    call.write_all(answer).unwrap();
    failed(&mut stage, client, &inbox, reason);
}

#[test]
fn a_body_of_exactly_the_limit_is_received() {
    let mut stage = stage();
    let (client, mut call, _inbox) = called(&mut stage, &[&GET[..], &["--max-size", "3"]].concat());
    call.write_all(&abc("a.txt")).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[rstest]
#[case::up("../a.txt", "leads out of the folder")]
#[case::absolute("{outer}/a.txt", "is an absolute name")]
#[case::down("sub/a.txt", "names a folder")]
fn a_server_that_hands_out_any_name_makes_nobody_write_elsewhere(
    #[case] name: &str,
    #[case] reason: &str,
) {
    let outer = tempfile::tempdir().unwrap();
    let inbox = outer.path().join("inbox");
    fs::create_dir_all(inbox.join("sub")).unwrap();
    let name = name.replace("{outer}", outer.path().to_str().unwrap());
    let mut stage = stage();
    let request = format!("get {name}");
    let (client, mut call) = called_with(&mut stage, &inbox, &["--say", &request]);
    call.write_all(&abc(&name)).unwrap();
    let (ending, lines) = stage.ended(client);
    assert_eq!(ending, Ending::Status(1));
    assert!(lines.last().unwrap().contains(reason), "{lines:?}");
    assert_eq!(names(outer.path()), ["inbox"]);
    assert_eq!(names(&inbox), ["sub"]);
    assert!(names(&inbox.join("sub")).is_empty());
}

#[test]
fn a_file_that_is_there_already_is_neither_asked_for_nor_touched() {
    let inbox = tempfile::tempdir().unwrap();
    fs::write(inbox.path().join("a.txt"), "mine").unwrap();
    let mut stage = stage();
    let says = ["--say", "get a.txt", "--say", "get b.txt"];
    let (client, mut call) = called_with(&mut stage, inbox.path(), &says);
    // The first request that comes is the second.
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"b.txt"}"#);
    call.write_all(&abc("b.txt")).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let said = stage.wait_line(client, "a.txt: it is there already; pass --force").unwrap();
    assert!(said.starts_with("save "), "{said}");
    stage.wait_line(client, "1 of 2 requests failed").unwrap();
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), b"mine");
    assert_eq!(names(inbox.path()), ["a.txt", "b.txt"]);
}

#[test]
fn a_file_that_appears_meanwhile_is_not_touched_either() {
    let mut stage = stage();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    receive(&mut call);
    fs::write(inbox.path().join("a.txt"), "mine").unwrap();
    call.write_all(&abc("a.txt")).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), b"mine");
    assert_eq!(names(inbox.path()), ["a.txt"]);
}

#[test]
fn with_force_a_file_is_replaced_once_the_new_one_is_whole() {
    let inbox = tempfile::tempdir().unwrap();
    fs::write(inbox.path().join("a.txt"), "mine").unwrap();
    let mut stage = stage();
    let args = [&GET[..], &["--force"]].concat();
    let (client, mut call) = called_with(&mut stage, inbox.path(), &args);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    stage.wait_line(client, "received").unwrap();
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), b"mine");
    call.write_all(b"abc").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), b"abc");
}

#[test]
fn with_force_a_file_stays_as_it_was_when_the_new_one_is_wrong() {
    let inbox = tempfile::tempdir().unwrap();
    fs::write(inbox.path().join("a.txt"), "mine").unwrap();
    let mut stage = stage();
    let args = [&GET[..], &["--force"]].concat();
    let (client, mut call) = called_with(&mut stage, inbox.path(), &args);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    call.write_all(b"xyz").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), b"mine");
    assert_eq!(names(inbox.path()), ["a.txt"]);
}

#[test]
fn a_folder_that_is_not_there_is_said_with_a_way_out() {
    let outer = tempfile::tempdir().unwrap();
    let mut stage = stage();
    let (client, mut call) = called_with(&mut stage, &outer.path().join("no"), &GET);
    call.write_all(&abc("a.txt")).unwrap();
    let (ending, lines) = stage.ended(client);
    assert_eq!(ending, Ending::Status(1));
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("create ") && last.ends_with("; pass another --into"),
        "{last}"
    );
}

#[test]
fn a_refusal_is_told_and_the_next_request_is_asked() {
    let mut stage = stage();
    let args = ["--say", "get a.txt", "--say", "list"];
    let (client, mut call, _inbox) = called(&mut stage, &args);
    receive(&mut call);
    call.write_all(&message(
        r#"{"status":"error","reason":"not \u001b[31mtoday"}"#,
    ))
    .unwrap();
    assert_eq!(receive(&mut call), r#"{"request":"list"}"#);
    call.write_all(&[ok("list", 3, ABC), b"abc".to_vec()].concat()).unwrap();
    stage.wait_line(client, r"refused: not \u{1b}[31mtoday").unwrap();
    stage.wait_line(client, "that is no list: \"abc\"").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    assert_eq!(
        stage.lines(client).last().unwrap(),
        "2 of 2 requests failed: see above"
    );
}

#[test]
fn a_list_cannot_paint_the_terminal() {
    let mut stage = stage();
    let (client, mut call, _inbox) = called(&mut stage, &["--framing", "none", "--say", "list"]);
    call.write_all(b"5 \x1b[31mred\n").unwrap();
    assert_eq!(
        stage.wait_line(client, "  5").unwrap(),
        r"  5 \u{1b}[31mred"
    );
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert!(!stage.lines(client).concat().contains('\x1b'));
}

#[test]
fn at_once_all_requests_are_sent_before_the_first_answer() {
    let mut stage = stage();
    let args = ["--at-once", "--say", "get a", "--say", "get b"];
    let (client, mut call, inbox) = called(&mut stage, &args);
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"a"}"#);
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"b"}"#);
    call.write_all(&[abc("a"), abc("b")].concat()).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(names(inbox.path()), ["a", "b"]);
}

// The program.

#[test]
fn lines_of_the_input_are_requests_until_quit() {
    let mut stage = stage();
    let (client, mut call, _inbox) = called(&mut stage, &[]);
    for line in ["", "nonsense", "get a", "", "quit", "get b"] {
        stage.tell(client, line).unwrap();
    }
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"a"}"#);
    call.write_all(&abc("a")).unwrap();
    assert_eq!(again(|| call.read(&mut [0])).unwrap(), 0, "it hung up");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    stage.wait_line(client, "unknown request \"nonsense\": say list or get NAME").unwrap();
    stage.wait_line(client, "1 of 2 requests failed").unwrap();
    assert!(!stage.lines(client).concat().contains(">>:"));
}

#[cfg(unix)]
#[test]
fn an_input_line_that_is_no_text_is_no_request_and_no_end() {
    let (listener, addr) = listener();
    let mut stage = stage();
    let script = r#"printf '\377\376\nlist\n' | "$0" --addr "$1""#;
    let client = Program::new("sh").args(["-c", script, client().executable(), &addr.to_string()]);
    let client = stage.start("client", &client).unwrap();
    let (mut call, _) = listener.accept().unwrap();
    assert_eq!(receive(&mut call), r#"{"request":"list"}"#);
    stage.wait_line(client, r#"unknown request "\xff\xfe""#).unwrap();
}

/// /dev/full takes nothing, as a pipe that nobody reads.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_stdout_that_takes_nothing_ends_it_without_a_panic() {
    let (_listener, addr) = listener();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut client = Command::new(client().executable());
    let output = client.args(["--addr", &addr.to_string()]).stdout(full).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[rstest]
#[case::no_request(&["--say", "hello"], "--say")]
#[case::nothing_to_say(&["--say", ""], "--say")]
#[case::a_file_without_a_name(&["--say", "get"], "--say")]
#[case::no_such_framing(&["--framing", "both"], "--framing")]
#[case::no_time(&["--timeout", "0"], "--timeout")]
#[case::nothing_to_receive(&["--receive", "0"], "--receive")]
#[case::no_size(&["--max-size", "much"], "--max-size")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    client().refuses(args, named);
}

#[test]
fn the_examples_of_both_helps_fit_together() {
    let example = |side: LessonSide| {
        let help = side.run(&["--help"]);
        let help = String::from_utf8(help.stdout).unwrap();
        let (_, example) = help.split_once("Example:").unwrap();
        let framing = example.split_once("--framing ");
        framing.map(|(_, rest)| rest.split_whitespace().next().unwrap().to_string())
    };
    assert_eq!(example(server()), example(client()));
}

#[test]
fn a_name_too_long_for_a_header_is_refused_with_a_way_out() {
    let mut stage = stage();
    let (_listener, addr) = listener();
    let request = format!("get {}", "a".repeat(70_000));
    let client = stage.client(addr, &["--say", &request]);
    let (ending, lines) = stage.ended(client);
    assert_eq!(ending, Ending::Status(1));
    assert_eq!(
        lines.last().unwrap(),
        &format!(
            "send to {addr}: a header of 70027 bytes is over the limit of 65536; \
             ask for a shorter name"
        )
    );
}
