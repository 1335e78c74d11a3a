//! Programs in the style of the Python tutorials take either side.

use std::io::Write;
use std::process::{Command, Stdio};

use scene::{Program, Stage};

use crate::common::{CLIENT, client, server};

fn script(name: &str) -> String {
    format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_talks_with_our_server() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let program = Program::new("python3").args([script("client.py"), addr.to_string()]);
    let client = stage.start("client", &program).unwrap();
    stage.tell(client, "hello\n\nwörld").unwrap();
    stage.end_input(client);
    assert!(stage.wait_exit(client).unwrap().success());
    assert_eq!(stage.lines(client), ["HELLO", "WöRLD"]);
    stage.wait_line(server, "end of stream").unwrap();
}

#[test]
#[ignore = "needs python3"]
fn our_client_talks_with_a_python_server() {
    let mut stage = Stage::rehearsal();
    let program = Program::new("python3").args([script("server.py")]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    for (args, end) in [
        (&["--say", "hello"][..], "end"),
        (&["--say", "hello", "--reset"], "reset"),
    ] {
        let client = client(&mut stage, addr, args);
        assert!(stage.wait_exit(client).unwrap().success());
        stage.wait_line(client, r#"received 5 bytes: "HELLO""#).unwrap();
        assert_eq!(stage.wait_line(server, "").unwrap(), end);
    }
}

#[test]
#[ignore = "needs python3"]
fn on_a_terminal_the_client_asks_for_each_message() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &[]);
    let mut terminal = Command::new("python3")
        .args([&script("terminal.py"), CLIENT, "--addr", &addr.to_string()])
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
