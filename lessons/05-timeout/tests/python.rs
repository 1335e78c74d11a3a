//! Programs of the tutorials' kind can take either side.

use std::net::SocketAddr;

use rstest::rstest;
use scene::{Actor, Program, Stage};

use crate::common::{ask, client, said, server, stage};

fn python(name: &str, addr: SocketAddr, args: &[&str]) -> Program {
    let script = format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"));
    let host = addr.ip().to_string();
    let port = addr.port().to_string();
    let program = Program::new("python3").args([script, host, port]);
    program.args(args)
}

fn python_server(stage: &mut Stage, seconds: &str) -> (Actor, SocketAddr) {
    let any = "127.0.0.1:0".parse().unwrap();
    let program = python("server.py", any, &[seconds]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    (server, addr)
}

#[rstest]
#[case::the_word("1", "b'welcome to server!'")]
#[case::another_word("hello", "b'please go out!'")]
#[ignore = "needs python3"]
fn a_python_client_is_answered(#[case] word: &str, #[case] answer: &str) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, "");
    let program = python("client.py", addr, &["0.1", word]);
    let caller = stage.start("client", &program).unwrap();
    stage.wait_line(caller, answer).unwrap();
    assert!(stage.wait_exit(caller).unwrap().success());
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_that_thinks_too_long_gets_an_end_of_stream() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 0.1");
    let program = python("client.py", addr, &["1", "1"]);
    let caller = stage.start("client", &program).unwrap();
    stage.wait_line(server, "time out").unwrap();
    stage.wait_line(caller, "b''").unwrap();
}

#[rstest]
#[case::the_word("1", "welcome to server!")]
#[case::another_word("hello", "please go out!")]
#[ignore = "needs python3"]
fn a_python_server_answers_the_client(#[case] word: &str, #[case] answer: &str) {
    let mut stage = stage();
    let (_, addr) = python_server(&mut stage, "5");
    let caller = client(&mut stage, addr, &["--think", "0.1", "--say", word]);
    stage.wait_line(caller, answer).unwrap();
    assert!(stage.wait_exit(caller).unwrap().success());
}

#[test]
#[ignore = "needs python3"]
fn a_python_server_gives_a_client_up_that_thinks_too_long() {
    let mut stage = stage();
    let (server, addr) = python_server(&mut stage, "0.1");
    let caller = client(&mut stage, addr, &["--think", "1", "--say", "1"]);
    stage.wait_line(server, "time out").unwrap();
    stage.wait_line(caller, "before an answer").unwrap();
    assert!(said(&stage, caller, "end of stream: the server hung up"));
    assert_eq!(ask(addr, b"1"), "welcome to server!");
}
