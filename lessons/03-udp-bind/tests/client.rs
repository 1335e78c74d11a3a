//! What the client sends, what it takes for an answer, and what it says when
//! there is none.

use std::io::Write;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rstest::rstest;
use scene::{Ending, Program, Stage};

use crate::common::{
    self, CLIENT, DEADLINE, address_in, client, closed_port, ended, output_of, receive, server,
    socket, spawn,
};

/// Runs a client with this input, all at once.
fn with_input(args: &[&str], input: &[u8]) -> Output {
    let mut child = spawn(CLIENT, args);
    child.stdin.as_mut().unwrap().write_all(input).unwrap();
    output_of(child)
}

#[test]
fn it_prints_what_it_sends_and_what_comes_back_from_whom() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &["--reply", "upper"]);
    let client = client(&mut stage, addr, &["--say", "hello"]);
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success());
    let own = address_in(&lines[1]);
    let expected = [
        "sending 5 bytes: \"hello\"".to_string(),
        format!("  from {own}"),
        "received 5 bytes: \"HELLO\"".to_string(),
        format!("  from {addr}"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_port_of_a_client_without_bind_changes_from_run_to_run() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let mut ports: Vec<u16> = (0..5)
        .map(|_| {
            let client = client(&mut stage, addr, &["--say", "hello"]);
            let own = address_in(&ended(&mut stage, client).1[1]);
            assert!(own.ip().is_unspecified(), "an address is chosen later");
            let seen = address_in(&stage.wait_line(server, "  from").unwrap());
            assert_eq!(seen.ip().to_string(), "127.0.0.1");
            assert_eq!(seen.port(), own.port(), "the server sees the same port");
            own.port()
        })
        .collect();
    ports.sort_unstable();
    ports.dedup();
    // The system chooses by chance: twice the same among five is possible.
    assert!(ports.len() > 1, "{ports:?}");
}

#[test]
fn the_port_of_a_client_with_bind_stays() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    // A number that is free now.
    let own = socket().local_addr().unwrap();
    for _ in 0..3 {
        let client = client(
            &mut stage,
            addr,
            &["--bind", &own.to_string(), "--say", "hi"],
        );
        let (ending, lines) = ended(&mut stage, client);
        assert!(ending.success(), "{lines:?}");
        assert_eq!(lines[0], format!("bound to {own}"));
        assert_eq!(lines[1], "sending 2 bytes: \"hi\"");
        let seen = stage.wait_line(server, "  from").unwrap();
        assert_eq!(address_in(&seen), own);
    }
}

#[rstest]
#[case::connected(&["--connected"])]
#[case::connected_and_bound(&["--connected", "--bind", "127.0.0.1:0"])]
fn a_connected_client_knows_both_ends_before_it_sends(#[case] args: &[&str]) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &[args, &["--say", "hello"]].concat());
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success());
    let lines: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| !line.starts_with("bound to")).collect();
    let own = address_in(lines[1]);
    assert_eq!(lines[0], format!("connected to {addr}"));
    assert_eq!(lines[1], format!("  from {own}"));
    assert_eq!(lines[2], "sending 5 bytes: \"hello\"");
    assert_eq!(lines[3], "received 5 bytes: \"hello\"");
    assert_eq!(lines.len(), 4, "recv names no sender: {lines:?}");
    let seen = stage.wait_line(server, "  from").unwrap();
    assert_eq!(address_in(&seen), own);
}

#[test]
fn connect_sends_nothing() {
    let mut stage = Stage::rehearsal();
    let peer = socket();
    let to = peer.local_addr().unwrap();
    let client = client(&mut stage, to, &["--connected", "--no-answer"]);
    stage.wait_line(client, "  from").unwrap();
    stage.end_input(client);
    assert!(ended(&mut stage, client).0.success());
    assert!(common::heard_nothing(&peer));
}

#[test]
fn nobody_there_is_silence_for_an_unconnected_client() {
    let mut stage = Stage::rehearsal();
    let (_keeper, closed) = closed_port();
    let args = ["--say", "one", "--say", "two", "--timeout", "0.2"];
    let client = client(&mut stage, closed, &args);
    let (ending, lines) = ended(&mut stage, client);
    assert_eq!(ending, Ending::Status(1));
    let errors: Vec<&String> = lines.iter().filter(|line| line.contains("; ")).collect();
    assert_eq!(errors.len(), 2, "each message is tried: {lines:?}");
    for error in errors {
        let beginning = format!("recvfrom {closed}: timed out after 0.2 s; ");
        assert!(error.starts_with(&beginning), "{error}");
    }
}

