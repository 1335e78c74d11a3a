//! What the server does, seen by raw sockets and by its own lines.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use rstest::rstest;
use scene::{Ending, Program, Stage};

use crate::common::{
    CLIENT, Lone, MOMENT, PATIENCE, SERVER, call, client, drain, exchange, is_timeout,
    nothing_comes, read, reset, run, server, stage, text,
};

const GREETING: &str = "成功连接服务器!";

#[rstest]
#[case::upper_case_is_the_default(&[], "HELLO, WöRLD 1\n")]
#[case::upper_case(&["--reply", "upper"], "HELLO, WöRLD 1\n")]
#[case::echo(&["--reply", "echo"], "Hello, wörld 1\n")]
fn the_answer_is_as_the_flag_says(#[case] args: &[&str], #[case] answer: &str) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, args);
    let answered = exchange(&call(addr), "Hello, wörld 1\n".as_bytes());
    assert_eq!(text(&answered), answer);
}

#[test]
fn each_message_of_a_call_is_answered() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let caller = call(addr);
    for (message, answer) in [("one", "ONE"), ("two", "TWO"), ("three", "THREE")] {
        assert_eq!(text(&exchange(&caller, message.as_bytes())), answer);
    }
}

#[test]
fn a_greeting_is_sent_to_each_caller_before_it_has_spoken() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--greeting", GREETING]);
    for _ in 0..2 {
        let caller = call(addr);
        assert_eq!(text(&read(&caller, GREETING.len())), GREETING);
        assert_eq!(text(&exchange(&caller, b"hello")), "HELLO");
    }
}

#[test]
fn without_a_greeting_the_server_waits_until_it_is_spoken_to() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let caller = call(addr);
    stage.wait_line(server, "accepted").unwrap();
    assert!(nothing_comes(&caller));
}

#[test]
fn a_caller_that_has_finished_sending_still_gets_all_answers() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let mut caller = call(addr);
    caller.write_all(b"last words").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "LAST WORDS");
}

#[test]
fn a_mebibyte_of_all_byte_values_comes_back_unchanged() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--reply", "echo"]);
    let message: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let caller = call(addr);
    // Sending and receiving at the same time, as two threads can.
    let mut sender = caller.try_clone().unwrap();
    let bytes = message.clone();
    let sending = thread::spawn(move || sender.write_all(&bytes));
    assert!(read(&caller, message.len()) == message);
    sending.join().unwrap().unwrap();
}

/// The ways in which a call can end.
#[derive(Clone, Copy)]
enum End {
    HangsUp,
    HangsUpWithoutAWord,
    ResetsWithoutAWord,
    Resets,
    LeavesTheGreetingUnread,
    IsKilled,
}

#[rstest]
#[case::hangs_up(End::HangsUp, "end of stream")]
#[case::hangs_up_without_a_word(End::HangsUpWithoutAWord, "end of stream")]
#[case::resets(End::Resets, "reset")]
#[case::resets_without_a_word(End::ResetsWithoutAWord, "reset")]
#[case::leaves_the_greeting_unread(End::LeavesTheGreetingUnread, "reset")]
#[case::is_killed(End::IsKilled, "end of stream")]
fn a_caller_that_ends_its_call_ends_nothing_else(#[case] end: End, #[case] outcome: &str) {
    let mut stage = stage();
    let args: &[&str] = match end {
        End::LeavesTheGreetingUnread => &["--greeting", GREETING],
        _ => &[],
    };
    let (server, addr) = server(&mut stage, args);
    end_a_call(&mut stage, addr, end);

    let said = stage.wait_line(server, outcome).unwrap();
    if outcome == "reset" {
        assert!(said.starts_with("recv from "), "{said}");
        assert!(said.contains("connection reset by peer"), "{said}");
    }
    stage.wait_line(server, "closed the connection").unwrap();
    let next = call(addr);
    if let End::LeavesTheGreetingUnread = end {
        read(&next, GREETING.len());
    }
    assert_eq!(text(&exchange(&next, b"next")), "NEXT");
}

