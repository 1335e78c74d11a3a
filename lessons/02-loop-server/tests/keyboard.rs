//! The client at a terminal. The other lessons have the same `keyboard.rs`.

use std::io::Write;
use std::process::{Command, Stdio};

use rstest::rstest;
use scene::Program;

use crate::lesson::{client, stage};

#[test]
#[ignore = "needs python3"]
fn on_a_terminal_the_client_asks_for_each_message() {
    let mut stage = stage();
    let (_, addr) = stage.server(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terminal.py");
    let mut terminal = Command::new("python3")
        .args([script, client().executable(), "--addr", &addr.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = terminal.stdin.take().unwrap();
    typed.write_all(b"hello\n\nquit\n").unwrap();
    drop(typed);
    let output = terminal.wait_with_output().unwrap();
    assert!(output.status.success());
    // The terminal shows what is typed too, and ends its lines with "\r\n".
    let shown = String::from_utf8(output.stdout).unwrap().replace('\r', "");
    assert_eq!(
        shown.split_once(">>: ").unwrap().1,
        "hello\nsending 5 bytes: \"hello\"\n  taken by the kernel\n\
         received 5 bytes: \"HELLO\"\n>>: \n>>: quit\nclosed the connection\n"
    );
}

/// What the client says next has a line of its own.
#[rstest]
#[case::at_the_prompt("\u{4}", "closed the connection")]
#[case::behind_a_word("word\u{4}\u{4}", "sending 4 bytes: \"word\"")]
#[ignore = "needs python3"]
fn ctrl_d_ends_the_line(#[case] typed: &str, #[case] said: &str) {
    let mut stage = stage();
    let (_, addr) = stage.server(&[]);
    let terminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
    let words = [client().executable(), "--addr", &addr.to_string()];
    let program = Program::new("python3").args(terminal).args(words);
    let client = stage.start("client", &program).unwrap();
    stage.tell(client, typed).unwrap();
    assert_eq!(stage.wait_line(client, said).unwrap(), said);
}