#[test]
fn nobody_there_is_econnrefused_for_a_connected_client() {
    let mut stage = Stage::rehearsal();
    let (_keeper, closed) = closed_port();
    let client = client(&mut stage, closed, &["--say", "hello", "--connected"]);
    let (ending, lines) = ended(&mut stage, client);
    assert_eq!(ending, Ending::Status(1));
    assert_eq!(lines[2], "sending 5 bytes: \"hello\"", "the send succeeded");
    let beginning = format!("recv from {closed}: connection refused");
    assert!(lines[3].starts_with(&beginning), "{lines:?}");
    assert_eq!(lines.len(), 4);
}

#[cfg(target_os = "linux")]
#[test]
fn a_refusal_can_be_reported_by_the_next_send() {
    let mut stage = Stage::rehearsal();
    let (_keeper, closed) = closed_port();
    let says = ["--say", "one", "--say", "two", "--say", "three"];
    let args = [&says[..], &["--connected", "--no-answer"]].concat();
    let client = client(&mut stage, closed, &args);
    let (ending, lines) = ended(&mut stage, client);
    assert_eq!(ending, Ending::Status(1));
    let errors: Vec<&String> = lines.iter().filter(|line| line.contains("; ")).collect();
    assert_eq!(errors.len(), 1, "{lines:?}");
    let beginning = format!("send to {closed}: connection refused");
    assert!(errors[0].starts_with(&beginning), "{lines:?}");
    // The send that reports the error sends nothing: the first and the third go out.
    assert_eq!(lines.last().unwrap(), "sending 5 bytes: \"three\"");
}

