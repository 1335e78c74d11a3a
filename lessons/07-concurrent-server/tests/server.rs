//! What every model does, seen by raw sockets and by the server's own lines.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{SERVER, call, exchange, nothing_comes, read, server, stage, text};

#[rstest]
fn the_answer_is_as_the_flag_says(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
    #[values(("upper", "HELLO, WöRLD 1\n"), ("echo", "Hello, wörld 1\n"))] reply: (&str, &str),
) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", model, "--reply", reply.0]);
    let answered = exchange(&call(addr), "Hello, wörld 1\n".as_bytes());
    assert_eq!(text(&answered), reply.1);
}

#[test]
fn if_nothing_is_said_a_thread_per_client_answers_in_upper_case() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let _silent = call(addr);
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
}

#[rstest]
fn each_message_of_a_call_is_answered_also_bytes_that_are_no_text(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let caller = call(addr);
    for (message, answer) in [("one", "ONE"), ("two", "TWO")] {
        assert_eq!(text(&exchange(&caller, message.as_bytes())), answer);
    }
    assert_eq!(exchange(&caller, b"\xff\x00a\x1b"), b"\xff\x00A\x1b");
    stage
        .wait_line(server, r#"#1 received 4 bytes: "\xff\0a\u{1b}""#)
        .unwrap();
}

#[rstest]
fn a_caller_that_has_finished_sending_still_gets_all_answers(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model]);
    let mut caller = call(addr);
    caller.write_all(b"last words").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "LAST WORDS");
    stage
        .wait_line(server, "#1 end of stream: the client hung up")
        .unwrap();
    stage.wait_line(server, "#1 closed the connection").unwrap();
}

#[rstest]
fn two_mebibytes_of_all_byte_values_come_back_unchanged(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
) {
    let mut stage = stage();
    let args = ["--model", model, "--reply", "echo", "--quiet"];
    let (_, addr) = server(&mut stage, &args);
    // A period that is no power of two: a part at a wrong place shows.
    let message: Vec<u8> = (0..=250).chain(0..=255).cycle().take(2 << 20).collect();
    let caller = call(addr);
    let mut sender = caller.try_clone().unwrap();
    let bytes = message.clone();
    let sending = thread::spawn(move || sender.write_all(&bytes).unwrap());
    assert!(read(&caller, message.len()) == message);
    sending.join().unwrap();
}

#[rstest]
fn eight_callers_are_served_at_the_same_time_in_any_order(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &["--model", model]);
    let callers: Vec<TcpStream> = (0..8).map(|_| call(addr)).collect();
    for round in ["one", "two"] {
        for caller in callers.iter().rev() {
            assert_eq!(
                exchange(caller, round.as_bytes()),
                round.to_ascii_uppercase().as_bytes()
            );
        }
    }
}

#[test]
fn one_at_a_time_means_that_the_second_waits_until_the_first_has_hung_up() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", "one-at-a-time"]);
    let first = call(addr);
    assert_eq!(exchange(&first, b"first"), b"FIRST");
    let mut second = call(addr);
    second.write_all(b"second").unwrap();
    assert!(nothing_comes(&second));
    assert!(!stage.lines(server).iter().any(|line| line.contains("#2")));
    drop(first);
    assert_eq!(read(&second, 6), b"SECOND");
}

#[test]
fn the_third_caller_of_a_pool_of_two_waits_for_a_worker() {
    let mut stage = stage();
    let args = ["--model", "thread-pool", "--workers", "2"];
    let (server, addr) = server(&mut stage, &args);
    let (first, second) = (call(addr), call(addr));
    assert_eq!(exchange(&first, b"first"), b"FIRST");
    assert_eq!(exchange(&second, b"second"), b"SECOND");
    stage.wait_line(server, "2 calls running").unwrap();
    let mut third = call(addr);
    third.write_all(b"third").unwrap();
    assert!(nothing_comes(&third));
    drop(first);
    assert_eq!(read(&third, 5), b"THIRD");
}

#[rstest]
fn one_caller_too_many_is_left_waiting_until_a_place_is_free(
    #[values("thread-per-client", "thread-pool", "event-loop", "async", "io-uring")] model: &str,
) {
    let mut stage = stage();
    let args = ["--model", model, "--max-clients", "2"];
    let (server, addr) = server(&mut stage, &args);
    let (first, second) = (call(addr), call(addr));
    assert_eq!(exchange(&first, b"first"), b"FIRST");
    assert_eq!(exchange(&second, b"second"), b"SECOND");
    stage
        .wait_line(server, "2 calls running: no accept")
        .unwrap();
    let mut third = call(addr);
    third.write_all(b"third").unwrap();
    assert!(nothing_comes(&third));
    assert_eq!(exchange(&second, b"again"), b"AGAIN");
    drop(first);
    assert_eq!(read(&third, 5), b"THIRD");
}

/// The accept queue of Linux is cut to net.core.somaxconn: 4,096 since 5.4.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs the accept queue of Linux")]
fn three_hundred_callers_are_connected_while_one_is_being_served() {
    let mut stage = stage();
    let args = ["--model", "one-at-a-time", "--quiet"];
    let (_, addr) = server(&mut stage, &args);
    let mut callers: Vec<TcpStream> = (0..300).map(|_| call(addr)).collect();
    for caller in &mut callers {
        caller.write_all(b"x").unwrap();
    }
    for caller in callers {
        assert_eq!(read(&caller, 1), b"X");
    }
}

