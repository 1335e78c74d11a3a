//! A Python program in the style of the tutorials hears our client.

use rstest::rstest;
use scene::{Program, Stage};

use crate::common::{client, ended};

fn python(script: &str, args: &[&str]) -> Program {
    let path = format!("{}/tests/python/{script}", env!("CARGO_MANIFEST_DIR"));
    // Its own output is UTF-8, whatever the machine's default is.
    Program::new("python3").args(["-X", "utf8", &path]).args(args)
}

#[rstest]
#[case::utf8("utf-8")]
#[case::gbk("gbk")]
#[ignore = "needs python3"]
fn a_python_program_that_receives_once_reads_what_our_client_says(#[case] encoding: &str) {
    let mut stage = Stage::rehearsal();
    let receiver = stage.start("receiver", &python("receive_once.py", &[encoding])).unwrap();
    let addr = stage.ready(receiver).unwrap();
    let args = ["--encoding", encoding, "--no-answer", "--say", "你好，世界"];
    let client = client(&mut stage, addr, &args);
    assert!(ended(&mut stage, client).0.success());
    let (ending, said) = ended(&mut stage, receiver);
    assert!(ending.success(), "{said:?}");
    assert_eq!(said[1], "你好，世界");
}
