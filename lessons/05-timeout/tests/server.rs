//! What the server says and does that its checks do not ask for.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};

use rstest::rstest;
use scene::{Actor, Ending, Program, Stage};

use crate::common::{SERVER, call, reset, rest, said, server};

const WELCOME: &str = "welcome to server!";
const GO_OUT: &str = "please go out!";

#[rstest]
#[case::the_word("", "1", WELCOME)]
#[case::a_line_end_is_a_byte_like_any_other("", "1\n", GO_OUT)]
#[case::as_much_as_one_receive_takes("", &"x".repeat(1024), GO_OUT)]
#[case::a_line("--until newline", "1\n", WELCOME)]
#[case::what_follows_is_not_asked_for("--until newline", "1\nand more", WELCOME)]
#[case::an_empty_line("--until newline", "\n", GO_OUT)]
fn the_word_1_is_welcome_and_anything_else_is_not(
    #[case] flags: &str,
    #[case] words: &str,
    #[case] answer: &str,
) {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, flags);
    let mut caller = call(addr);
    caller.write_all(words.as_bytes()).unwrap();
    assert_eq!(rest(&caller), answer);
}

#[rstest]
#[case::silence(|caller| assert_eq!(rest(&caller), ""), "time out")]
#[case::a_hang_up(drop, "end of stream without a word")]
#[case::a_half_line(break_off, "end of stream, no line end")]
#[case::a_reset(reset, "connection reset by peer")]
fn how_a_call_ended_without_a_request_is_said(#[case] deed: fn(TcpStream), #[case] outcome: &str) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, "--until newline --timeout 0.5");
    deed(call(addr));
    let line = stage.wait_line(server, outcome).unwrap();
    assert!(line == outcome || line.starts_with("recv from "), "{line}");
    stage.wait_line(server, "closed the connection").unwrap();
    let ends = ["time out", "end of stream", "reset"];
    let lines = stage.lines(server).join("\n");
    let ends = ends.map(|end| lines.matches(end).count());
    assert_eq!(ends.iter().sum::<usize>(), 1, "{lines}");
    let part = outcome.contains("no line end");
    assert_eq!(said(&stage, server, "  after 1 bytes"), part, "{lines}");
}

fn break_off(mut caller: TcpStream) {
    caller.write_all(b"1").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&caller), "");
}

#[test]
fn a_line_that_does_not_end_is_bounded() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, "--until newline --timeout 3600");
    let mut caller = call(addr);
    caller.write_all(&[b'1'; 1024]).unwrap();
    assert_eq!(rest(&caller), GO_OUT);
    stage.wait_line(server, "no line end in 1024 bytes").unwrap();
}

#[rstest]
#[case::the_deadline_when_it_is_shorter("--timeout 3600 --deadline 0.2", "deadline passed")]
#[case::the_timeout_when_it_is_shorter("--timeout 0.2 --deadline 3600", "time out")]
fn silence_meets(#[case] limits: &str, #[case] outcome: &str) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, limits);
    assert_eq!(rest(&call(addr)), "");
    stage.wait_line(server, "closed the connection").unwrap();
    assert!(said(&stage, server, outcome), "{:?}", stage.lines(server));
}

#[rstest]
#[case::ipv6("[::1]:0", "[::1]:")]
#[case::a_name("localhost:0", "127.0.0.1:")]
#[case::any_address("0.0.0.0:0", "0.0.0.0:")]
fn it_listens_where_it_is_told(#[case] addr: &str, #[case] said: &str) {
    let mut stage = Stage::rehearsal();
    let server = started(&mut stage, &["--addr", addr]);
    let own = stage.ready(server).unwrap();
    assert!(own.to_string().starts_with(said), "{own}");
    assert_ne!(own.port(), 0, "the port is the real one");
}

fn started(stage: &mut Stage, args: &[&str]) -> Actor {
    stage.start("server", &Program::new(SERVER).args(args)).unwrap()
}

#[test]
fn a_port_that_is_taken_is_named_in_one_line_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let mut stage = Stage::rehearsal();
    let server = started(&mut stage, &["--addr", &addr]);
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with(&format!("bind {addr}: address already in use")));
    assert!(lines[0].contains("--addr"), "{lines:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = Stage::rehearsal();
    let (server, _) = server(&mut stage, "");
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

#[rstest]
#[case::zero("--timeout", "0")]
#[case::less_than_a_clock_can_tell("--timeout", "1e-12")]
#[case::not_a_number("--timeout", "NaN")]
#[case::absurdly_large("--timeout", "1e300")]
#[case::more_than_a_day("--timeout", "86400.1")]
#[case::a_unit("--timeout", "5s")]
#[case::a_negative_deadline("--deadline", "-0.5")]
fn a_time_that_is_none_is_wrong_usage(#[case] flag: &str, #[case] value: &str) {
    let mut stage = Stage::rehearsal();
    let server = started(&mut stage, &["--addr", "127.0.0.1:0", flag, value]);
    let reason = "write seconds above 0 and up to 86400 (a day), such as 5 or 0.5";
    let error = stage.wait_line(server, reason).unwrap();
    assert!(error.contains(flag), "{error}");
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

#[rstest]
#[case::address_without_a_port(&["--addr", "127.0.0.1"], "HOST:PORT")]
#[case::port_that_is_none(&["--addr", "127.0.0.1:65536"], "HOST:PORT")]
#[case::another_end(&["--until", "midnight"], "newline")]
fn wrong_usage_is_status_2_and_says_what_is_right(#[case] args: &[&str], #[case] hint: &str) {
    let mut stage = Stage::rehearsal();
    let server = started(&mut stage, args);
    stage.wait_line(server, hint).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

/// With descriptors for the three standard streams and the listener, each accept
/// fails.
#[cfg(target_os = "linux")]
#[test]
fn an_accept_that_fails_is_tried_again() {
    let mut stage = Stage::rehearsal();
    let script = "ulimit -n 4; exec \"$0\" --addr 127.0.0.1:0";
    let program = Program::new("sh").args(["-c", script, SERVER]);
    let server = stage.start("server", &program).unwrap();
    let _caller = call(stage.ready(server).unwrap());
    for _ in 0..2 {
        stage.wait_line(server, "trying again in a second").unwrap();
    }
}
