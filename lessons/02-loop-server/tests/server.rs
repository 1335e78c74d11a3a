//! What the server says and does that its checks do not ask for.

use std::net::{TcpListener, TcpStream};

use rstest::rstest;
use scene::{Actor, Ending, Program, Stage};

use crate::common::{CLIENT, SERVER, call, client, exchange, read, reset, server};

const GREETING: &str = "成功连接服务器!";

#[rstest]
#[case::upper_case_is_the_default(&[], "HELLO, WöRLD 1\n")]
#[case::upper_case(&["--reply", "upper"], "HELLO, WöRLD 1\n")]
#[case::echo(&["--reply", "echo"], "Hello, wörld 1\n")]
fn the_answer_is_as_the_flag_says(#[case] args: &[&str], #[case] answer: &str) {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, args);
    assert_eq!(exchange(&call(addr), "Hello, wörld 1\n"), answer);
}

#[test]
fn a_greeting_is_sent_to_each_caller_before_it_has_spoken() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &["--greeting", GREETING]);
    for _ in 0..2 {
        let caller = call(addr);
        assert_eq!(read(&caller, GREETING.len()), GREETING);
        assert_eq!(exchange(&caller, "hello"), "HELLO");
    }
}

#[rstest]
#[case::hangs_up(drop, "end of stream")]
#[case::resets(reset, "reset")]
fn how_a_caller_ended_its_call_is_said(#[case] end: fn(TcpStream), #[case] outcome: &str) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let caller = call(addr);
    exchange(&caller, "hello");
    end(caller);
    ended_as(&mut stage, server, outcome);
}

#[test]
fn a_caller_that_leaves_the_greeting_unread_is_a_reset() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--greeting", GREETING]);
    let caller = call(addr);
    caller.peek(&mut [0]).unwrap();
    drop(caller);
    ended_as(&mut stage, server, "reset");
}

#[test]
fn a_caller_that_is_killed_is_the_end_of_the_stream() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let victim = client(&mut stage, addr, &[]);
    stage.tell(victim, "hello").unwrap();
    stage.wait_line(victim, "received").unwrap();
    stage.kill(victim).unwrap();
    ended_as(&mut stage, server, "end of stream");
}

/// The call ended so, and no other word is said of its end.
fn ended_as(stage: &mut Stage, server: Actor, outcome: &str) {
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
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
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
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--greeting", "hi"]);
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
#[case::ipv6("[::1]:0", "::1")]
#[case::a_name("localhost:0", "127.0.0.1")]
#[case::all_interfaces("0.0.0.0:0", "0.0.0.0")]
fn it_listens_where_it_is_told(#[case] addr: &str, #[case] ip: &str) {
    let mut stage = Stage::rehearsal();
    let server = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &server).unwrap();
    let addr = stage.ready(server).unwrap();
    assert_eq!(addr.ip().to_string(), ip);
    assert_ne!(addr.port(), 0);
}

#[test]
fn where_it_cannot_listen_it_says_so_in_one_line_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let in_use = format!("bind {taken}: address already in use");
    for (addr, start) in [
        (taken.as_str(), in_use.as_str()),
        ("192.0.2.1:0", "bind 192.0.2.1:0: "),
        ("local..host:8080", "resolve local..host:8080: "),
    ] {
        let mut stage = Stage::rehearsal();
        let server = Program::new(SERVER).args(["--addr", addr]);
        let server = stage.start("server", &server).unwrap();
        assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
        let lines = stage.lines(server);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(start) && lines[0].contains("; "));
    }
}

#[rstest]
#[case::an_address_without_port(SERVER, &["--addr", "127.0.0.1"])]
#[case::a_port_that_is_none(SERVER, &["--addr", "127.0.0.1:70000"])]
#[case::an_unknown_reply(SERVER, &["--reply", "lower"])]
#[case::an_empty_greeting(SERVER, &["--greeting", ""])]
#[case::a_client_without_port(CLIENT, &["--addr", "127.0.0.1"])]
#[case::an_empty_message(CLIENT, &["--say", ""])]
#[case::nothing_ahead(CLIENT, &["--ahead", "0"])]
fn wrong_usage_is_status_2(#[case] program: &str, #[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let side = stage.start("side", &Program::new(program).args(args)).unwrap();
    assert_eq!(stage.wait_exit(side).unwrap(), Ending::Status(2));
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = Stage::rehearsal();
    let (server, _) = server(&mut stage, &[]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

/// The shell does this first, then becomes the server.
#[cfg(target_os = "linux")]
fn server_after(stage: &mut Stage, first: &str) -> (Actor, TcpStream) {
    let script = format!("{first}; exec \"$0\" --addr 127.0.0.1:0");
    let program = Program::new("sh").args(["-c", &script, SERVER]);
    let server = stage.start("server", &program).unwrap();
    let caller = call(stage.ready(server).unwrap());
    (server, caller)
}

#[test]
#[cfg(target_os = "linux")]
fn where_its_errors_cannot_be_written_it_goes_on() {
    let mut stage = Stage::rehearsal();
    let (_, caller) = server_after(&mut stage, "exec 2> /dev/full");
    let addr = caller.peer_addr().unwrap();
    reset(caller); // Its error has nowhere to go.
    assert_eq!(exchange(&call(addr), "hello"), "HELLO");
}

/// With a limit of four, the listener has the last descriptor, and each accept
/// fails. Two rests lie between three errors.
#[test]
#[cfg(target_os = "linux")]
fn descriptors_that_are_missing_do_not_make_it_spin() {
    let mut stage = Stage::rehearsal();
    let (server, _caller) = server_after(&mut stage, "ulimit -S -n 4");
    let started = std::time::Instant::now();
    for _ in 0..3 {
        let error = stage.wait_line(server, "accept a call").unwrap();
        assert!(error.contains("too many open files"), "{error}");
    }
    assert!(started.elapsed() > std::time::Duration::from_secs(1));
}
