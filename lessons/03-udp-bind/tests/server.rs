//! What the server does with the datagrams that come to it.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Program, Stage};

use crate::common::{
    self, SERVER, ask, client, ended, heard_nothing, output_of, run, server, socket, spawn,
};

#[rstest]
#[case::ipv4("127.0.0.1:0", "127.0.0.1")]
#[case::every_address("0.0.0.0:0", "0.0.0.0")]
#[case::a_name("localhost:0", "127.0.0.1")]
#[case::ipv6("[::1]:0", "::1")]
fn the_first_line_names_the_address_and_the_real_port(#[case] addr: &str, #[case] ip: &str) {
    let mut stage = Stage::rehearsal();
    let program = Program::new(SERVER).args(["--addr", addr]);
    let server = stage.start("server", &program).unwrap();
    let bound = stage.ready(server).unwrap();
    assert_eq!(bound.ip().to_string(), ip);
    assert_ne!(bound.port(), 0);
    assert_eq!(stage.lines(server), [format!("bound to {bound}")]);
}

#[rstest]
#[case::echo_by_default(&[], b"Hello 7")]
#[case::echo(&["--reply", "echo"], b"Hello 7")]
#[case::upper(&["--reply", "upper"], b"HELLO 7")]
fn the_answer_is_what_reply_says(#[case] args: &[&str], #[case] answer: &[u8]) {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, args);
    assert_eq!(ask(&socket(), addr, b"Hello 7"), answer);
}

#[test]
fn reply_none_answers_nothing() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--reply", "none"]);
    let caller = socket();
    caller.send_to(b"hello", addr).unwrap();
    caller.send_to(b"bye", addr).unwrap();
    let (ending, lines) = ended(&mut stage, server);
    assert!(ending.success());
    assert_eq!(lines[1], "received 5 bytes: \"hello\"");
    assert!(heard_nothing(&caller));
}

#[test]
fn it_prints_each_datagram_with_its_sender() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let caller = socket();
    ask(&caller, addr, "你好".as_bytes());
    stage.wait_line(server, "received 6 bytes: \"你好\"").unwrap();
    let from = stage.wait_line(server, "").unwrap();
    assert_eq!(from, format!("  from {}", caller.local_addr().unwrap()));
}

#[test]
fn the_datagram_bye_ends_it_without_an_answer() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let caller = socket();
    caller.send_to(b"bye", addr).unwrap();
    let (ending, lines) = ended(&mut stage, server);
    assert!(ending.success());
    assert_eq!(lines.last().unwrap(), "closed the socket");
    assert!(heard_nothing(&caller));
}

#[rstest]
#[case::with_a_newline(b"bye\n")]
#[case::in_upper_case(b"BYE")]
#[case::as_a_beginning(b"bye bye")]
fn what_only_looks_like_bye_is_a_message(#[case] message: &[u8]) {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &[]);
    assert_eq!(ask(&socket(), addr, message), message);
}

#[test]
fn an_empty_datagram_is_a_message_like_any_other() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let caller = socket();
    assert_eq!(ask(&caller, addr, b""), b"");
    stage.wait_line(server, "received 0 bytes: \"\"").unwrap();
    assert_eq!(ask(&caller, addr, b"and on it goes"), b"and on it goes");
}

#[test]
fn with_once_it_ends_after_one_datagram() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--once"]);
    assert_eq!(ask(&socket(), addr, b"hello"), b"hello");
    assert!(ended(&mut stage, server).0.success());
}

#[test]
fn one_socket_serves_everybody_and_nobody_waits_for_another() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &[]);
    let (ann, ben) = (socket(), socket());
    assert_eq!(ask(&ann, addr, b"ann 1"), b"ann 1");
    assert_eq!(ask(&ben, addr, b"ben 1"), b"ben 1");
    assert_eq!(ask(&ann, addr, b"ann 2"), b"ann 2");
}

#[test]
fn one_send_is_one_receive_also_when_datagrams_had_to_wait() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--hold", "--reply", "none"]);
    let caller = socket();
    let lengths = [1, 1000, 0, 0, 7, 3];
    for length in lengths {
        caller.send_to(&vec![b'x'; length], addr).unwrap();
    }
    caller.send_to(b"bye", addr).unwrap();
    stage.wait_line(server, "not yet receiving").unwrap();
    assert_eq!(stage.lines(server).len(), 2, "nothing is received yet");
    stage.tell(server, "").unwrap();
    let (_, lines) = ended(&mut stage, server);
    let received: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("received "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(received, ["1", "1000", "0", "0", "7", "3", "3"]);
}

