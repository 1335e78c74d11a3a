//! What the client does with servers of every kind.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Program};
use socket2::{Domain, SockRef, Socket, Type};

use crate::common::{CLIENT, GIVE_UP, client, said, server, stage};

/// A server of our own.
fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// The next call; when nobody calls, the test fails instead of waiting.
fn accept(listener: &TcpListener) -> TcpStream {
    let listener = listener.try_clone().unwrap();
    let (sender, calls) = mpsc::channel();
    thread::spawn(move || sender.send(listener.accept()));
    let call = calls.recv_timeout(GIVE_UP).expect("nobody called");
    let (stream, _) = call.unwrap();
    stream.set_read_timeout(Some(GIVE_UP)).unwrap();
    stream
}

/// Receives as many bytes as there are words, and checks them.
fn hear(mut stream: &TcpStream, words: &[u8]) {
    let mut bytes = vec![0; words.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(bytes, words);
}

#[test]
fn it_thinks_before_it_speaks() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let started = Instant::now();
    client(&mut stage, addr, &["--think", "0.3", "--say", "1"]);
    hear(&accept(&listener), b"1");
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(300), "{waited:?}");
}

#[test]
fn each_message_is_a_call_of_its_own() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, "");
    let caller = client(
        &mut stage,
        addr,
        &["--think", "0", "--say", "1", "--say", "2"],
    );
    assert!(stage.wait_exit(caller).unwrap().success());
    let shown = stage.lines(caller).join("\n");
    let call = |word, answer: &str| {
        let length = answer.len();
        format!(
            "connected to {addr}\nsending 1 bytes: \"{word}\"\nreceived {length} bytes: \
             \"{answer}\"\nend of stream: the server hung up"
        )
    };
    let calls = [call("1", "welcome to server!"), call("2", "please go out!")];
    assert_eq!(shown, calls.join("\n"));
}

#[test]
fn messages_may_come_line_by_line_from_standard_input() {
    let mut stage = stage();
    let (_, addr) = server(&mut stage, "");
    let caller = client(&mut stage, addr, &["--think", "0"]);
    // In one piece, because after "quit" nobody reads any more.
    stage.tell(caller, "1\n\nquit\nnever sent").unwrap();
    assert!(stage.wait_exit(caller).unwrap().success());
    let shown = stage.lines(caller).join("\n");
    assert_eq!(shown.matches("connected to").count(), 1, "{shown}");
    assert!(
        !shown.contains(">>: "),
        "no prompt without a terminal: {shown}"
    );
}

#[test]
fn the_end_of_the_input_ends_the_client() {
    let mut stage = stage();
    let (_, addr) = listener();
    let caller = client(&mut stage, addr, &[]);
    stage.end_input(caller);
    assert!(stage.wait_exit(caller).unwrap().success());
    assert_eq!(stage.lines(caller), [""; 0]);
}

