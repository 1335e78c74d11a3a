//! The client as a server meets it, also a server that means harm.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rstest::rstest;
use scene::{Actor, Ending, Program, Stage};
use tempfile::TempDir;

use crate::common::{CLIENT, SERVER, message, names, receive};

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
fn called(stage: &mut Stage, more: &[&str]) -> (Actor, TcpStream, TempDir) {
    let inbox = tempfile::tempdir().unwrap();
    let (client, call) = called_with(stage, inbox.path(), more);
    (client, call, inbox)
}

fn called_with(stage: &mut Stage, inbox: &Path, more: &[&str]) -> (Actor, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let program = Program::new(CLIENT).args(["--addr", &addr, "--into"]);
    let program = program.args([inbox]).args(more);
    let client = stage.start("client", &program).unwrap();
    let (call, _) = listener.accept().unwrap();
    call.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (client, call)
}

/// It ended with status 1, its last line contains this, and its folder is empty.
fn failed(stage: &mut Stage, client: Actor, inbox: &TempDir, line: &str) {
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    assert!(lines.last().unwrap().contains(line), "{lines:#?}");
    assert_eq!(names(inbox.path()), Vec::<String>::new());
}

const GET: [&str; 2] = ["--say", "get a.txt"];

#[test]
fn until_a_file_is_whole_its_name_does_not_exist() {
    let mut stage = Stage::rehearsal();
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
fn a_wrong_digest_leaves_nothing() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    call.write_all(b"abd").unwrap();
    failed(
        &mut stage,
        client,
        &inbox,
        &format!("wrong digest: SHA-256 {ABC} was announced, "),
    );
}

#[test]
fn a_digest_in_upper_case_is_the_same_digest() {
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    receive(&mut call);
    call.write_all(answer).unwrap();
    drop(call);
    failed(&mut stage, client, &inbox, reason);
    assert!(stage.lines(client).last().unwrap().starts_with(operation));
}

#[test]
fn a_reset_in_mid_body_leaves_nothing_and_is_no_end_of_stream() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    stage.wait_line(client, "received").unwrap();
    // To close with the request unread is a reset.
    drop(call);
    failed(&mut stage, client, &inbox, "connection reset by peer");
}

#[test]
fn a_server_that_is_silent_in_mid_body_times_out_and_leaves_nothing() {
    let mut stage = Stage::rehearsal();
    let args = [&GET[..], &["--timeout", "0.2"]].concat();
    let (client, mut call, inbox) = called(&mut stage, &args);
    call.write_all(&ok("a.txt", 3, ABC)).unwrap();
    call.write_all(b"ab").unwrap();
    failed(
        &mut stage,
        client,
        &inbox,
        "timed out; a longer --timeout has more patience",
    );
}

#[rstest]
#[case::broken_json(b"\0\0\0\x05{\"sta", "the header is no answer: EOF")]
#[case::no_answer(
    b"\0\0\0\x12{\"request\":\"list\"}",
    "the header is no answer: missing field `status`"
)]
fn what_is_no_answer_leaves_nothing(#[case] answer: &[u8], #[case] reason: &str) {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    call.write_all(answer).unwrap();
    failed(&mut stage, client, &inbox, reason);
}

#[rstest]
#[case::by_default(&[], 4_294_967_297)]
#[case::as_asked(&["--max-size", "1000"], 1001)]
#[case::beyond_all_numbers_of_bytes(&["--max-size", "1000"], u64::MAX)]
fn a_body_over_the_limit_is_not_received(#[case] more: &[&str], #[case] size: u64) {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &[&GET, more].concat());
    call.write_all(&ok("a.txt", size, ABC)).unwrap();
    let reason = format!("the answer has {size} bytes, and ");
    failed(&mut stage, client, &inbox, &reason);
    assert!(stage.lines(client).last().unwrap().ends_with("pass a larger --max-size"));
}

#[test]
fn a_body_of_exactly_the_limit_is_received() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, _inbox) = called(&mut stage, &[&GET[..], &["--max-size", "3"]].concat());
    call.write_all(&abc("a.txt")).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
}

#[test]
fn a_list_that_would_not_fit_into_memory_is_refused() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &["--say", "list"]);
    call.write_all(&ok("list", 1 << 30, ABC)).unwrap();
    failed(
        &mut stage,
        client,
        &inbox,
        "the answer has 1073741824 bytes, and 16777216 is the limit; a list has no larger one",
    );
}

#[test]
fn an_answer_to_something_else_is_not_saved_under_the_wrong_name() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    call.write_all(&abc("b.txt")).unwrap();
    failed(
        &mut stage,
        client,
        &inbox,
        "the answer is for \"b.txt\", not for \"a.txt\"",
    );
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
    let mut stage = Stage::rehearsal();
    let request = format!("get {name}");
    let (client, mut call) = called_with(&mut stage, &inbox, &["--say", &request]);
    call.write_all(&abc(&name)).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    assert!(lines.last().unwrap().contains(reason), "{lines:?}");
    assert_eq!(names(outer.path()), ["inbox"]);
    assert_eq!(names(&inbox), ["sub"]);
    assert!(names(&inbox.join("sub")).is_empty());
}

#[test]
fn a_file_that_is_there_already_is_neither_asked_for_nor_touched() {
    let inbox = tempfile::tempdir().unwrap();
    fs::write(inbox.path().join("a.txt"), "mine").unwrap();
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
    let (client, mut call) = called_with(&mut stage, &outer.path().join("no"), &GET);
    call.write_all(&abc("a.txt")).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    let last = lines.last().unwrap();
    assert!(
        last.starts_with("create ") && last.ends_with("; pass another --into"),
        "{last}"
    );
}

