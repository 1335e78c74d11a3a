//! Python programs in the style of the tutorials take either side.

use rstest::rstest;
use scene::{Program, Stage};

use crate::common::{client, ended, server};

fn python(script: &str, args: &[&str]) -> Program {
    let path = format!("{}/tests/python/{script}", env!("CARGO_MANIFEST_DIR"));
    // Its own output is UTF-8, whatever the machine's default is.
    Program::new("python3").args(["-X", "utf8", &path]).args(args)
}

#[rstest]
#[case::utf8("utf-8", 6)]
#[case::gbk("gbk", 4)]
#[ignore = "needs python3"]
fn a_python_client_talks_to_our_server(#[case] encoding: &str, #[case] length: usize) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--encoding", encoding, "--reply", "upper"]);
    let port = addr.port().to_string();
    let args = ["127.0.0.1", &port, encoding, "hello", "你好", "bye"];
    let client = stage.start("client", &python("udp_client.py", &args)).unwrap();
    let (ending, said) = ended(&mut stage, client);
    assert!(ending.success(), "{said:?}");
    let expected = [
        format!("received HELLO from {addr}"),
        format!("received 你好 from {addr}"),
    ];
    assert_eq!(said, expected);
    assert!(ended(&mut stage, server).0.success(), "bye ends it");
    let line = format!("received {length} bytes: \"你好\"");
    stage.wait_line(server, &line).unwrap();
}

#[rstest]
#[case::utf8("utf-8", &[])]
#[case::gbk("gbk", &[])]
#[case::connected("utf-8", &["--connected"])]
#[ignore = "needs python3"]
fn our_client_talks_to_a_python_server(#[case] encoding: &str, #[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let program = python("udp_server.py", &["127.0.0.1", encoding]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    let says = [
        "--encoding",
        encoding,
        "--say",
        "hello",
        "--say",
        "你好",
        "--say",
        "bye",
    ];
    let client = client(&mut stage, addr, &[&says[..], args].concat());
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success(), "{lines:?}");
    let answers: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("received"))
        .filter_map(|line| line.split_once(": "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(answers, ["\"hello\"", "\"你好\""]);
    let (ending, said) = ended(&mut stage, server);
    assert!(ending.success(), "bye ends it");
    assert_eq!(said[1..], ["received hello", "received 你好"]);
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
