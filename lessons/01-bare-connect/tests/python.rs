//! A Python program can take either side.

use scene::{Ending, Program, Stage};

fn python(script: &str, host: &str, port: u16) -> Program {
    let path = format!("{}/tests/python/{script}", env!("CARGO_MANIFEST_DIR"));
    Program::new("python3").args([path, host.to_string(), port.to_string()])
}

#[test]
#[ignore = "needs python3"]
fn a_python_client_talks_to_our_server() {
    let mut stage = Stage::rehearsal();
    let server = Program::new(env!("CARGO_BIN_EXE_lesson-1-server"));
    let server = stage.start("server", &server.args(["--addr", "127.0.0.1:0"])).unwrap();
    let port = stage.ready(server).unwrap().port();
    let client = stage.start("client", &python("client.py", "127.0.0.1", port)).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert_eq!(stage.lines(client), ["HELLO FROM PYTHON"]);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[test]
#[ignore = "needs python3"]
fn our_client_talks_to_a_python_server() {
    let mut stage = Stage::rehearsal();
    let server = stage.start("server", &python("server.py", "127.0.0.1", 0)).unwrap();
    let addr = stage.ready(server).unwrap().to_string();
    let client = Program::new(env!("CARGO_BIN_EXE_lesson-1-client")).args(["--addr", &addr]);
    let client = stage.start("client", &client).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    stage.wait_line(client, "received 5 bytes: \"HELLO\"").unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}
