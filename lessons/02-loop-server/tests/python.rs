//! Programs in the style of the Python tutorials take either side.

use scene::{Actor, Ending, Program, Stage};
use std::net::SocketAddr;

use crate::common::{CLIENT, client, run, server, stage, text};

const GREETING: &str = "成功连接服务器!";

fn script(name: &str) -> String {
    format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn python_server(stage: &mut Stage, name: &str) -> (Actor, SocketAddr) {
    let program = Program::new("python3").args([script(name)]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_talks_with_our_server() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let args = [script("client.py"), addr.to_string()];
    let output = run(
        "python3",
        &args.each_ref().map(String::as_str),
        "hello\n\nwörld\n".as_bytes(),
    );
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "HELLO\nWöRLD\n");
    stage.wait_line(server, "end of stream").unwrap();
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_hears_the_greeting_of_our_server() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--greeting", GREETING, "--reply", "echo"]);
    let args = [script("client.py"), addr.to_string(), "--greeted".into()];
    let output = run("python3", &args.each_ref().map(String::as_str), b"hello\n");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), format!("{GREETING}\nhello\n"));
}

#[test]
#[ignore = "needs python3"]
fn our_client_talks_with_a_python_server() {
    let mut stage = stage();
    let (server, addr) = python_server(&mut stage, "server.py");
    for (args, end) in [
        (&["--say", "hello"][..], "end"),
        (&["--say", "hello", "--reset"], "reset"),
    ] {
        let client = client(&mut stage, addr, args);
        assert!(stage.wait_exit(client).unwrap().success());
        assert!(stage.lines(client).contains(&"received 5 bytes: \"HELLO\"".to_string()));
        assert_eq!(stage.wait_line(server, "").unwrap(), end);
    }
}

#[test]
#[ignore = "needs python3"]
fn our_client_passes_a_mebibyte_through_a_python_server() {
    let mut stage = stage();
    let (_, addr) = python_server(&mut stage, "server.py");
    let message = [vec![b'm'; 1 << 20], b"\n".to_vec()].concat();
    let output = run(CLIENT, &["--addr", &addr.to_string()], &message);
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("received 1048576 bytes: \"MMMM"));
}

#[test]
#[ignore = "needs python3"]
fn our_client_hears_the_greeting_of_a_python_server() {
    let mut stage = stage();
    let (_, addr) = python_server(&mut stage, "greeter.py");
    for _ in 0..2 {
        let client = client(&mut stage, addr, &["--listen-first"]);
        let heard = stage.wait_line(client, "received").unwrap();
        assert_eq!(heard, format!("received 22 bytes: \"{GREETING}\""));
        stage.end_input(client);
        assert!(stage.wait_exit(client).unwrap().success());
    }
}

#[test]
#[ignore = "needs python3"]
fn a_call_that_a_python_server_drops_unread_is_reported_as_a_reset() {
    let mut stage = stage();
    let (_, addr) = python_server(&mut stage, "greeter.py");
    let waiting = client(&mut stage, addr, &["--listen-first", "--say", "hello"]);
    stage.wait_line(waiting, "taken by the kernel").unwrap();
    // With the next caller, Python closes the socket of this one.
    let next = client(&mut stage, addr, &["--listen-first"]);
    stage.wait_line(next, "received").unwrap();
    assert_eq!(stage.wait_exit(waiting).unwrap(), Ending::Status(1));
    let error = stage.lines(waiting).pop().unwrap();
    assert!(error.starts_with("recv from "), "{error}");
    assert!(error.contains("connection reset by peer"), "{error}");
}

#[test]
#[ignore = "needs python3"]
fn on_a_terminal_the_client_asks_for_each_message() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let args = [&script("terminal.py"), CLIENT, "--addr", &addr.to_string()];
    let output = run("python3", &args, b"hello\n\nquit\n");
    assert_eq!(output.status.code(), Some(0));
    // The terminal shows what is typed too, and ends its lines with "\r\n".
    let shown = text(&output.stdout).replace('\r', "");
    let talk = shown.split_once(">>: ").unwrap().1;
    assert_eq!(
        talk,
        "hello\nsending 5 bytes: \"hello\"\n  taken by the kernel\n\
         received 5 bytes: \"HELLO\"\n>>: \n>>: quit\nclosed the connection\n"
    );
}
