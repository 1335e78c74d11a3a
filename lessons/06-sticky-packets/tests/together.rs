//! Both programs, with each other.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;

use house::Rehearsal;
use rstest::rstest;
use scene::Ending;

use crate::common::names;
use crate::lesson::stage;

/// A client that calls this server and saves into this folder; how it ended,
/// and what it said.
fn call(
    stage: &mut Rehearsal,
    addr: SocketAddr,
    inbox: &Path,
    args: &[&str],
) -> (Ending, Vec<String>) {
    let into = ["--into", inbox.to_str().unwrap()];
    let client = stage.client(addr, &[&into, args].concat());
    stage.ended(client)
}

fn has_the_samples(inbox: &Path) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample");
    for name in ["long.txt", "empty.txt", "你好.txt", "short.txt"] {
        let [saved, sent] = [inbox, &sample].map(|folder| fs::read(folder.join(name)));
        assert_eq!(saved.unwrap(), sent.unwrap(), "{name}");
    }
}

const ALL: [&str; 10] = [
    "--say",
    "list",
    "--say",
    "get long.txt",
    "--say",
    "get empty.txt",
    "--say",
    "get 你好.txt",
    "--say",
    "get short.txt",
];

#[rstest]
fn with_a_header_every_file_arrives_whole_for_every_receive_size(
    #[values("1", "2", "7", "100", "1024", "4096")] receive: &str,
    #[values(false, true)] at_once: bool,
) {
    let mut stage = stage();
    let (_, addr) = stage.server(&["--receive", receive]);
    let inbox = tempfile::tempdir().unwrap();
    let mut args = ALL.to_vec();
    args.extend(["--receive", receive]);
    args.extend(at_once.then_some("--at-once"));
    let (ending, lines) = call(&mut stage, addr, inbox.path(), &args);
    assert_eq!(ending, Ending::Status(0), "{lines:#?}");
    has_the_samples(inbox.path());
    assert_eq!(names(inbox.path()).len(), 4);
    assert!(lines.contains(&"  3200 long.txt".to_string()), "{lines:#?}");
}

/// Only the body is framed: the digits still have to come in one receive.
#[rstest]
fn with_ack_every_file_arrives_whole_if_the_length_comes_in_one_receive(
    #[values("100", "1024", "4096")] receive: &str,
) {
    let mut stage = stage();
    let (_, addr) = stage.server(&["--framing", "ack"]);
    let inbox = tempfile::tempdir().unwrap();
    let args = [&ALL[..], &["--framing", "ack", "--receive", receive]].concat();
    let (ending, lines) = call(&mut stage, addr, inbox.path(), &args);
    assert_eq!(ending, Ending::Status(0), "{lines:#?}");
    has_the_samples(inbox.path());
}

#[test]
fn with_ack_two_requests_at_once_stick_together_as_before() {
    let mut stage = stage();
    let (_, addr) = stage.server(&["--framing", "ack", "--wait-for", "16"]);
    let inbox = tempfile::tempdir().unwrap();
    let args = ["--framing", "ack", "--at-once", "--timeout", "0.2"];
    let args = [&args[..], &["--say", "list", "--say", "get long.txt"]].concat();
    let (ending, lines) = call(&mut stage, addr, inbox.path(), &args);
    assert_eq!(ending, Ending::Status(1));
    assert!(
        lines.iter().any(|line| line.contains("refused: unknown request \"listget long.txt\""))
    );
}

#[rstest]
#[case::a_client_with_header("none", "header", "both sides need the same --framing")]
#[case::a_client_with_ack("header", "ack", "both sides need the same --framing")]
fn two_framings_do_not_understand_each_other_and_say_so(
    #[case] server: &str,
    #[case] client: &str,
    #[case] expected: &str,
) {
    let mut stage = stage();
    let (_, addr) = stage.server(&["--framing", server]);
    let inbox = tempfile::tempdir().unwrap();
    let args = ["--framing", client, "--say", "get short.txt"];
    let (ending, lines) = call(&mut stage, addr, inbox.path(), &args);
    assert_eq!(ending, Ending::Status(1));
    assert!(lines.last().unwrap().contains(expected), "{lines:#?}");
    assert_eq!(names(inbox.path()), Vec::<String>::new());
}

/// A file that is not all zeros and does not fit into any buffer.
#[rstest]
#[case::header("header")]
#[case::ack("ack")]
fn a_file_of_some_megabytes_arrives_whole(#[case] framing: &str) {
    let root = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..5_000_003_u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    File::create(root.path().join("big")).unwrap().write_all(&bytes).unwrap();
    let mut stage = stage();
    let (_, addr) = stage.server(&[
        "--framing",
        framing,
        "--root",
        root.path().to_str().unwrap(),
    ]);
    let inbox = tempfile::tempdir().unwrap();
    let args = ["--framing", framing, "--say", "get big"];
    let (ending, lines) = call(&mut stage, addr, inbox.path(), &args);
    assert_eq!(ending, Ending::Status(0), "{lines:#?}");
    let mut saved = Vec::new();
    File::open(inbox.path().join("big")).unwrap().read_to_end(&mut saved).unwrap();
    assert!(saved == bytes);
    assert!(
        !lines.concat().contains('\x1b'),
        "no progress bar into a pipe: {lines:?}"
    );
}
