//! What the server says and does that its checks do not ask for.

use std::net::TcpStream;

use house::Rehearsal;
use house::raw::{again, call, exchange, read, reset};
use rstest::rstest;
use scene::{Actor, Ending, Program};

use crate::lesson::{server, stage};

const GREETING: &str = "成功连接服务器!";

#[rstest]
#[case::upper_case_is_the_default(&[], "HELLO, WöRLD 1\n")]
#[case::upper_case(&["--reply", "upper"], "HELLO, WöRLD 1\n")]
#[case::echo(&["--reply", "echo"], "Hello, wörld 1\n")]
fn the_answer_is_as_the_flag_says(#[case] args: &[&str], #[case] answer: &str) {
    let mut stage = stage();
    let (_, addr) = stage.server(args);
    assert_eq!(exchange(&call(addr), "Hello, wörld 1\n"), answer.as_bytes());
}

#[test]
fn a_greeting_is_sent_to_each_caller_before_it_has_spoken() {
    let mut stage = stage();
    let (_, addr) = stage.server(&["--greeting", GREETING]);
    for _ in 0..2 {
        let caller = call(addr);
        assert_eq!(read(&caller, GREETING.len()), GREETING.as_bytes());
        assert_eq!(exchange(&caller, "hello"), b"HELLO");
    }
}

#[rstest]
#[case::hangs_up(drop, "end of stream")]
#[case::resets(reset, "reset")]
fn how_a_caller_ended_its_call_is_said(#[case] end: fn(TcpStream), #[case] outcome: &str) {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let caller = call(addr);
    exchange(&caller, "hello");
    end(caller);
    ended_as(&mut stage, server, outcome);
}

#[test]
fn a_caller_that_leaves_the_greeting_unread_is_a_reset() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--greeting", GREETING]);
    let caller = call(addr);
    again(|| caller.peek(&mut [0])).unwrap();
    drop(caller);
    ended_as(&mut stage, server, "reset");
}

/// The call ended so, and no other word is said of its end.
fn ended_as(stage: &mut Rehearsal, server: Actor, outcome: &str) {
    let said = stage.wait_line(server, outcome).unwrap();
    if outcome == "reset" {
        assert!(said.starts_with("recv from "), "{said}");
        assert!(said.contains("connection reset by peer"), "{said}");
    }
    stage.wait_line(server, "closed the connection").unwrap();
    let lines = stage.lines(server).join("\n");
    let ends = lines.matches("end of stream").count() + lines.matches("reset by").count();
    assert_eq!(ends, 1, "{lines}");
}

#[test]
#[cfg(target_os = "linux")] // Elsewhere accept may leave out a call that was reset.
fn a_caller_that_left_the_queue_is_accepted_anyway() {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let first = call(addr);
    exchange(&first, "first");
    drop(call(addr));
    reset(call(addr));
    drop(first);
    for outcome in ["end of stream", "end of stream", "reset by peer"] {
        stage.wait_line(server, "accepted").unwrap();
        stage.wait_line(server, outcome).unwrap();
    }
}

#[test]
fn it_says_what_happened_in_order() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--greeting", "hi"]);
    let caller = call(addr);
    read(&caller, 2);
    exchange(&caller, "hello");
    let from = caller.local_addr().unwrap();
    drop(caller);
    stage.wait_line(server, "closed").unwrap();
    assert_eq!(
        stage.lines(server),
        [
            &format!("listening on {addr}"),
            &format!("accepted a call from {from}"),
            r#"sending 2 bytes: "hi""#,
            r#"received 5 bytes: "hello""#,
            r#"sending 5 bytes: "HELLO""#,
            "end of stream: the client hung up",
            "closed the connection",
        ]
    );
}

#[rstest]
#[case::an_unknown_reply(&["--reply", "lower"], "upper, echo")]
#[case::an_empty_greeting(&["--greeting", ""], "--greeting")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    server().refuses(args, named);
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = stage();
    let (server, _) = stage.server(&[]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

/// The shell does this first, then becomes the server.
#[cfg(target_os = "linux")]
fn server_after(stage: &mut Rehearsal, first: &str) -> (Actor, TcpStream) {
    let script = format!("{first}; exec \"$0\" --addr 127.0.0.1:0");
    let program = Program::new("sh").args(["-c", &script, server().executable()]);
    let server = stage.start("server", &program).unwrap();
    let caller = call(stage.ready(server).unwrap());
    (server, caller)
}

#[test]
#[cfg(target_os = "linux")]
fn where_its_errors_cannot_be_written_it_goes_on() {
    let mut stage = stage();
    let (_, caller) = server_after(&mut stage, "exec 2> /dev/full");
    let addr = caller.peer_addr().unwrap();
    reset(caller); // Its error has nowhere to go.
    assert_eq!(exchange(&call(addr), "hello"), b"HELLO");
}

/// With a limit of four, the listener has the last descriptor, and each accept
/// fails. Two rests lie between three errors.
#[test]
#[cfg(target_os = "linux")]
fn descriptors_that_are_missing_do_not_make_it_spin() {
    let mut stage = stage();
    let (server, _caller) = server_after(&mut stage, "ulimit -S -n 4");
    let started = std::time::Instant::now();
    for _ in 0..3 {
        let error = stage.wait_line(server, "accept a call").unwrap();
        assert!(error.contains("too many open files"), "{error}");
    }
    assert!(started.elapsed() > std::time::Duration::from_secs(1));
}