#[rstest]
#[case::with_1024_by_default(&[], 1024)]
#[case::with_8(&["--buffer", "8"], 8)]
#[case::with_1(&["--buffer", "1"], 1)]
fn what_does_not_fit_the_buffer_is_gone(#[case] args: &[&str], #[case] room: usize) {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, args);
    let caller = socket();
    let exact: Vec<u8> = (b'a'..=b'z').cycle().take(room).collect();
    assert_eq!(ask(&caller, addr, &exact), exact);
    let longer = [&exact[..], b"the rest"].concat();
    assert_eq!(ask(&caller, addr, &longer), exact);
    assert_eq!(
        ask(&caller, addr, b"!"),
        b"!",
        "the rest does not come later"
    );
}

#[test]
fn what_is_left_of_a_datagram_is_taken_for_the_whole() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--buffer", "3"]);
    socket().send_to(b"byebye", addr).unwrap();
    assert!(ended(&mut stage, server).0.success());
}

#[cfg(target_os = "linux")]
#[rstest]
#[case::ipv4("127.0.0.1:0", 65_507)]
#[case::ipv6("[::1]:0", 65_527)]
fn the_longest_datagram_comes_and_goes_whole(#[case] local: &str, #[case] longest: usize) {
    let mut stage = Stage::rehearsal();
    let program = Program::new(SERVER).args(["--addr", local, "--buffer", "65535"]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    let caller = UdpSocket::bind(local).unwrap();
    caller.set_read_timeout(Some(common::DEADLINE)).unwrap();
    let message: Vec<u8> = (0..=255).cycle().take(longest).collect();
    assert_eq!(ask(&caller, addr, &message), message);
    let error = caller.send_to(&vec![0; longest + 1], addr).unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn when_the_receive_queue_is_full_datagrams_are_lost_and_no_send_fails() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--hold", "--reply", "none"]);
    let caller = socket();
    // More than a queue of the largest size that a system may give by default.
    let room: usize =
        std::fs::read_to_string("/proc/sys/net/core/rmem_default").unwrap().trim().parse().unwrap();
    stage.wait_line(server, "not yet receiving").unwrap();
    let sends = room / 1000 + 100;
    for _ in 0..sends {
        assert_eq!(caller.send_to(&[b'x'; 1000], addr).unwrap(), 1000);
    }
    stage.tell(server, "").unwrap();
    // bye finds room only when the server has received something.
    stage.wait_line(server, "received").unwrap();
    let mut received = 1;
    loop {
        caller.send_to(b"bye", addr).unwrap();
        let line = stage.wait_line(server, "received").unwrap();
        if line.contains("bye") {
            break;
        }
        assert!(line.starts_with("received 1000 bytes"), "{line}");
        received += 1;
    }
    assert!(received < sends, "{received} of {sends}");
}

#[test]
fn a_caller_that_has_gone_ends_nothing() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--hold"]);
    let gone = socket();
    gone.send_to(b"are you there", addr).unwrap();
    // As good as closed, and the number cannot become another test's port.
    gone.connect(gone.local_addr().unwrap()).unwrap();
    stage.tell(server, "").unwrap();
    stage.wait_line(server, "sending 13 bytes").unwrap();
    assert_eq!(ask(&socket(), addr, b"still here?"), b"still here?");
}

#[test]
fn a_killed_client_ends_nothing() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--hold"]);
    let killed = client(&mut stage, addr, &["--say", "hello"]);
    stage.wait_line(killed, "from").unwrap();
    stage.kill(killed).unwrap();
    stage.wait_exit(killed).unwrap();
    stage.tell(server, "").unwrap();
    assert_eq!(ask(&socket(), addr, b"still here?"), b"still here?");
}

#[test]
#[ignore = "needs strace"]
fn a_receive_that_fails_ends_nothing() {
    let mut stage = Stage::rehearsal();
    let program = Program::new("strace").args([
        "--quiet=all",
        "--output=/dev/null",
        "--inject=recvfrom:error=ECONNREFUSED:when=1..3",
        SERVER,
        "--addr",
        "127.0.0.1:0",
    ]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    assert_eq!(ask(&socket(), addr, b"still here?"), b"still here?");
    for _ in 0..3 {
        let line = stage.wait_line(server, "recvfrom on").unwrap();
        assert!(line.contains("connection refused"), "{line}");
        assert!(line.ends_with("goes on with the next datagram"), "{line}");
    }
    assert_eq!(ask(&socket(), addr, b"and now?"), b"and now?");
    socket().send_to(b"bye", addr).unwrap();
    assert!(ended(&mut stage, server).0.success());
}

#[test]
#[ignore = "needs strace"]
fn receives_that_fail_again_and_again_end_it_with_status_1() {
    let mut stage = Stage::rehearsal();
    let program = Program::new("strace").args([
        "--quiet=all",
        "--output=/dev/null",
        "--inject=recvfrom:error=ENETDOWN",
        SERVER,
        "--addr",
        "127.0.0.1:0",
    ]);
    let server = stage.start("server", &program).unwrap();
    let (ending, lines) = ended(&mut stage, server);
    assert_eq!(ending, Ending::Status(1));
    assert!(lines.last().unwrap().starts_with("recvfrom again and again on"));
}

#[test]
#[ignore = "needs python3 and the right to send raw packets"]
fn a_sender_without_a_port_cannot_be_answered_and_ends_nothing() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/python/from_port_zero.py"
    );
    let program = Program::new("python3").args([script, &addr.port().to_string()]);
    let sender = stage.start("sender", &program).unwrap();
    let (ending, lines) = ended(&mut stage, sender);
    assert!(ending.success(), "{lines:?}");
    let error = stage.wait_line(server, "sendto 127.0.0.1:0").unwrap();
    assert!(error.contains("the sender gave no port"), "{error}");
    assert_eq!(ask(&socket(), addr, b"still here?"), b"still here?");
}

