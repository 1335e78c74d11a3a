//! The server as a program, and where a model differs from the others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use rstest::rstest;
use scene::Ending;

use crate::SERVER;
use crate::common::{call, exchange, nothing_comes, program, read, server, stage, text};

#[test]
fn if_nothing_is_said_a_thread_per_client_answers_in_upper_case() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, &[]);
    let _silent = call(addr);
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
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
    let server = stage.start("server", &program().args(args)).unwrap();
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
    let start = |addr: &str| program().args(["--addr", addr, "--grace", "0"]);
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
    let program = program().args(["--addr", addr]);
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
    let program = program().args(["--addr", &addr]);
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
    let program = program().args(args);
    let server = stage.start("server", &program).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

#[test]
fn help_shows_an_example() {
    let help = Command::new(SERVER[0]).arg("--help").output().unwrap();
    assert!(
        text(&help.stdout).contains("Example:\n  cargo run -p lesson-7 server --model event-loop")
    );
}

#[rstest]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_closed_stdout_ends_it_without_a_panic(#[values(&[][..], &["--udp"][..])] more: &[&str]) {
    // A pipe that nobody reads would do, too; but for a moment a process that
    // another test is starting may hold its other end.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(SERVER[0]);
    let command = command.args(["--addr", "127.0.0.1:0"]).args(more);
    let output = command.stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}