#[rstest]
#[case::unconnected(&[], "sendto")]
#[case::connected(&["--connected"], "send to")]
fn too_large_a_datagram_is_emsgsize_and_the_next_message_goes_through(
    #[case] args: &[&str],
    #[case] operation: &str,
) {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let long = "x".repeat(65_508);
    let args = [args, &["--say", &long, "--say", "short"]].concat();
    let client = client(&mut stage, addr, &args);
    let (ending, lines) = ended(&mut stage, client);
    assert_eq!(ending, Ending::Status(1));
    let error = lines.iter().find(|line| line.contains("; ")).unwrap();
    let beginning = format!("{operation} {addr}: message too long");
    assert!(error.starts_with(&beginning), "{error}");
    assert!(lines.contains(&"received 5 bytes: \"short\"".to_string()));
    let received = stage.wait_line(server, "received").unwrap();
    assert_eq!(
        received, "received 5 bytes: \"short\"",
        "no part of the long one"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_longest_datagram_is_sent_and_its_answer_is_not_cut_off() {
    let mut stage = Stage::rehearsal();
    let (_, addr) = server(&mut stage, &["--buffer", "65535"]);
    let longest = "x".repeat(65_507);
    let client = client(&mut stage, addr, &["--say", &longest]);
    assert!(ended(&mut stage, client).0.success());
    let lines = stage.lines(client).concat();
    assert!(lines.contains("received 65507 bytes"), "{lines}");
}

#[test]
fn an_answer_from_a_stranger_is_named_and_not_taken() {
    let mut stage = Stage::rehearsal();
    let (server, stranger) = (socket(), socket());
    let client = client(
        &mut stage,
        server.local_addr().unwrap(),
        &["--say", "hello"],
    );
    let (_, peer) = receive(&server);
    stranger.send_to(b"boo", peer).unwrap();
    let ignored = stage.wait_line(client, "ignored").unwrap();
    let stranger = stranger.local_addr().unwrap();
    assert_eq!(ignored, format!("  ignored: from a stranger, {stranger}"));
    server.send_to(b"the answer", peer).unwrap();
    stage.wait_line(client, "received 10 bytes: \"the answer\"").unwrap();
    let from = stage.wait_line(client, "").unwrap();
    assert_eq!(from, format!("  from {}", server.local_addr().unwrap()));
    assert!(ended(&mut stage, client).0.success());
}

#[test]
fn a_stranger_cannot_make_it_wait_longer() {
    let mut stage = Stage::rehearsal();
    let (server, stranger) = (socket(), socket());
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--say", "hello", "--timeout", "0.3"]);
    let (_, peer) = receive(&server);
    // One after the other, as long as the client waits.
    stranger.send_to(b"boo", peer).unwrap();
    while stage.wait_line(client, "ignored").is_ok() {
        stranger.send_to(b"boo", peer).unwrap();
    }
    let (ending, lines) = ended(&mut stage, client);
    assert_eq!(ending, Ending::Status(1));
    assert!(lines.last().unwrap().contains("timed out after 0.3 s"));
}

#[test]
fn a_connected_client_does_not_hear_a_stranger() {
    let mut stage = Stage::rehearsal();
    let (server, stranger) = (socket(), socket());
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--say", "hello", "--connected"]);
    let (_, peer) = receive(&server);
    stranger.send_to(b"boo", peer).unwrap();
    server.send_to(b"the answer", peer).unwrap();
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success());
    assert!(!lines.concat().contains("boo"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "received 10 bytes: \"the answer\"");
}

#[test]
fn a_late_answer_is_taken_for_the_answer_to_the_next_message() {
    let mut stage = Stage::rehearsal();
    let server = socket();
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--timeout", "0.3"]);
    stage.tell(client, "first").unwrap();
    let (_, peer) = receive(&server);
    stage.wait_line(client, "timed out").unwrap();
    server.send_to(b"to the first", peer).unwrap();
    stage.tell(client, "second").unwrap();
    stage.wait_line(client, "\"second\"").unwrap();
    stage.wait_line(client, "\"to the first\"").unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_answers_from_another_address_is_a_stranger() {
    let mut stage = Stage::rehearsal();
    let program = Program::new(common::SERVER).args(["--addr", "0.0.0.0:0"]);
    let server = stage.start("server", &program).unwrap();
    let port = stage.ready(server).unwrap().port();
    // The question goes to 127.0.0.2, and the answer to 127.0.0.1 leaves from there.
    let asked = std::net::SocketAddr::from(([127, 0, 0, 2], port));
    let client = client(&mut stage, asked, &["--say", "hello", "--timeout", "0.3"]);
    let (ending, lines) = ended(&mut stage, client);
    assert_eq!(ending, Ending::Status(1));
    let stranger = format!("  ignored: from a stranger, 127.0.0.1:{port}");
    assert!(lines.contains(&stranger), "{lines:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_was_stopped_and_goes_on_still_waits_for_its_answer() {
    let mut stage = Stage::rehearsal();
    let server = socket();
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--say", "hello", "--timeout", "10"]);
    let (_, peer) = receive(&server);
    let pid = stage.pid(client).to_string();
    // It has to be in recvfrom, where a signal interrupts it.
    until_asleep(&pid);
    for signal in ["-STOP", "-CONT"] {
        let kill = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(kill.success());
    }
    server.send_to(b"the answer", peer).unwrap();
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success(), "{lines:?}");
}

/// Waits until the process sleeps in a system call.
#[cfg(target_os = "linux")]
fn until_asleep(pid: &str) {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let state = stat.rsplit(") ").next().unwrap();
        if state.starts_with('S') {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{stat}");
        std::thread::yield_now();
    }
}

#[test]
fn an_empty_message_is_an_empty_datagram() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &["--say", "", "--say", "x"]);
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success());
    assert!(
        lines.contains(&"received 0 bytes: \"\"".to_string()),
        "{lines:?}"
    );
    stage.wait_line(server, "received 0 bytes").unwrap();
    stage.wait_line(server, "received 1 bytes").unwrap();
}