#[rstest]
#[case::no_text_at_all(b"\xff\xfe", r#"received 2 bytes: "\xff\xfe""#)]
#[case::half_a_character(b"\xe4\xbd", r#"received 2 bytes: "\xe4\xbd""#)]
#[case::a_colour_for_the_terminal(b"\x1b[31mred", r#"received 8 bytes: "\u{1b}[31mred""#)]
#[case::two_lines(b"a\nb", r#"received 3 bytes: "a\nb""#)]
#[case::gbk(b"\xc4\xe3", r#"received 2 bytes: "\xc4\xe3""#)]
fn bytes_that_are_no_text_are_shown_escaped(#[case] bytes: &[u8], #[case] line: &str) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    assert_eq!(ask(&socket(), addr, bytes), bytes);
    assert_eq!(stage.wait_line(server, "received").unwrap(), line);
}

#[rstest]
#[case::text(b"\xc4\xe3\xba\xc3", r#"received 4 bytes: "你好""#)]
#[case::half_a_character(b"\xc4\xe3\xba", r#"received 3 bytes: "你\xba""#)]
#[case::utf8(b"\xff\x80ok", r#"received 4 bytes: "\xff\x80ok""#)]
fn with_gbk_the_bytes_are_read_as_gbk(#[case] bytes: &[u8], #[case] line: &str) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--encoding", "gbk"]);
    assert_eq!(ask(&socket(), addr, bytes), bytes);
    assert_eq!(stage.wait_line(server, "received").unwrap(), line);
}

#[test]
fn upper_case_in_gbk_leaves_the_second_byte_of_a_character_alone() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--encoding", "gbk", "--reply", "upper"]);
    // The second byte of this character is the byte of the letter a.
    assert_eq!(ask(&socket(), addr, b"a\x81\x61a"), b"A\x81\x61A");
    stage.wait_line(server, "sending 4 bytes: \"A乤A\"").unwrap();
}

#[test]
fn a_long_message_is_shown_by_its_beginning() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    ask(&socket(), addr, &[b'x'; 1000]);
    let line = stage.wait_line(server, "received").unwrap();
    assert_eq!(
        line,
        format!("received 1000 bytes: \"{}\" …", "x".repeat(32))
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_as_usual() {
    let mut stage = Stage::rehearsal();
    let (server, _) = server(&mut stage, &[]);
    stage.interrupt(server).unwrap();
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Signal(2));
}

#[test]
fn a_reader_of_its_output_that_goes_away_is_no_panic() {
    let mut child = spawn(SERVER, &["--addr", "127.0.0.1:0"]);
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    let addr = common::address_in(first.trim_end());
    // A program that a neighbouring test starts just now holds our end of the pipe
    // too, until its exec. So there is more than one thing to print.
    let asker = socket();
    let pause = Some(Duration::from_millis(100));
    asker.set_read_timeout(pause).unwrap();
    let patience = Instant::now() + Duration::from_secs(10);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < patience, "it did not end");
        asker.send_to(b"hello", addr).unwrap();
        let _ = asker.recv(&mut [0; 16]);
    }
    let output = output_of(child);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_held_server_goes_on_when_its_input_ends() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &["--hold"]);
    stage.end_input(server);
    assert_eq!(ask(&socket(), addr, b"hello"), b"hello");
}

#[test]
fn tcp_and_udp_ports_are_different_spaces() {
    let mut stage = Stage::rehearsal();
    // Numbers that TCP has free can be taken in UDP, so try some.
    let (tcp, number) = std::iter::repeat_with(|| {
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let number = tcp.local_addr().unwrap();
        (tcp, number)
    })
    .find(|(_, number)| UdpSocket::bind(number).is_ok())
    .unwrap();
    let program = Program::new(SERVER).args(["--addr", &number.to_string()]);
    let udp = stage.start("server", &program).unwrap();
    assert_eq!(stage.ready(udp).unwrap(), number);
    assert_eq!(tcp.local_addr().unwrap(), number);

    // Each hears only its own.
    let mut call = std::net::TcpStream::connect(number).unwrap();
    call.write_all(b"over tcp").unwrap();
    assert_eq!(ask(&socket(), number, b"over udp"), b"over udp");
    let received = stage.lines(udp).concat();
    assert!(!received.contains("over tcp"), "{received}");
}