#[test]
fn a_refusal_is_told_and_the_next_request_is_asked() {
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
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
    let mut stage = Stage::rehearsal();
    let args = ["--at-once", "--say", "get a", "--say", "get b"];
    let (client, mut call, inbox) = called(&mut stage, &args);
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"a"}"#);
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"b"}"#);
    call.write_all(&[abc("a"), abc("b")].concat()).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(names(inbox.path()), ["a", "b"]);
}

#[test]
fn with_ack_the_digits_are_held_against_the_limit() {
    let mut stage = Stage::rehearsal();
    let args = [&GET[..], &["--framing", "ack", "--max-size", "1000"]].concat();
    let (client, mut call, inbox) = called(&mut stage, &args);
    call.write_all(b"1001").unwrap();
    let reason = "the answer has 1001 bytes, and 1000 is the limit";
    failed(&mut stage, client, &inbox, reason);
}

// The program.

#[test]
fn lines_of_the_input_are_requests_until_quit() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, _inbox) = called(&mut stage, &[]);
    for line in ["", "nonsense", "get a", "", "quit", "get b"] {
        stage.tell(client, line).unwrap();
    }
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"a"}"#);
    call.write_all(&abc("a")).unwrap();
    assert_eq!(call.read(&mut [0]).unwrap(), 0, "it hung up");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    stage.wait_line(client, "unknown request \"nonsense\": say list or get NAME").unwrap();
    stage.wait_line(client, "1 of 2 requests failed").unwrap();
    assert!(!stage.lines(client).concat().contains(">>:"));
}

#[test]
fn the_end_of_the_input_ends_the_call() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, _inbox) = called(&mut stage, &[]);
    stage.end_input(client);
    assert_eq!(call.read(&mut [0]).unwrap(), 0);
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    stage.wait_line(client, "closed the connection").unwrap();
}

#[cfg(unix)]
#[test]
fn an_input_line_that_is_no_text_is_no_request_and_no_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let mut stage = Stage::rehearsal();
    let script = r#"printf '\377\376\nlist\n' | "$0" --addr "$1""#;
    let client = Program::new("sh").args(["-c", script, CLIENT, &addr]);
    let client = stage.start("client", &client).unwrap();
    let (mut call, _) = listener.accept().unwrap();
    assert_eq!(receive(&mut call), r#"{"request":"list"}"#);
    stage.wait_line(client, r#"unknown request "\xff\xfe""#).unwrap();
}

#[test]
fn where_nobody_listens_it_is_refused() {
    let closed = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    closed.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let addr = closed.local_addr().unwrap().as_socket().unwrap().to_string();
    let mut stage = Stage::rehearsal();
    let client = stage.start("client", &Program::new(CLIENT).args(["--addr", &addr])).unwrap();
    let said = stage.wait_line(client, &format!("connect {addr}: connection refused")).unwrap();
    assert!(said.ends_with("; nobody listens there: start the server first, or pass --addr"));
}

/// /dev/full takes nothing, as a pipe that nobody reads.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_stdout_that_takes_nothing_ends_it_without_a_panic() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(CLIENT).args(["--addr", &addr]).stdout(full).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

#[rstest]
#[case::no_port(&["--addr", "localhost"])]
#[case::no_request(&["--say", "hello"])]
#[case::nothing_to_say(&["--say", ""])]
#[case::a_file_without_a_name(&["--say", "get"])]
#[case::no_such_framing(&["--framing", "both"])]
#[case::no_time(&["--timeout", "0"])]
#[case::nothing_to_receive(&["--receive", "0"])]
#[case::no_size(&["--max-size", "much"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let client = stage.start("client", &Program::new(CLIENT).args(args)).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(2));
}

#[test]
fn the_examples_of_both_helps_fit_together() {
    let example = |program: &str| {
        let help = Command::new(program).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let (_, example) = help.split_once("Example:").unwrap();
        let framing = example.split_once("--framing ");
        framing.map(|(_, rest)| rest.split_whitespace().next().unwrap().to_string())
    };
    assert_eq!(example(SERVER), example(CLIENT));
}

/// A terminal is needed for a prompt. Python gives it one.
#[test]
#[ignore = "needs python3"]
fn ctrl_d_at_the_prompt_ends_the_line() {
    let mut stage = Stage::rehearsal();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let terminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
    let script = ["sh", "-c", "\"$0\" --addr \"$1\"; echo status $?"];
    let program = Program::new("python3").args(terminal).args(script);
    let client = stage.start("client", &program.args([CLIENT, &addr])).unwrap();
    stage.tell(client, "\u{4}").unwrap(); // Ctrl-D
    stage.wait_line(client, "status 0").unwrap();
    let lines = stage.lines(client);
    let prompts = lines.iter().filter(|line| line.starts_with(">>:"));
    let prompts: Vec<&str> = prompts.map(|line| line.trim_end()).collect();
    assert_eq!(prompts, [">>:"], "{lines:?}");
}

#[test]
fn a_name_too_long_for_a_header_is_refused_with_a_way_out() {
    let mut stage = Stage::rehearsal();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let request = format!("get {}", "a".repeat(70_000));
    let program = Program::new(CLIENT).args(["--addr", &addr, "--say", &request]);
    let client = stage.start("client", &program).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    assert_eq!(
        lines.last().unwrap(),
        &format!(
            "send to {addr}: a header of 70027 bytes is over the limit of 65536; \
             ask for a shorter name"
        )
    );
}
