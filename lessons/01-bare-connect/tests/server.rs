//! The server as a caller meets it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use house::Rehearsal;
use house::raw::{self, again, read, rest};
use scene::{Actor, Ending, Program};

use crate::lesson::{server, stage};

/// A server on a port of its own, and a call to it.
fn call(stage: &mut Rehearsal, args: &[&str]) -> (Actor, TcpStream) {
    let (server, addr) = stage.server(args);
    (server, raw::call(addr))
}

#[test]
fn of_a_longer_message_1024_bytes_come_back_and_then_a_reset() {
    let mut stage = stage();
    // The server accepts only when all bytes are there, so its receive is full.
    let (server, mut connection) = call(&mut stage, &["--hold"]);
    connection.write_all(&[b'x'; 2000]).unwrap();
    stage.tell(server, "").unwrap();
    assert_eq!(read(&connection, 1024), [b'X'; 1024]);
    let end = again(|| connection.read(&mut [0])).unwrap_err();
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_caller_that_hangs_up_without_a_word_is_no_error() {
    let mut stage = stage();
    let (server, connection) = call(&mut stage, &[]);
    drop(connection);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    assert!(stage.lines(server).contains(&"received 0 bytes: \"\"".to_string()));
}

#[test]
fn both_sockets_of_the_server_are_on_the_same_port() {
    let mut stage = stage();
    let (server, connection) = call(&mut stage, &[]);
    let listening = connection.peer_addr().unwrap();
    let accepted = stage.wait_line(server, "accepted").unwrap();
    assert_eq!(
        accepted,
        format!("accepted a call from {}", connection.local_addr().unwrap())
    );
    let on = stage.wait_line(server, "it is on").unwrap();
    assert_eq!(on.trim(), format!("it is on {listening}"));
}

/// On Linux the kernel lets in one more than the backlog says.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the accept queue of Linux")]
fn with_backlog_1_two_calls_wait_for_accept_and_the_third_is_not_answered() {
    let mut stage = stage();
    let (server, first) = call(&mut stage, &["--hold", "--backlog", "1"]);
    stage.wait_line(server, "not yet accepting").unwrap();
    let addr = first.peer_addr().unwrap();
    let _second = TcpStream::connect(addr).unwrap();
    let third = TcpStream::connect_timeout(&addr, Duration::from_millis(300)).unwrap_err();
    assert_eq!(third.kind(), ErrorKind::TimedOut);
}

/// The server was the first to hang up, so its side of the call stays behind.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the rules of Linux for bind")]
fn a_second_run_at_once_fails_with_address_in_use_and_names_lesson_4() {
    let mut stage = stage();
    let (server, mut connection) = call(&mut stage, &[]);
    let addr = connection.peer_addr().unwrap().to_string();
    connection.write_all(b"hello").unwrap();
    rest(&connection);
    drop(connection);
    stage.wait_exit(server).unwrap();
    let again = stage.start_server(&["--addr", &addr]);
    let error = stage.failure(again);
    let in_use = format!("bind {addr}: address already in use");
    assert!(error.starts_with(&in_use), "{error}");
    assert!(error.contains("lesson 4"), "{error}");
}

#[test]
fn a_backlog_that_is_no_number_is_wrong_usage() {
    server().refuses(&["--backlog", "many"], "--backlog");
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = stage();
    let (server, _connection) = call(&mut stage, &["--hold"]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

/// As a character leaves them that is erased by half.
#[cfg(unix)]
#[test]
fn enter_is_enter_also_after_bytes_that_are_no_text() {
    let mut stage = stage();
    let script = r#"printf '\344\n' | "$0" "$@""#;
    let program = Program::new("sh").args(["-c", script, server().executable()]);
    let program = program.args(["--hold", "--addr", "127.0.0.1:0"]);
    let server = stage.start("server", &program).unwrap();
    let mut connection = raw::call(stage.ready(server).unwrap());
    connection.write_all(b"hello").unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}
