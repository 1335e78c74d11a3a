//! What the client says and does that its checks do not ask for.

use std::time::{Duration, Instant};

use house::raw::{closed_port, read, reset};
use rstest::rstest;
use scene::Ending;

use crate::lesson::{client, stage};

#[test]
fn it_thinks_before_it_speaks() {
    let mut stage = stage();
    let started = Instant::now();
    let (_, stream) = stage.called_by(&["--think", "0.3", "--say", "1"]);
    assert_eq!(read(&stream, 1), b"1");
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(300), "{waited:?}");
}

#[test]
fn each_message_is_a_call_of_its_own() {
    let mut stage = stage();
    let (_, addr) = stage.server(&[]);
    let caller = stage.client(addr, &["--think", "0", "--say", "1", "--say", "2"]);
    assert!(stage.wait_exit(caller).unwrap().success());
    let connected = format!("connected to {addr}");
    assert_eq!(
        stage.lines(caller),
        [
            connected.as_str(),
            r#"sending 1 bytes: "1""#,
            r#"received 18 bytes: "welcome to server!""#,
            "end of stream: the server hung up",
            &connected,
            r#"sending 1 bytes: "2""#,
            r#"received 14 bytes: "please go out!""#,
            "end of stream: the server hung up",
        ]
    );
}

#[test]
fn a_drip_is_one_byte_at_a_time_with_a_line_end_at_the_end() {
    let mut stage = stage();
    let started = Instant::now();
    let drip = ["--think", "0", "--drip", "--interval", "0.05", "--newline"];
    let (caller, stream) = stage.called_by(&[&drip[..], &["--say", "é1"]].concat());
    assert_eq!(read(&stream, 4), "é1\n".as_bytes());
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(150), "four bytes: {took:?}");
    for byte in [r"\xc3", r"\xa9", "1", r"\n"] {
        stage.wait_line(caller, &format!("sending 1 bytes: \"{byte}\"")).unwrap();
    }
}

#[test]
fn a_reset_is_no_end_of_stream() {
    let mut stage = stage();
    let (caller, stream) = stage.called_by(&["--think", "0", "--say", "1"]);
    assert_eq!(read(&stream, 1), b"1");
    reset(stream);
    let error = stage.wait_line(caller, "connection reset by peer").unwrap();
    assert!(error.starts_with("recv from 127.0.0.1:"), "{error}");
    assert!(!stage.lines(caller).contains(&"end of stream: the server hung up".into()));
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[test]
fn when_its_timeout_has_passed_the_error_names_recv_and_a_way_out() {
    let mut stage = stage();
    let (caller, _silent) = stage.called_by(&["--think", "0", "--timeout", "0.2", "--say", "1"]);
    let error = stage.wait_line(caller, "no answer came in time").unwrap();
    assert!(error.starts_with("recv from 127.0.0.1:"), "{error}");
    assert!(error.contains("--timeout"), "{error}");
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[rstest]
#[case::with_a_timeout(&["--say", "1", "--connect-timeout", "3600"])]
#[case::without_one(&["--say", "1"])]
fn a_closed_port_refuses_at_once(#[case] flags: &[&str]) {
    let addr = closed_port();
    let mut stage = stage();
    let caller = stage.client(addr, flags);
    let error = stage.wait_line(caller, "connection refused").unwrap();
    assert!(error.starts_with(&format!("connect {addr}: ")), "{error}");
    assert!(error.contains("start the server"), "{error}");
    assert_eq!(stage.wait_exit(caller).unwrap(), Ending::Status(1));
}

#[rstest]
#[case::a_connect_timeout_of_zero(&["--connect-timeout", "0"], "seconds above 0")]
#[case::an_answer_timeout_of_zero(&["--timeout", "0"], "seconds above 0")]
#[case::a_negative_thought(&["--think", "-1"], "seconds from 0")]
#[case::a_thought_that_is_no_number(&["--think", "NaN"], "seconds from 0")]
#[case::an_endless_interval(&["--interval", "inf"], "seconds from 0")]
#[case::an_empty_message(&["--say", ""], "--say")]
fn wrong_usage_is_status_2_and_says_what_is_right(#[case] args: &[&str], #[case] hint: &str) {
    client().refuses(args, hint);
}
