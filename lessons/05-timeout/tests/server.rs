//! What the server does with callers of every kind.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Program};
use socket2::SockRef;

use crate::common::{SERVER, ask, call, client, rest, said, server, stage};

const WELCOME: &str = "welcome to server!";
const GO_OUT: &str = "please go out!";

#[rstest]
#[case::the_word(b"1", WELCOME)]
#[case::another_word(b"hello", GO_OUT)]
#[case::a_longer_number(b"11", GO_OUT)]
#[case::a_line_end_is_a_byte_like_any_other(b"1\n", GO_OUT)]
#[case::no_text(b"\xff\xfe\x00\x1b[31m", GO_OUT)]
#[case::as_much_as_one_receive_takes(&[b'x'; 1024], GO_OUT)]
fn the_word_1_is_welcome_and_anything_else_is_not(#[case] words: &[u8], #[case] answer: &str) {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, "");
    assert_eq!(ask(addr, words), answer);
}

#[test]
fn silence_is_logged_as_time_out_and_the_call_is_closed() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 0.2");
    let started = Instant::now();
    let caller = call(addr);
    assert_eq!(rest(&caller), "", "no answer, only the end of the stream");
    assert!(started.elapsed() >= Duration::from_millis(200));
    stage.wait_line(server, "closed the connection").unwrap();
    assert!(said(&stage, server, "time out"));
}

#[test]
fn end_of_stream_without_a_word_is_no_time_out() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 3600");
    drop(call(addr));
    stage.wait_line(server, "closed the connection").unwrap();
    assert!(said(&stage, server, "end of stream without a word"));
    assert!(!said(&stage, server, "time out"));
}

#[test]
fn a_caller_who_only_stops_sending_is_told_that_the_call_has_ended() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, "--timeout 3600");
    let caller = call(addr);
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&caller), "");
}

#[rstest]
#[case::silence(|caller: TcpStream| assert_eq!(rest(&caller), ""), "time out")]
#[case::a_hang_up(drop, "end of stream without a word")]
#[case::a_reset(reset, "connection reset")]
#[case::no_text(|mut caller: TcpStream| caller.write_all(b"\xff\x00").unwrap(), r#""\xff\0""#)]
#[case::more_than_is_read(|mut caller: TcpStream| caller.write_all(&[b'1'; 5000]).unwrap(), "1024")]
fn whatever_ends_a_call_the_next_caller_is_served(
    #[case] deed: fn(TcpStream),
    #[case] logged: &str,
) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 0.5");
    deed(call(addr));
    stage.wait_line(server, logged).unwrap();
    assert_eq!(ask(addr, b"1"), WELCOME);
}

/// Ends a call with a reset instead of an end of stream.
fn reset(caller: TcpStream) {
    let no_time = Some(Duration::ZERO);
    SockRef::from(&caller).set_linger(no_time).unwrap();
}

#[test]
fn a_client_that_is_killed_while_it_thinks_ends_only_its_call() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 3600");
    let caller = client(&mut stage, addr, &["--think", "3600", "--say", "1"]);
    stage.wait_line(server, "accepted").unwrap();
    stage.wait_line(caller, "thinking").unwrap();
    stage.kill(caller).unwrap();
    stage.wait_line(server, "end of stream without a word").unwrap();
    assert_eq!(ask(addr, b"1"), WELCOME);
}

#[test]
fn who_calls_while_another_is_silent_waits_for_the_others_timeout() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 0.3");
    let _silent = call(addr);
    stage.wait_line(server, "accepted").unwrap();
    assert_eq!(ask(addr, b"1"), WELCOME);
    let lines = stage.wait_line(server, "sending").map(|_| stage.lines(server));
    let lines = lines.unwrap().join("\n");
    let [time_out, received] = ["time out", "received"].map(|line| lines.find(line));
    assert!(time_out.is_some() && time_out < received, "{lines}");
}