#[rstest]
fn quiet_leaves_the_first_line_and_the_end(
    #[values(
        "one-at-a-time",
        "thread-per-client",
        "thread-pool",
        "event-loop",
        "async",
        "io-uring"
    )]
    model: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, &["--model", model, "--quiet"]);
    let caller = call(addr);
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!((&caller).read(&mut [0]).unwrap(), 0);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[0], format!("listening on {addr}"));
    assert!(lines[1].starts_with("asked to stop"), "{lines:?}");
    assert_eq!(
        lines[2..],
        ["closed the listener", "stopped: 1 call, 5 bytes"]
    );
}

#[rstest]
#[case::ipv4(&["--addr", "127.0.0.1:0"], "listening on 127.0.0.1:")]
#[case::ipv6(&["--addr", "[::1]:0"], "listening on [::1]:")]
#[case::a_name(&["--addr", "localhost:0"], "listening on 127.0.0.1:")]
#[case::all_addresses(&["--addr", "0.0.0.0:0"], "listening on 0.0.0.0:")]
#[case::datagrams(&["--addr", "127.0.0.1:0", "--udp"], "bound to 127.0.0.1:")]
#[case::datagrams_ipv6(&["--addr", "[::1]:0", "--udp"], "bound to [::1]:")]
fn the_first_line_tells_the_real_address_and_ctrl_c_ends_it(
    #[case] args: &[&str],
    #[case] line: &str,
) {
    let mut stage = stage();
    let server = stage
        .start("server", &Program::new(SERVER).args(args))
        .unwrap();
    let addr = stage.ready(server).unwrap();
    assert_ne!(addr.port(), 0);
    assert_eq!(stage.lines(server), [format!("{line}{}", addr.port())]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}

/// Its side of the cut call is left in TIME-WAIT. An address of its own, so
/// that no other test can take the port meanwhile.
#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs all of 127.0.0.0/8")]
fn it_can_be_restarted_at_once_on_the_same_port() {
    let mut stage = stage();
    let start = |addr: &str| Program::new(SERVER).args(["--addr", addr, "--grace", "0"]);
    let first = stage.start("server", &start("127.84.0.1:0")).unwrap();
    let addr: SocketAddr = stage.ready(first).unwrap();
    let mut caller = call(addr);
    assert_eq!(exchange(&caller, b"hello"), b"HELLO");
    stage.interrupt(first).unwrap();
    assert_eq!(caller.read(&mut [0]).unwrap(), 0);
    stage.wait_exit(first).unwrap();
    drop(caller);
    let second = stage.start("server", &start(&addr.to_string())).unwrap();
    assert_eq!(stage.ready(second).unwrap(), addr);
}

#[rstest]
#[case::an_address_of_nobody_here("192.0.2.1:0", "bind 192.0.2.1:0: ")]
#[case::a_name_without_an_address("no-such-host.invalid:0", "resolve no-such-host.invalid:0: ")]
fn where_it_cannot_listen_it_says_so_in_one_line(#[case] addr: &str, #[case] start: &str) {
    let mut stage = stage();
    let program = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &program).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
    let lines = stage.lines(server);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with(start) && lines[0].contains("; "),
        "{lines:?}"
    );
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let addr = addr.to_string();
    let program = Program::new(SERVER).args(["--addr", &addr]);
    let second = stage.start("second", &program).unwrap();
    assert_eq!(stage.wait_exit(second).unwrap(), Ending::Status(1));
    let line = stage.lines(second).join("\n");
    assert!(line.contains("address already in use"), "{line}");
    assert!(line.contains("pass --addr"), "{line}");
}

#[rstest]
#[case::no_port(&["--addr", "127.0.0.1"])]
#[case::no_host(&["--addr", ":8084"])]
#[case::a_port_that_is_none(&["--addr", "127.0.0.1:65536"])]
#[case::an_unknown_model(&["--model", "magic"])]
#[case::an_unknown_reply(&["--reply", "lower"])]
#[case::nobody_may_call(&["--max-clients", "0"])]
#[case::a_pool_of_nobody(&["--workers", "0"])]
#[case::a_grace_below_zero(&["--grace=-1"])]
#[case::a_grace_without_an_end(&["--grace", "inf"])]
#[case::a_panic_on_nothing(&["--panic-on", ""])]
#[case::datagrams_have_no_model(&["--udp", "--model", "async"])]
#[case::an_unknown_flag(&["--loud"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let mut stage = stage();
    let program = Program::new(SERVER).args(args);
    let server = stage.start("server", &program).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

#[test]
fn help_shows_an_example() {
    let help = Command::new(SERVER).arg("--help").output().unwrap();
    assert!(
        text(&help.stdout).contains("Example:\n  cargo run -p lesson-7 server --model event-loop")
    );
}

#[rstest]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_closed_stdout_ends_it_without_a_panic(#[values(&[][..], &["--udp"][..])] more: &[&str]) {
    // A pipe that nobody reads would do, too; but for a moment a process that
    // another test is starting may hold its other end.
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = Command::new(SERVER);
    let command = command.args(["--addr", "127.0.0.1:0"]).args(more);
    let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}
