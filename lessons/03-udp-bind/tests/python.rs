//! A Python program in the style of the tutorials hears our client.

use rstest::rstest;
use scene::{Program, Stage};

use crate::common::{client, ended};

#[rstest]
#[case::utf8("utf-8")]
#[case::gbk("gbk")]
#[ignore = "needs python3"]
fn a_python_program_that_receives_once_reads_what_our_client_says(#[case] encoding: &str) {
    let mut stage = Stage::rehearsal();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/receive_once.py");
    // Its own output is UTF-8, whatever the machine's default is.
    let program = Program::new("python3").args(["-X", "utf8", script, encoding]);
    let receiver = stage.start("receiver", &program).unwrap();
    let addr = stage.ready(receiver).unwrap();
    let args = ["--encoding", encoding, "--no-answer", "--say", "你好，世界"];
    let client = client(&mut stage, addr, &args);
    assert!(ended(&mut stage, client).0.success());
    let (ending, said) = ended(&mut stage, receiver);
    assert!(ending.success(), "{said:?}");
    assert_eq!(said[1], "你好，世界");
}
