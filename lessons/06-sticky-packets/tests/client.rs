//! The client as a server meets it, also a server that means harm.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
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
fn it_asks_checks_and_saves() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &GET);
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"a.txt"}"#);
    call.write_all(&abc("a.txt")).unwrap();
    assert_eq!(call.read(&mut [0]).unwrap(), 0, "it hung up");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    stage.wait_line(client, "saved a.txt, 3 bytes, digest right").unwrap();
    assert_eq!(names(inbox.path()), ["a.txt"]);
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), b"abc");
}

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
#[case::before_the_body(&ok("a.txt", 3, ABC), "fetch \"a.txt\" from 127.0.0.1:", "end of stream after 0 of 3 bytes")]
#[case::in_the_header(
    b"\0\0\0\x20{",
    "recv from 127.0.0.1:",
    "end of stream after 1 of 32 bytes of a header"
)]
#[case::in_the_length(b"\0", "recv from 127.0.0.1:", "end of stream after 1 of 4 bytes")]
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
#[case::a_header_over_64_kib(&65537_u32.to_be_bytes(), "a header of 65537 bytes is announced, and 65536 is the limit")]
#[case::another_framing(b"error: unknown request", "both sides need the same --framing")]
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
fn in_turn_the_second_request_waits_for_the_first_answer() {
    let mut stage = Stage::rehearsal();
    let args = ["--say", "get a", "--say", "get b"];
    let (client, mut call, _inbox) = called(&mut stage, &args);
    receive(&mut call);
    call.write_all(&ok("a", 3, ABC)).unwrap();
    stage.wait_line(client, "received").unwrap();
    assert_eq!(
        stage.lines(client).iter().filter(|line| line.starts_with("sending")).count(),
        1
    );
    call.write_all(b"abc").unwrap();
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"b"}"#);
}

// The other framings.

#[test]
fn without_framing_the_rest_of_an_answer_is_taken_for_the_next() {
    let mut stage = Stage::rehearsal();
    let args = ["--framing", "none", "--say", "get a.txt", "--say", "list"];
    let (client, mut call, inbox) = called(&mut stage, &args);
    call.read_exact(&mut [0; 9]).unwrap();
    call.write_all(&[b'a'; 2000]).unwrap();
    call.read_exact(&mut [0; 4]).unwrap();
    call.write_all(b"1 x\n").unwrap();
    let said = stage.wait_line(client, "that is no list").unwrap();
    assert!(said.contains("aaaa"), "{said}");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    assert!(fs::metadata(inbox.path().join("a.txt")).unwrap().len() <= 1024);
}

#[test]
fn without_framing_an_empty_answer_is_waited_for() {
    let mut stage = Stage::rehearsal();
    let args = [
        "--framing",
        "none",
        "--say",
        "get a.txt",
        "--timeout",
        "0.2",
    ];
    let (client, mut call, inbox) = called(&mut stage, &args);
    call.write_all(b"").unwrap();
    failed(&mut stage, client, &inbox, "timed out");
}

#[test]
fn with_ack_it_says_ready_when_it_knows_the_length() {
    let mut stage = Stage::rehearsal();
    let (client, mut call, inbox) = called(&mut stage, &[&GET[..], &["--framing", "ack"]].concat());
    call.read_exact(&mut [0; 9]).unwrap();
    call.write_all(b"2000").unwrap();
    let mut said = [0; 5];
    call.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"ready");
    call.write_all(&[b'a'; 2000]).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(fs::read(inbox.path().join("a.txt")).unwrap(), [b'a'; 2000]);
}

#[rstest]
#[case::no_number(b"many", "\"many\" came where the length belongs")]
#[case::too_many(b"1001", "the answer has 1001 bytes, and 1000 is the limit")]
fn with_ack_a_length_that_cannot_be_leaves_nothing(#[case] length: &[u8], #[case] reason: &str) {
    let mut stage = Stage::rehearsal();
    let args = [&GET[..], &["--framing", "ack", "--max-size", "1000"]].concat();
    let (client, mut call, inbox) = called(&mut stage, &args);
    call.write_all(length).unwrap();
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

#[test]
fn an_input_line_that_is_no_text_is_no_request_and_no_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let inbox = tempfile::tempdir().unwrap();
    let mut client = Command::new(CLIENT);
    client.args(["--addr", &addr, "--into"]).arg(inbox.path());
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    let (mut call, _) = listener.accept().unwrap();
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"\xff\xfe\nget a\n").unwrap();
    drop(stdin);
    assert_eq!(receive(&mut call), r#"{"request":"get","name":"a"}"#);
    call.write_all(&abc("a")).unwrap();
    let output = client.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with(r#"unknown request "\xff\xfe""#),
        "{stderr}"
    );
    assert_eq!(names(inbox.path()), ["a"]);
}

#[rstest]
#[case::nobody_there("connect {addr}: connection refused")]
fn where_nobody_listens_it_is_refused(#[case] expected: &str) {
    let closed = socket();
    let addr = closed.local_addr().unwrap().as_socket().unwrap().to_string();
    let mut stage = Stage::rehearsal();
    let client = stage.start("client", &Program::new(CLIENT).args(["--addr", &addr])).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
    let lines = stage.lines(client);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with(&expected.replace("{addr}", &addr)),
        "{lines:?}"
    );
    assert!(lines[0].contains("; "), "{lines:?}");
}

/// A port that is bound and not listened on.
fn socket() -> socket2::Socket {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).unwrap();
    socket
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
fn the_help_shows_an_example() {
    let help = Command::new(CLIENT).arg("--help").output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Example:"));
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

/// A pipe whose reader has gone, as in `| head -1`.
#[test]
fn a_closed_stdout_is_no_panic() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut client = Command::new(CLIENT);
    client.args(["--addr", &addr]).stdout(writer);
    let client = client.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = client.spawn().unwrap();
    // It says something about each request, and nobody reads it. Why more than
    // one request? A test next door may start a program at this moment, and
    // until that runs, it holds a copy of the other end of the pipe.
    let (mut call, _) = listener.accept().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut header = [0; 4 + LIST.len()];
    while stdin.write_all(b"list\n").is_ok()
        && call.read_exact(&mut header).is_ok()
        && call.write_all(&message(REFUSAL)).is_ok()
    {}
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

const LIST: &str = r#"{"request":"list"}"#;
const REFUSAL: &str = r#"{"status":"error","reason":"no"}"#;

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