#[rstest]
#[case::lines(b"one\ntwo\n", &["one", "two"])]
#[case::no_last_line_end(b"one\ntwo", &["one", "two"])]
#[case::empty_lines(b"\n\none\n\r\n\ntwo\n\n", &["one", "two"])]
#[case::line_ends_of_windows(b"one\r\ntwo\r\n", &["one", "two"])]
#[case::quit(b"one\nquit\ntwo\n", &["one"])]
#[case::spaces_are_no_empty_line(b" \n", &[" "])]
#[case::nothing(b"", &[])]
fn without_say_each_line_is_a_message(#[case] input: &[u8], #[case] messages: &[&str]) {
    let server = socket();
    let to = server.local_addr().unwrap().to_string();
    let output = with_input(&["--to", &to, "--no-answer"], input);
    assert!(output.status.success());
    assert_eq!(output.stderr, b"");
    assert!(
        !String::from_utf8_lossy(&output.stdout).contains(">>"),
        "no prompt in a pipe"
    );
    for message in messages {
        assert_eq!(receive(&server).0, message.as_bytes());
    }
    assert!(common::heard_nothing(&server));
}

#[test]
fn what_is_said_is_sent_as_it_is() {
    let server = socket();
    let to = server.local_addr().unwrap().to_string();
    let says = ["--say", "quit", "--say", " a\nb "];
    let output = with_input(&[&["--to", &to, "--no-answer"], &says[..]].concat(), b"");
    assert!(output.status.success());
    assert_eq!(receive(&server).0, b"quit");
    assert_eq!(receive(&server).0, b" a\nb ");
}

#[test]
fn lines_that_are_no_text_go_out_as_they_are() {
    let server = socket();
    let to = server.local_addr().unwrap().to_string();
    let output = with_input(&["--to", &to, "--no-answer"], b"\xff\xfe\n\xc4\xe3\n");
    assert!(output.status.success());
    assert_eq!(receive(&server).0, b"\xff\xfe");
    assert_eq!(receive(&server).0, b"\xc4\xe3");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains(r#"sending 2 bytes: "\xff\xfe""#), "{said}");
}

#[test]
fn too_long_a_line_is_one_failed_message_and_not_several() {
    let server = socket();
    let to = server.local_addr().unwrap().to_string();
    let input = [vec![b'x'; 200_000], b"\nshort\n".to_vec()].concat();
    let output = with_input(&["--to", &to, "--no-answer"], &input);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("message too long"), "{errors}");
    assert_eq!(receive(&server).0, b"short");
}

#[test]
fn after_bye_it_waits_for_no_answer() {
    let mut stage = Stage::rehearsal();
    let (server, addr) = server(&mut stage, &[]);
    let client = client(&mut stage, addr, &["--say", "bye", "--timeout", "100"]);
    assert!(ended(&mut stage, client).0.success());
    assert!(ended(&mut stage, server).0.success());
}

#[test]
fn the_server_s_wildcard_address_means_this_host() {
    let mut stage = Stage::rehearsal();
    let program = Program::new(common::SERVER).args(["--addr", "0.0.0.0:0"]);
    let server = stage.start("server", &program).unwrap();
    let copied = stage.ready(server).unwrap();
    assert!(copied.ip().is_unspecified());
    let client = client(&mut stage, copied, &["--say", "hello"]);
    let (ending, lines) = ended(&mut stage, client);
    assert!(ending.success(), "{lines:?}");
    let expected = format!("  from 127.0.0.1:{}", copied.port());
    assert_eq!(*lines.last().unwrap(), expected);
}

#[rstest]
#[case::ipv6("[::1]:0")]
#[case::a_name("localhost:0")]
fn it_finds_the_server_at(#[case] addr: &str) {
    let mut stage = Stage::rehearsal();
    let program = Program::new(common::SERVER).args(["--addr", addr]);
    let server = stage.start("server", &program).unwrap();
    let port = stage.ready(server).unwrap().port();
    let to = addr.replace(":0", &format!(":{port}"));
    for more in [&[][..], &["--connected"]] {
        let program = Program::new(CLIENT).args(["--say", "hello", "--to", &to]).args(more);
        let client = stage.start("client", &program).unwrap();
        let (ending, lines) = ended(&mut stage, client);
        assert!(ending.success(), "{lines:?}");
    }
}

#[test]
fn with_gbk_text_goes_out_in_gbk_and_answers_are_read_as_gbk() {
    let mut stage = Stage::rehearsal();
    let server = socket();
    let to = server.local_addr().unwrap();
    let client = client(&mut stage, to, &["--encoding", "gbk", "--say", "你好"]);
    let (message, peer) = receive(&server);
    assert_eq!(message, b"\xc4\xe3\xba\xc3");
    server.send_to(b"\xd4\xd9\xbc\xfb", peer).unwrap();
    let (_, lines) = ended(&mut stage, client);
    assert_eq!(lines[0], "sending 4 bytes: \"你好\"");
    assert_eq!(lines[2], "received 4 bytes: \"再见\"");
}