#[test]
fn a_line_that_is_no_text_is_sent_as_it_is() {
    use std::process::{Command, Stdio};

    let (listener, addr) = listener();
    let mut command = Command::new(CLIENT);
    command.args(["--think", "0", "--addr", &addr.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut caller = command.spawn().unwrap();
    let mut input = caller.stdin.take().unwrap();
    input.write_all(b"\xff\xfe\r\n").unwrap();
    let mut stream = accept(&listener);
    hear(&stream, b"\xff\xfe");
    // The answer is none either.
    stream.write_all(b"\x1b\xff").unwrap();
    drop((stream, input));
    let output = caller.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains(r#"sending 2 bytes: "\xff\xfe""#), "{shown}");
    assert!(shown.contains(r#""\u{1b}\xff""#), "{shown}");
}

#[test]
fn an_answer_may_come_in_parts() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let caller = client(&mut stage, addr, &["--think", "0", "--say", "1"]);
    let mut stream = accept(&listener);
    hear(&stream, b"1");
    for part in ["wel", "come"] {
        stream.write_all(part.as_bytes()).unwrap();
        stage.wait_line(caller, part).unwrap();
    }
    drop(stream);
    assert!(stage.wait_exit(caller).unwrap().success());
    assert!(said(&stage, caller, "end of stream: the server hung up"));
}

#[test]
fn a_drip_is_one_byte_at_a_time_with_a_line_end_at_the_end() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let drip = [
        "--think",
        "0",
        "--drip",
        "--interval",
        "0.05",
        "--newline",
        "--say",
        "é1",
    ];
    let started = Instant::now();
    let caller = client(&mut stage, addr, &drip);
    hear(&accept(&listener), "é1\n".as_bytes());
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(150), "four bytes: {took:?}");
    for byte in [r"\xc3", r"\xa9", "1", r"\n"] {
        stage.wait_line(caller, &format!("sending 1 bytes: \"{byte}\"")).unwrap();
    }
}

#[test]
fn an_end_of_stream_before_an_answer_is_a_failure() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let caller = client(&mut stage, addr, &["--think", "0", "--say", "1"]);
    hear(&accept(&listener), b"1");
    let error = format!("recv from {addr}: end of stream before an answer");
    stage.wait_line(caller, &error).unwrap();
    assert!(said(&stage, caller, "end of stream: the server hung up"));
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[test]
fn a_reset_is_no_end_of_stream() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let caller = client(&mut stage, addr, &["--think", "0", "--say", "1"]);
    let stream = accept(&listener);
    hear(&stream, b"1");
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    let error = stage.wait_line(caller, "reset").unwrap();
    assert!(error.starts_with(&format!("recv from {addr}: ")), "{error}");
    assert!(!said(&stage, caller, "end of stream: the server hung up"));
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[test]
fn it_waits_for_an_answer_no_longer_than_its_timeout() {
    let mut stage = stage();
    let (listener, addr) = listener();
    let flags = ["--think", "0", "--timeout", "0.2", "--say", "1"];
    let caller = client(&mut stage, addr, &flags);
    let _silent = accept(&listener);
    let error = stage.wait_line(caller, "no answer came in time").unwrap();
    assert!(error.starts_with(&format!("recv from {addr}: ")), "{error}");
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

/// A queue for one caller, and a caller in it. Other systems have room for more
/// than Linux, or refuse.
#[cfg(target_os = "linux")]
#[test]
fn a_connect_against_a_full_queue_ends_with_its_timeout() {
    let mut stage = stage();
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap().as_socket().unwrap();
    let _first = TcpStream::connect(addr).unwrap();

    let started = Instant::now();
    let caller = client(
        &mut stage,
        addr,
        &["--connect-timeout", "0.2", "--say", "1"],
    );
    let error = stage.wait_line(caller, "timed out").unwrap();
    let waited = started.elapsed();
    assert!(error.starts_with(&format!("connect {addr}: ")), "{error}");
    assert!(waited >= Duration::from_millis(200), "{waited:?}");
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[rstest]
#[case::with_a_timeout(&["--connect-timeout", "3600", "--say", "1"])]
#[case::without_one(&["--say", "1"])]
fn a_closed_port_refuses_at_once(#[case] flags: &[&str]) {
    let mut stage = stage();
    // Bound, so that the port is ours, but not listening.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    closed.bind(&any.into()).unwrap();
    let addr = closed.local_addr().unwrap().as_socket().unwrap();
    let caller = client(&mut stage, addr, flags);
    let error = stage.wait_line(caller, "connection refused").unwrap();
    assert!(error.starts_with(&format!("connect {addr}: ")), "{error}");
    assert!(error.contains("start the server"), "{error}");
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "needs /dev/full")]
fn a_client_whose_output_nobody_reads_ends_without_a_panic() {
    use std::process::{Command, Stdio};

    let (_listener, addr) = listener();
    let mut command = Command::new(CLIENT);
    command.args(["--say", "1", "--addr", &addr.to_string()]);
    // A pipe that nobody reads would do, too; but for a moment a process that
    // another test is starting may hold its other end.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_client_that_thinks() {
    let mut stage = stage();
    let (_listener, addr) = listener();
    let caller = client(&mut stage, addr, &["--think", "3600", "--say", "1"]);
    stage.wait_line(caller, "thinking").unwrap();
    stage.interrupt(caller).unwrap();
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Signal(2));
}

#[rstest]
#[case::a_connect_timeout_of_zero(&["--connect-timeout", "0"], "seconds above 0")]
#[case::an_answer_timeout_of_zero(&["--timeout", "0"], "seconds above 0")]
#[case::a_negative_thought(&["--think", "-1"], "seconds from 0")]
#[case::a_thought_that_is_no_number(&["--think", "NaN"], "seconds from 0")]
#[case::an_endless_interval(&["--interval", "inf"], "seconds from 0")]
#[case::an_empty_message(&["--say", ""], "--say")]
#[case::no_port(&["--addr", "localhost"], "HOST:PORT")]
fn wrong_usage_is_status_2_and_says_what_is_right(#[case] args: &[&str], #[case] hint: &str) {
    let mut stage = stage();
    let caller = Program::new(CLIENT).args(args);
    let caller = stage.start("client", &caller).unwrap();
    stage.wait_line(caller, hint).unwrap();
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(2));
}

#[test]
fn a_name_that_is_none_is_said_to_be_so() {
    let mut stage = stage();
    let args = ["--addr", "no-such-host.invalid:9001", "--say", "1"];
    let caller = Program::new(CLIENT).args(args);
    let caller = stage.start("client", &caller).unwrap();
    stage.wait_line(caller, "resolve no-such-host.invalid:9001: ").unwrap();
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

/// A terminal is needed for a prompt. Python gives it one.
#[test]
#[ignore = "needs python3"]
fn ctrl_d_at_the_prompt_ends_the_line() {
    let mut stage = stage();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let terminal = ["-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
    let script = ["sh", "-c", "\"$0\" --addr \"$1\"; echo status $?"];
    let program = Program::new("python3").args(terminal).args(script);
    let client = stage.start("client", &program.args([CLIENT, &addr])).unwrap();
    stage.tell(client, "\u{4}").unwrap(); // Ctrl-D
    stage.wait_line(client, "status 0").unwrap();
    let lines = stage.lines(client);
    let prompts = lines.iter().filter(|line| line.starts_with(">>:"));
    let prompts: Vec<&str> = prompts.map(|line| line.trim_end()).collect();
    assert_eq!(prompts, [">>:"], "{lines:?}");
}