fn end_a_call(stage: &mut Stage, addr: SocketAddr, end: End) {
    if let End::IsKilled = end {
        let victim = client(stage, addr, &[]);
        stage.tell(victim, "hello").unwrap();
        stage.wait_line(victim, "received").unwrap();
        stage.kill(victim).unwrap();
        return;
    }
    let caller = call(addr);
    match end {
        End::HangsUp => drop(exchange(&caller, b"hello")),
        End::HangsUpWithoutAWord | End::IsKilled => {}
        End::ResetsWithoutAWord => reset(caller),
        End::Resets => {
            exchange(&caller, b"hello");
            reset(caller);
        }
        End::LeavesTheGreetingUnread => {
            // The bytes are here, and stay unread.
            caller.peek(&mut [0]).unwrap();
        }
    }
}

/// Sends until nothing is taken any more; gives the number of bytes taken.
fn send_until_stuck(caller: &mut TcpStream) -> usize {
    caller.set_write_timeout(Some(MOMENT)).unwrap();
    let chunk = vec![b'x'; 1 << 16];
    let mut taken = 0;
    loop {
        match caller.write(&chunk) {
            Ok(length) => taken += length,
            Err(error) if is_timeout(&error) => break,
            Err(error) => panic!("{error}"),
        }
    }
    caller.set_write_timeout(Some(PATIENCE)).unwrap();
    taken
}

#[test]
fn a_caller_that_leaves_while_the_server_waits_for_it_ends_nothing_else() {
    let (mut server, addr) = server_alone();
    let output = drain(server.0.stdout.take().unwrap());
    let errors = drain(server.0.stderr.take().unwrap());
    let mut caller = call(addr);
    send_until_stuck(&mut caller);
    // The server waits in its send, for nothing was received.
    drop(caller);
    let answer = exchange(&call(addr), b"next");
    drop(server);
    assert_eq!(text(&answer), "NEXT");
    // The server was in its send, or on a busy machine on its way to it.
    let errors = errors.join().unwrap();
    let error = text(&errors);
    assert!(error.starts_with("send to ") || error.starts_with("recv from "));
    assert_eq!(error.lines().count(), 1);
    drop(output);
}

/// A server without a stage, for tests that make it say very much or that
/// close its outputs. Its first line has been read.
fn server_alone() -> (Lone, SocketAddr) {
    let child = Command::new(SERVER)
        .args(["--addr", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Lone(child);
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        server.0.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    let line = text(&line).trim_end();
    let addr = line.strip_prefix("listening on ").unwrap().parse().unwrap();
    (server, addr)
}

#[test]
fn a_caller_that_only_sends_gets_stuck_and_receiving_frees_it() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--reply", "echo"]);
    let mut caller = call(addr);
    let taken = send_until_stuck(&mut caller);
    // Both wait: the server for us to receive, we for the server to receive.
    read(&caller, taken);
    assert_eq!(text(&exchange(&caller, b"free again")), "free again");
}

#[test]
fn the_second_caller_is_served_when_the_first_has_left() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let first = call(addr);
    assert_eq!(text(&exchange(&first, b"first")), "FIRST");

    let mut second = call(addr);
    second.write_all(b"second").unwrap();
    assert_eq!(text(&exchange(&first, b"first again")), "FIRST AGAIN");
    assert!(nothing_comes(&second));

    drop(first);
    assert_eq!(text(&read(&second, 6)), "SECOND");
    let port = second.local_addr().unwrap().port().to_string();
    stage.wait_line(server, "closed the connection").unwrap();
    stage.wait_line(server, &port).unwrap();
}

#[test]
#[cfg(target_os = "linux")] // Elsewhere accept may leave out a call that was reset.
fn a_caller_that_left_the_queue_is_accepted_all_the_same() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &[]);
    let first = call(addr);
    exchange(&first, b"first");
    drop(call(addr));
    reset(call(addr));
    drop(first);
    assert_eq!(text(&exchange(&call(addr), b"last")), "LAST");
    for outcome in ["end of stream", "end of stream", "reset by peer"] {
        stage.wait_line(server, "accepted").unwrap();
        stage.wait_line(server, outcome).unwrap();
    }
    stage.wait_line(server, "\"LAST\"").unwrap();
}