#[test]
fn a_line_that_gbk_cannot_say_is_one_failed_message() {
    let server = socket();
    let to = server.local_addr().unwrap().to_string();
    let input = "😀\n你\n".as_bytes();
    let input = [input, b"\xff\xfe\n", "好\n".as_bytes()].concat();
    let args = ["--to", &to, "--no-answer", "--encoding", "gbk"];
    let output = with_input(&args, &input);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    let errors: Vec<&str> = errors.lines().collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(
        errors[0].starts_with("encode \"😀\": a character is not in GBK"),
        "{errors:?}"
    );
    assert!(
        errors[1].starts_with(r#"encode "\xff\xfe": not UTF-8"#),
        "{errors:?}"
    );
    assert_eq!(receive(&server).0, b"\xc4\xe3");
    assert_eq!(receive(&server).0, b"\xba\xc3");
}

#[rstest]
#[case::a_name_in_no_directory(&["--to", "local..host:7788"], "resolve local..host:7788: ")]
#[case::port_zero(&["--to", "127.0.0.1:0"], "sendto 127.0.0.1:0: ")]
#[case::a_broadcast_address(&["--to", "255.255.255.255:7788"], "sendto 255.255.255.255:7788: permission denied")]
#[case::a_foreign_address(&["--bind", "192.0.2.77:0"], "bind 192.0.2.77:0: ")]
#[case::another_family(&["--bind", "[::1]:0"], "bind [::1]:0: ")]
fn what_cannot_be_sent_is_one_line_and_status_1(#[case] args: &[&str], #[case] beginning: &str) {
    let output = with_input(
        &[args, &["--say", "hello", "--timeout", "0.1"]].concat(),
        b"",
    );
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with(beginning), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("; "), "it names the way out: {error}");
}

#[test]
fn a_taken_port_is_in_use() {
    let other = socket();
    let taken = other.local_addr().unwrap().to_string();
    let output = with_input(&["--bind", &taken, "--say", "hello"], b"");
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with(&format!("bind {taken}: address already in use")),
        "{error}"
    );
}

#[test]
fn a_reader_of_its_output_that_goes_away_is_no_panic() {
    let server = socket();
    let pause = Some(Duration::from_millis(100));
    server.set_read_timeout(pause).unwrap();
    let to = server.local_addr().unwrap().to_string();
    let mut child = spawn(CLIENT, &["--to", &to, "--no-answer"]);
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    // A program that a neighbouring test starts just now holds our end of the pipe
    // too, until its exec. So there is more than one thing to print.
    let patience = Instant::now() + Duration::from_secs(10);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < patience, "it did not end");
        // Both fail when the client has ended meanwhile.
        let _ = stdin.write_all(b"hello\n");
        let _ = server.recv(&mut [0; 16]);
    }
    let output = output_of(child);
    // 101 would be a panic.
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[rstest]
#[case::no_port(&["--to", "127.0.0.1"])]
#[case::no_host(&["--to", ":7788"])]
#[case::too_large_a_port(&["--to", "127.0.0.1:70000"])]
#[case::bind_without_a_port(&["--bind", "127.0.0.1"])]
#[case::no_time_at_all(&["--timeout", "0"])]
#[case::a_time_before_now(&["--timeout=-1"])]
#[case::longer_than_a_clock_can_say(&["--timeout", "1e18"])]
#[case::no_number(&["--timeout", "NaN"])]
#[case::for_ever(&["--timeout", "inf"])]
#[case::an_unknown_encoding(&["--encoding", "big5"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    let output = with_input(args, b"");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
}

#[test]
fn help_shows_an_example() {
    let output = with_input(&["--help"], b"");
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        help.contains("Example:\n  cargo run -p lesson-3 client --to 127.0.0.1:7788 --say hello")
    );
    assert!(help.contains("[default: 127.0.0.1:7788]"));
    assert!(output.status.success());
}