#[rstest]
#[case::at_once(&["1\n"], WELCOME)]
#[case::in_two_receives(&["1", "\n"], WELCOME)]
#[case::with_a_carriage_return(&["1\r", "\n"], WELCOME)]
#[case::what_follows_is_not_asked_for(&["1\nand more"], WELCOME)]
#[case::another_word(&["let ", "me ", "in", "\n"], GO_OUT)]
#[case::an_empty_line(&["\n"], GO_OUT)]
fn a_line_is_one_request_in_whatever_parts_it_comes(#[case] parts: &[&str], #[case] answer: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--until newline");
    let mut caller = call(addr);
    for part in parts {
        caller.write_all(part.as_bytes()).unwrap();
        // The next part is sent when this one has been received.
        stage.wait_line(server, "received").unwrap();
    }
    assert_eq!(rest(&caller), answer);
}

#[test]
fn a_line_that_does_not_end_is_bounded() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--until newline --timeout 3600");
    assert_eq!(ask(addr, &[b'1'; 1024]), GO_OUT);
    stage.wait_line(server, "no line end in 1024 bytes").unwrap();
    // A million more than that: the server reads no further and goes on.
    let mut caller = call(addr);
    let _ = caller.write_all(&[b'1'; 1_000_000]);
    stage.wait_line(server, "no line end in 1024 bytes").unwrap();
    assert_eq!(ask(addr, b"1\n"), WELCOME);
}

#[test]
fn a_line_that_breaks_off_is_no_request() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--until newline --timeout 3600");
    let mut caller = call(addr);
    caller.write_all(b"1").unwrap();
    caller.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&caller), "");
    stage.wait_line(server, "closed the connection").unwrap();
    assert!(said(&stage, server, "end of stream, no line end"));
    assert!(said(&stage, server, "  after 1 bytes"));
}

#[test]
fn who_drips_never_meets_the_receive_timeout() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--until newline --timeout 1");
    let line = "x".repeat(23);
    let drip = [
        "--think",
        "0",
        "--drip",
        "--interval",
        "0.05",
        "--newline",
        "--say",
        &line,
    ];
    let started = Instant::now();
    let caller = client(&mut stage, addr, &drip);
    stage.wait_line(caller, GO_OUT).unwrap();
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(1),
        "longer than the timeout: {took:?}"
    );
    assert!(!said(&stage, server, "time out"));
}

#[test]
fn who_drips_meets_the_deadline() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--until newline --timeout 3600 --deadline 0.4");
    let line = "x".repeat(1000);
    let drip = [
        "--think",
        "0",
        "--drip",
        "--interval",
        "0.05",
        "--newline",
        "--say",
        &line,
    ];
    let caller = client(&mut stage, addr, &drip);
    stage.wait_line(server, "deadline passed").unwrap();
    assert!(!said(&stage, server, "time out"));
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
    stage.wait_line(caller, "send to").unwrap();
}

#[rstest]
#[case::the_deadline_when_it_is_shorter("--timeout 3600 --deadline 0.2", "deadline passed")]
#[case::the_timeout_when_it_is_shorter("--timeout 0.2 --deadline 3600", "time out")]
fn silence_meets(#[case] limits: &str, #[case] outcome: &str) {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, limits);
    assert_eq!(rest(&call(addr)), "");
    stage.wait_line(server, "closed the connection").unwrap();
    assert!(said(&stage, server, outcome), "{:?}", stage.lines(server));
}

/// Linux ends a receive that has a timeout when the program is stopped and goes
/// on, as with Ctrl-Z and fg. The caller has done nothing wrong.
#[cfg(target_os = "linux")]
#[test]
fn a_server_that_was_stopped_goes_on_with_the_same_receive() {
    use crate::common::GIVE_UP;
    use std::{fs, process::Command, thread};

    let mut stage = stage();
    let (server, addr) = server(&mut stage, "--timeout 3600");
    let mut caller = call(addr);
    stage.wait_line(server, "accepted").unwrap();
    let pid = stage.pid(server).to_string();
    let waits_in = |state: &str| {
        let started = Instant::now();
        let stat = format!("/proc/{pid}/stat");
        let state = format!(") {state} ");
        while !fs::read_to_string(&stat).unwrap().contains(&state) {
            assert!(started.elapsed() < GIVE_UP, "it never came to {state}");
            thread::yield_now();
        }
    };
    waits_in("S");
    let signal = |name: &str| Command::new("kill").args([name, pid.as_str()]).status().unwrap();
    assert!(signal("-STOP").success());
    waits_in("T");
    assert!(signal("-CONT").success());
    waits_in("S");
    caller.write_all(b"1").unwrap();
    assert_eq!(rest(&caller), WELCOME, "{:?}", stage.lines(server));
}