#[test]
fn the_server_says_what_happened_in_order() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--greeting", "hi"]);
    let caller = call(addr);
    read(&caller, 2);
    exchange(&caller, b"hello");
    let from = caller.local_addr().unwrap();
    drop(caller);
    stage.wait_line(server, "closed").unwrap();
    assert_eq!(
        stage.lines(server),
        [
            format!("listening on {addr}"),
            format!("accepted a call from {from}"),
            "sending 2 bytes: \"hi\"".to_string(),
            "received 5 bytes: \"hello\"".to_string(),
            "sending 5 bytes: \"HELLO\"".to_string(),
            "end of stream: the client hung up".to_string(),
            "closed the connection".to_string(),
        ]
    );
}

#[rstest]
#[case::escape_sequences(b"\x1b[2J\0\n", r#"6 bytes: "\u{1b}[2J\0\n""#)]
#[case::no_utf8(b"a\xff\xfeb", r#"4 bytes: "a\xff\xfeb""#)]
#[case::a_part_of_a_character("é".as_bytes().split_at(1).0, r#"1 bytes: "\xc3""#)]
#[case::text("成功".as_bytes(), r#"6 bytes: "成功""#)]
#[case::long_text("成功连接服务器!成功连接服务器!".as_bytes(), r#"44 bytes: "成功连接服务器!成功连" …"#)]
fn what_is_no_text_is_shown_escaped(#[case] message: &[u8], #[case] shown: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--reply", "echo"]);
    assert_eq!(exchange(&call(addr), message), message);
    let line = stage.wait_line(server, "received").unwrap();
    assert_eq!(line, format!("received {shown}"));
}

#[rstest]
#[case::ipv4("127.0.0.1:0", "127.0.0.1")]
#[case::a_name("localhost:0", "127.0.0.1")]
#[case::all_interfaces("0.0.0.0:0", "0.0.0.0")]
fn it_listens_where_it_is_told(#[case] addr: &str, #[case] ip: &str) {
    listens_on(addr, ip);
}

#[test]
#[ignore = "needs IPv6 loopback"]
fn it_listens_on_ipv6_with_the_address_in_brackets() {
    listens_on("[::1]:0", "::1");
}

fn listens_on(addr: &str, ip: &str) {
    let mut stage = stage();
    let server = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &server).unwrap();
    let mut addr = stage.ready(server).unwrap();
    assert_eq!(addr.ip().to_string(), ip);
    assert_ne!(addr.port(), 0);
    if addr.ip().is_unspecified() {
        addr.set_ip([127, 0, 0, 1].into());
    }
    assert_eq!(text(&exchange(&call(addr), b"hello")), "HELLO");
}

#[test]
fn a_port_in_use_is_an_error_of_one_line_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let output = run(SERVER, &["--addr", &addr], b"");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let error = text(&output.stderr);
    assert!(error.starts_with(&format!("bind {addr}: address already in use")));
    assert!(error.contains("pass --addr"));
    assert_eq!(error.lines().count(), 1);
}

#[rstest]
#[case::an_unknown_name("local..host:8080", "resolve local..host:8080: ")]
#[case::an_address_of_nobody_here("192.0.2.1:0", "bind 192.0.2.1:0: ")]
fn an_address_that_cannot_be_taken_is_an_error_of_one_line(
    #[case] addr: &str,
    #[case] beginning: &str,
) {
    let output = run(SERVER, &["--addr", addr], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with(beginning));
    assert_eq!(text(&output.stderr).lines().count(), 1);
}