#[test]
fn two_udp_servers_cannot_have_one_port() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &[]);
    let program = Program::new(SERVER).args(["--addr", &addr.to_string()]);
    let second = stage.start("second", &program).unwrap();
    let (ending, lines) = ended(&mut stage, second);
    assert_eq!(ending, Ending::Status(1));
    let [line] = &lines[..] else {
        panic!("one line was expected: {lines:?}")
    };
    assert!(
        line.starts_with(&format!("bind {addr}: address already in use")),
        "{line}"
    );
    assert!(line.contains("--addr"), "it names the way out: {line}");
}

#[cfg(target_os = "linux")]
#[test]
fn one_port_on_two_addresses_is_two_programs() {
    let mut stage = Stage::rehearsal();
    let (_, echo) = server(&mut stage, &[]);
    // On Linux, all of 127.0.0.0/8 is this host.
    let mut other = echo;
    other.set_ip("127.0.0.2".parse().unwrap());
    let program = Program::new(SERVER).args(["--addr", &other.to_string(), "--reply", "upper"]);
    let upper = stage.start("upper", &program).unwrap();
    assert_eq!(stage.ready(upper).unwrap(), other);
    let caller = socket();
    assert_eq!(ask(&caller, echo, b"hi"), b"hi");
    assert_eq!(ask(&caller, other, b"hi"), b"HI");
}

#[rstest]
#[case::an_address_of_nobody_here("192.0.2.77:0", "bind 192.0.2.77:0: ")]
#[case::a_name_in_no_directory("local..host:7788", "resolve local..host:7788: ")]
fn what_cannot_be_bound_is_one_line_and_status_1(#[case] addr: &str, #[case] beginning: &str) {
    let output = run(SERVER, &["--addr", addr]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with(beginning), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("; "), "it names the way out: {error}");
}

#[rstest]
#[case::no_port(&["--addr", "127.0.0.1"])]
#[case::too_large_a_port(&["--addr", "127.0.0.1:70000"])]
#[case::an_unknown_reply(&["--reply", "shout"])]
#[case::an_unknown_encoding(&["--encoding", "latin-1"])]
#[case::no_room_at_all(&["--buffer", "0"])]
#[case::an_unknown_flag(&["--reuse-addr"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let output = run(SERVER, args);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
}

#[test]
fn help_shows_an_example() {
    let output = run(SERVER, &["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("Example:\n  cargo run -p lesson-3 server --addr 0.0.0.0:7788"));
    assert!(help.contains("[default: 0.0.0.0:7788]"));
    assert!(output.status.success());
}

#[test]
fn nothing_that_is_sent_to_it_ends_it() {
    let mut stage = Stage::rehearsal();
    for encoding in ["utf-8", "gbk"] {
        let args = ["--encoding", encoding, "--reply", "upper"];
        let (_, addr) = server(&mut stage, &args);
        let caller = socket();
        for first in 0..=255 {
            // Each byte alone, before each kind of second byte, and cut off.
            for message in [
                &[first][..],
                &[first, 0x61],
                &[first, 0xff],
                &[first, 0x80, first],
            ] {
                assert_eq!(ask(&caller, addr, message).len(), message.len());
            }
        }
    }
}

#[test]
fn a_server_on_every_address_answers_on_each() {
    let mut stage = Stage::rehearsal();
    let program = Program::new(SERVER).args(["--addr", "0.0.0.0:0"]);
    let server = stage.start("server", &program).unwrap();
    let port = stage.ready(server).unwrap().port();
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!(ask(&socket(), addr, b"hello"), b"hello");
    let error = UdpSocket::bind(addr).expect_err("0.0.0.0 takes this address too");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

/// As a character leaves them that is erased by half.
#[cfg(unix)]
#[test]
fn enter_is_enter_also_after_bytes_that_are_no_text() {
    let mut stage = Stage::rehearsal();
    let script = r#"printf '\344\n' | "$0" "$@""#;
    let program = Program::new("sh").args(["-c", script, SERVER]);
    let program = program.args(["--hold", "--addr", "127.0.0.1:0", "--once"]);
    let server = stage.start("server", &program).unwrap();
    let addr = stage.ready(server).unwrap();
    assert_eq!(ask(&socket(), addr, b"hello"), b"hello");
    assert_eq!(stage.wait_exit(server).unwrap(), Ending::Status(0));
}