#[rstest]
#[case::a_name("localhost:0", "127.0.0.1:")]
#[case::any_address("0.0.0.0:0", "0.0.0.0:")]
#[cfg_attr(not(target_os = "linux"), ignore = "needs a hosts file with localhost first")]
fn an_address_may_be(#[case] addr: &str, #[case] said: &str) {
    let mut stage = stage();
    let server = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &server).unwrap();
    let own = stage.ready(server).unwrap();
    assert!(own.to_string().starts_with(said), "{own}");
    assert_ne!(own.port(), 0, "the port is the real one");
}

#[test]
#[ignore = "needs the IPv6 loopback address ::1"]
fn an_ipv6_address_stands_in_brackets() {
    let mut stage = stage();
    let server = Program::new(SERVER).args(["--addr", "[::1]:0"]);
    let server = stage.start("server", &server).unwrap();
    let own = stage.ready(server).unwrap();
    assert_eq!(ask(own, b"1"), WELCOME);
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let mut stage = stage();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr: SocketAddr = taken.local_addr().unwrap();
    let server = Program::new(SERVER).args(["--addr", &addr.to_string()]);
    let server = stage.start("server", &server).unwrap();
    let error = stage.wait_line(server, "in use").unwrap();
    assert!(error.starts_with(&format!("bind {addr}: ")), "{error}");
    assert!(error.contains("--addr"), "{error}");
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(1));
}

#[test]
fn a_server_whose_output_nobody_reads_ends_without_a_panic() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    let mut command = Command::new(SERVER);
    command.args(["--addr", "127.0.0.1:0"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let addr = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    // The line about this call finds no reader.
    assert_eq!(call(addr).read(&mut [0]).unwrap_or(0), 0);
    let output = server.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_server_as_usual() {
    let mut stage = stage();
    let (server, _) = server(&mut stage, "");
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

#[rstest]
#[case::zero("--timeout", "0")]
#[case::zero_with_decimals("--timeout", "0.000")]
#[case::less_than_a_clock_can_tell("--timeout", "1e-12")]
#[case::negative("--timeout", "-1")]
#[case::not_a_number("--timeout", "NaN")]
#[case::infinite("--timeout", "inf")]
#[case::absurdly_large("--timeout", "1e300")]
#[case::more_than_a_day("--timeout", "86400.1")]
#[case::a_unit("--timeout", "5s")]
#[case::nothing("--timeout", "")]
#[case::a_deadline_of_zero("--deadline", "0")]
#[case::a_negative_deadline("--deadline", "-0.5")]
fn a_time_that_is_none_is_wrong_usage(#[case] flag: &str, #[case] value: &str) {
    let mut stage = stage();
    let server = Program::new(SERVER).args(["--addr", "127.0.0.1:0", flag, value]);
    let server = stage.start("server", &server).unwrap();
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
    let mut stage = stage();
    let server = Program::new(SERVER).args(args);
    let server = stage.start("server", &server).unwrap();
    stage.wait_line(server, hint).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(2));
}

#[test]
fn no_character_is_shown_in_halves() {
    let mut stage = stage();
    let (server, addr) = server(&mut stage, "");
    // The 32 bytes that are shown end in the middle of the eleventh character.
    let client = client(
        &mut stage,
        addr,
        &["--think", "0", "--say", &"你".repeat(17)],
    );
    stage.wait_exit(client).unwrap();
    let shown = format!("\"{}\" …", "你".repeat(10));
    assert!(said(&stage, client, &format!("sending 51 bytes: {shown}")));
    assert!(said(&stage, server, &format!("received 51 bytes: {shown}")));
}

#[cfg(unix)]
#[test]
fn an_accept_that_fails_does_not_end_the_server() {
    let mut stage = stage();
    // Descriptors for the three standard streams and the listener, and no more.
    let script = "ulimit -n 4; exec \"$0\" --addr 127.0.0.1:0";
    let program = Program::new("sh").args(["-c", script, SERVER]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    let _caller = call(addr);
    stage.wait_line(server, "trying again in a second").unwrap();
}