#[rstest]
#[case::an_address_without_port(SERVER, &["--addr", "127.0.0.1"])]
#[case::a_port_that_is_none(SERVER, &["--addr", "127.0.0.1:70000"])]
#[case::an_unknown_reply(SERVER, &["--reply", "lower"])]
#[case::an_empty_greeting(SERVER, &["--greeting", ""])]
#[case::an_unknown_flag(SERVER, &["--nonsense"])]
#[case::a_client_without_port(CLIENT, &["--addr", "127.0.0.1"])]
#[case::an_empty_message(CLIENT, &["--say", ""])]
#[case::nothing_ahead(CLIENT, &["--ahead", "0"])]
fn wrong_usage_is_status_2(#[case] program: &str, #[case] args: &[&str]) {
    let output = run(program, args, b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: "));
}

#[rstest]
#[case::server(SERVER)]
#[case::client(CLIENT)]
fn the_help_has_an_example(#[case] program: &str) {
    let output = run(program, &["--help"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("Example:\n"));
}

#[test]
fn ctrl_c_ends_the_server_as_usual() {
    let mut stage = stage();
    let (server, _) = server(&mut stage, &[]);
    stage.interrupt(server).unwrap();
    assert!(matches!(stage.wait_exit(server), Ok(Ending::Signal(2))));
}

#[test]
fn a_closed_stdout_is_no_panic() {
    let (mut server, addr) = server_alone();
    drop(server.0.stdout.take());
    let errors = drain(server.0.stderr.take().unwrap());
    // A process that another test is starting may hold the pipe for a moment.
    let status = server.wait_while(|| drop(TcpStream::connect(addr)));
    assert_eq!(status.code(), Some(1));
    assert_eq!(text(&errors.join().unwrap()), "");
}

#[test]
fn a_closed_stderr_does_not_end_the_server() {
    let (mut server, addr) = server_alone();
    drop(server.0.stderr.take());
    reset(call(addr)); // Its error has nowhere to go.
    let answer = exchange(&call(addr), b"hello");
    drop(server);
    assert_eq!(text(&answer), "HELLO");
}

/// With few descriptors, a server that keeps one too many soon has none left.
/// With a limit of four, the listener has the last, and each accept fails.
#[cfg(target_os = "linux")]
mod descriptors {
    use super::*;
    use std::time::{Duration, Instant};

    /// The shell lowers the limit, then becomes the server.
    fn server_with(stage: &mut Stage, descriptors: u32) -> (scene::Actor, SocketAddr) {
        let script = format!("ulimit -S -n {descriptors}; exec \"$0\" --addr 127.0.0.1:0");
        let program = Program::new("sh").args(["-c", &script, SERVER]);
        let server = stage.start("server", &program).unwrap();
        let addr = stage.ready(server).unwrap();
        (server, addr)
    }

    #[test]
    fn are_given_back_at_the_end_of_each_call() {
        let mut stage = stage();
        let (_, addr) = server_with(&mut stage, 5);
        for _ in 0..100 {
            assert_eq!(text(&exchange(&call(addr), b"hello")), "HELLO");
        }
    }

    #[test]
    fn that_are_missing_neither_end_the_server_nor_make_it_spin() {
        let mut stage = stage();
        let (server, addr) = server_with(&mut stage, 4);
        let _caller = call(addr);
        let started = Instant::now();
        for _ in 0..3 {
            let error = stage.wait_line(server, "accept on").unwrap();
            assert!(error.contains("too many open files"), "{error}");
        }
        // Two rests lie between three errors.
        assert!(started.elapsed() > Duration::from_secs(1));
    }

    #[test]
    #[ignore = "needs prlimit (util-linux)"]
    fn that_are_missing_leave_the_caller_in_the_queue_until_there_are_some() {
        let mut stage = stage();
        let (server, addr) = server_with(&mut stage, 4);
        let mut caller = call(addr);
        caller.write_all(b"patience").unwrap();
        stage.wait_line(server, "accept on").unwrap();
        let pid = stage.pid(server).to_string();
        let raised = Command::new("prlimit").args(["--pid", &pid, "--nofile=64:"]).status();
        assert!(raised.unwrap().success());
        assert_eq!(text(&read(&caller, 8)), "PATIENCE");
    }
}
