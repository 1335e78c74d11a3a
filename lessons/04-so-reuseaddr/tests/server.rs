//! The server as a caller meets it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{self, SERVER, call, exchange, server, stage};

#[rstest]
#[case::one_byte(b"x", b"X")]
#[case::a_word(b"hello", b"HELLO")]
#[case::chinese_text("你好 a".as_bytes(), "你好 A".as_bytes())]
#[case::bytes_that_are_no_text(b"\x00\xff\xe5a", b"\x00\xff\xe5A")]
#[case::as_many_as_it_receives(&[b'x'; 1024], &[b'X'; 1024])]
fn it_answers_in_upper_case_closes_and_ends(#[case] said: &[u8], #[case] expected: &[u8]) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    assert_eq!(exchange(&call(addr), said), expected);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[test]
fn by_default_it_takes_one_call_and_closes_its_listener_before_the_answer() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let first = call(addr);
    stage.wait_line(server, "closed the listener").unwrap();
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
    assert_eq!(exchange(&first, b"hello"), b"HELLO");
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[test]
fn with_calls_3_it_takes_three_calls_and_ends() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--calls", "3"]);
    for message in [b"one", b"two", b"six"] {
        let expected = message.to_ascii_uppercase();
        assert_eq!(exchange(&call(addr), message), expected);
    }
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[test]
fn a_caller_that_resets_its_call_ends_only_that_call() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--calls", "2"]);
    let rude = call(addr);
    let options = socket2::SockRef::from(&rude);
    options.set_linger(Some(Duration::ZERO)).unwrap();
    stage.wait_line(server, "accepted").unwrap();
    drop(rude);
    stage.wait_line(server, "recv from").unwrap();
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[rstest]
#[case::when_the_server_is_to_close_first("server")]
#[case::when_the_client_is_to_close_first("client")]
fn a_caller_that_hangs_up_without_a_word_is_no_error(#[case] first: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--close-first", first]);
    drop(call(addr));
    stage.wait_line(server, "end of stream: the client hung up").unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

#[test]
fn when_the_client_is_to_close_first_it_waits_for_the_end_whatever_else_comes() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--close-first", "client"]);
    let mut connection = call(addr);
    connection.write_all(b"hello").unwrap();
    connection.read_exact(&mut [0; 5]).unwrap();
    connection.write_all(&[b'x'; 100_000]).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "one message, one answer");
    stage.wait_line(server, "end of stream").unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    assert_eq!(stage.lines(server).len(), 7, "{:?}", stage.lines(server));
}

#[rstest]
#[case::ipv4("127.0.0.1:0")]
#[case::ipv6("[::1]:0")]
#[case::a_name("localhost:0")]
fn its_first_line_tells_the_real_address(#[case] addr: &str) {
    let mut stage = stage();
    let program = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &program).unwrap();
    let told: SocketAddr = stage.ready(server).unwrap();
    assert_ne!(told.port(), 0);
    assert_eq!(stage.lines(server)[0], format!("listening on {told}"));
    TcpStream::connect(told).unwrap();
}

#[rstest]
#[case::an_address_of_another_host(
    "203.0.113.7:8082",
    "bind 203.0.113.7:8082: cannot assign requested address",
    "ip address"
)]
#[case::a_name_that_is_none("local..host:8082", "resolve local..host:8082: ", "check the spelling")]
fn where_it_cannot_listen_it_names_the_reason_and_the_way_out(
    #[case] addr: &str,
    #[case] start: &str,
    #[case] way_out: &str,
) {
    let mut stage = stage();
    let program = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &program).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with(start), "{lines:?}");
    assert!(lines[0].contains(way_out), "{lines:?}");
}

#[test]
fn a_port_in_use_names_all_its_ways_out() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let said = common::restarted(&mut stage, addr, &[]);
    for way_out in ["ss -tan", "--reuse-addr", "wait a minute", "--addr"] {
        assert!(said.contains(way_out), "{said}");
    }
}

#[test]
#[cfg(not(unix))]
fn without_unix_reuse_port_is_a_clear_error() {
    let mut stage = stage();
    let program = Program::new(SERVER).args(["--addr", "127.0.0.1:0", "--reuse-port"]);
    let server = stage.start("server", &program).unwrap();
    stage.wait_line(server, "leave out --reuse-port").unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
}

#[rstest]
#[case::no_port(&["--addr", "127.0.0.1"])]
#[case::no_host(&["--addr", ":8082"])]
#[case::a_port_that_is_none(&["--addr", "127.0.0.1:65536"])]
#[case::a_side_that_is_none(&["--close-first", "both"])]
#[case::no_call_at_all(&["--calls", "0"])]
#[case::an_unknown_flag(&["--loud"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let mut stage = stage();
    let program = Program::new(SERVER).args(args);
    let server = stage.start("server", &program).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

#[test]
fn help_shows_an_example_and_the_default_address() {
    let mut stage = stage();
    let program = Program::new(SERVER).args(["--help"]);
    let server = stage.start("server", &program).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let help = stage.lines(server).join("\n");
    assert!(
        help.contains("Examples:\n  cargo run -p lesson-4 server --addr"),
        "{help}"
    );
    assert!(help.contains("[default: 127.0.0.1:8082]"), "{help}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_closed_stdout_ends_it_without_a_panic() {
    // A pipe that nobody reads would do, too; but for a moment a process that
    // another test is starting may hold its other end.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(SERVER);
    command.args(["--addr", "127.0.0.1:0"]).stdout(full);
    let output = common::run(&mut command);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = stage();
    let (server, _) = server(&mut stage, &[]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

/// As a character leaves them that is erased by half.
#[cfg(unix)]
#[test]
fn enter_is_enter_also_after_bytes_that_are_no_text() {
    let mut stage = stage();
    let script = r#"printf '\344\n' | "$0" "$@""#;
    let program = Program::new("sh").args(["-c", script, SERVER]);
    let program = program.args(["--hold", "--addr", "127.0.0.1:0"]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}
