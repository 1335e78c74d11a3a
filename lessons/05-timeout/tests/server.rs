//! What the server says and does that its checks do not ask for.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use house::raw::{call, reset, rest};
use rstest::rstest;
use scene::{Ending, Program};

use crate::lesson::{server, stage};

const WELCOME: &[u8] = b"welcome to server!";
const GO_OUT: &[u8] = b"please go out!";

const LINE: &[&str] = &["--until", "newline"];

#[rstest]
#[case::the_word(&[], "1", WELCOME)]
#[case::a_line_end_is_a_byte_like_any_other(&[], "1\n", GO_OUT)]
#[case::as_much_as_one_receive_takes(&[], &"x".repeat(1024), GO_OUT)]
#[case::a_line(LINE, "1\n", WELCOME)]
#[case::what_follows_is_not_asked_for(LINE, "1\nand more", WELCOME)]
#[case::an_empty_line(LINE, "\n", GO_OUT)]
fn the_word_1_is_welcome_and_anything_else_is_not(
    #[case] flags: &[&str],
    #[case] words: &str,
    #[case] answer: &[u8],
) {
    let mut stage = stage();
    let (_, addr) = stage.server(flags);
    let mut caller = call(addr);
    caller.write_all(words.as_bytes()).unwrap();
    assert_eq!(rest(&caller), answer);
}

#[rstest]
#[case::silence(|caller: TcpStream| assert_eq!(rest(&caller), b""), "time out")]
#[case::a_hang_up(drop, "end of stream without a word")]
#[case::a_half_line(break_off, "end of stream, no line end")]
#[case::a_reset(reset, "connection reset by peer")]
fn how_a_call_ended_without_a_request_is_said(#[case] deed: fn(TcpStream), #[case] outcome: &str) {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--until", "newline", "--timeout", "0.5"]);
    deed(call(addr));
    let line = stage.wait_line(server, outcome).unwrap();
    assert!(line == outcome || line.starts_with("recv from "), "{line}");
    stage.wait_line(server, "closed the connection").unwrap();
    let ends = ["time out", "end of stream", "reset"];
    let lines = stage.lines(server).join("\n");
    let ends = ends.map(|end| lines.matches(end).count());
    assert_eq!(ends.iter().sum::<usize>(), 1, "{lines}");
    let part = outcome.contains("no line end");
    assert_eq!(lines.contains("\n  after 1 bytes"), part, "{lines}");
}

fn break_off(mut caller: TcpStream) {
    caller.write_all(b"1").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&caller), b"");
}

#[test]
fn a_line_that_does_not_end_is_bounded() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--until", "newline", "--timeout", "3600"]);
    let mut caller = call(addr);
    caller.write_all(&[b'1'; 1024]).unwrap();
    assert_eq!(rest(&caller), GO_OUT);
    stage.wait_line(server, "no line end in 1024 bytes").unwrap();
}

#[rstest]
#[case::the_deadline_when_it_is_shorter("3600", "0.2", "deadline passed")]
#[case::the_timeout_when_it_is_shorter("0.2", "3600", "time out")]
fn silence_meets(#[case] timeout: &str, #[case] deadline: &str, #[case] outcome: &str) {
    let mut stage = stage();
    let limits = ["--timeout", timeout, "--deadline", deadline];
    let (server, addr) = stage.server(&limits);
    assert_eq!(rest(&call(addr)), b"");
    stage.wait_line(server, "closed the connection").unwrap();
    let lines = stage.lines(server);
    assert!(lines.iter().any(|line| line == outcome), "{lines:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = stage();
    let (server, _) = stage.server(&[]);
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
    let reason = "write seconds above 0 and up to 86400 (a day), such as 5 or 0.5";
    server().refuses(&[flag, value], reason);
}

#[test]
fn an_end_that_is_none_is_wrong_usage() {
    server().refuses(&["--until", "midnight"], "newline");
}

/// With descriptors for the three standard streams and the listener, each accept
/// fails.
#[cfg(target_os = "linux")]
#[test]
fn an_accept_that_fails_is_tried_again() {
    let mut stage = stage();
    let script = "ulimit -n 4; exec \"$0\" --addr 127.0.0.1:0";
    let program = Program::new("sh").args(["-c", script, server().executable()]);
    let server = stage.start("server", &program).unwrap();
    let _caller = call(stage.ready(server).unwrap());
    for _ in 0..2 {
        stage.wait_line(server, "trying again in a second").unwrap();
    }
}
