//! Programs of the tutorials' kind can take either side.

use scene::{Actor, Program, Stage};

use crate::common::{client, server};

/// A Python program with these arguments: host, port, and what else it takes.
fn python(stage: &mut Stage, name: &str, args: &str) -> Actor {
    let script = format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"));
    let args = args.split([' ', ':']);
    let program = Program::new("python3").args([script]).args(args);
    stage.start(name, &program).unwrap()
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_is_answered() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, "");
    let caller = python(&mut stage, "client.py", &format!("{addr} 0.1 1"));
    stage.wait_line(caller, "b'welcome to server!'").unwrap();
    assert!(stage.wait_exit(caller).unwrap().success());
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_that_thinks_too_long_gets_an_end_of_stream() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, "--timeout 0.1");
    let caller = python(&mut stage, "client.py", &format!("{addr} 1 1"));
    stage.wait_line(server, "time out").unwrap();
    stage.wait_line(caller, "b''").unwrap();
}

#[test]
#[ignore = "needs python3"]
fn a_python_server_gives_up_on_a_client_that_thinks_too_long_and_answers_the_next() {
    let mut stage = Stage::rehearsal();
    let server = python(&mut stage, "server.py", "127.0.0.1:0 0.1");
    let addr = stage.ready(server).unwrap();
    let caller = client(&mut stage, addr, "--think 1 --say 1");
    stage.wait_line(server, "time out").unwrap();
    stage.wait_line(caller, "before an answer").unwrap();
    let next = client(&mut stage, addr, "--think 0 --say 1");
    stage.wait_line(next, "welcome to server!").unwrap();
    assert!(stage.wait_exit(next).unwrap().success());
}
