//! The server as a client meets it, also a client that means harm.

use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use house::raw::{self, again};
use rstest::rstest;
use scene::Program;

use crate::common::{ask, message, receive};
use crate::lesson::{server, stage};

const LIST: &str = r#"{"request":"list"}"#;

/// The server is well: it takes a call and answers.
fn lives_on(addr: SocketAddr) {
    let answer = ask(&mut raw::call(addr), LIST);
    assert!(
        answer.starts_with(r#"{"status":"ok","name":"list","size":"#),
        "{answer}"
    );
}

#[cfg(unix)]
#[test]
fn it_finds_its_sample_from_wherever_it_is_started() {
    let mut stage = stage();
    let elsewhere = "cd / && exec \"$0\" --addr 127.0.0.1:0";
    let server = Program::new("sh").args(["-c", elsewhere, server().executable()]);
    let server = stage.start("server", &server).unwrap();
    let addr = stage.ready(server).unwrap();
    let answer = ask(
        &mut raw::call(addr),
        r#"{"request":"get","name":"short.txt"}"#,
    );
    assert!(answer.starts_with(r#"{"status":"ok""#), "{answer}");
}

#[test]
fn a_header_over_64_kib_has_an_answer_and_an_orderly_end_however_much_follows_it() {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let mut call = raw::call(addr);
    call.write_all(&65537_u32.to_be_bytes()).unwrap();
    call.write_all(&[b'x'; 100_000]).unwrap();
    let reason = "a header of 65537 bytes is announced, and 65536 is the limit";
    let answer = format!(r#"{{"status":"error","reason":"{reason}"}}"#);
    assert_eq!(receive(&mut call), answer);
    assert_eq!(
        again(|| call.read(&mut [0])).unwrap(),
        0,
        "an orderly end, no reset"
    );
    stage.wait_line(server, reason).unwrap();
}

#[test]
fn a_client_that_hangs_up_in_mid_message_is_no_orderly_end() {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let mut call = raw::call(addr);
    call.write_all(&[0, 0]).unwrap();
    drop(call);
    let reason = "end of stream after 2 of 4 bytes; the client has hung up";
    stage.wait_line(server, reason).unwrap();
}

#[test]
fn a_client_that_says_nothing_times_out() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--timeout", "0.2"]);
    let mut call = raw::call(addr);
    assert_eq!(
        again(|| call.read(&mut [0])).unwrap(),
        0,
        "the server hung up"
    );
    stage.wait_line(server, "timed out; a longer --timeout has more patience").unwrap();
    lives_on(addr);
}

#[test]
fn a_client_that_never_receives_times_out() {
    let root = tempfile::tempdir().unwrap();
    let big = fs::File::create(root.path().join("big")).unwrap();
    big.set_len(64 << 20).unwrap();
    let mut stage = stage();
    let root = root.path().to_str().unwrap();
    let (server, addr) = stage.server(&["--root", root, "--timeout", "0.2"]);
    let mut call = raw::call(addr);
    ask(&mut call, r#"{"request":"get","name":"big"}"#);
    stage.wait_line(server, "timed out").unwrap();
    lives_on(addr);
}

#[test]
fn one_client_is_served_at_a_time_and_the_next_waits() {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let first = raw::call(addr);
    stage.wait_line(server, "accepted a call from").unwrap();
    let mut second = raw::call(addr);
    second.write_all(&message(LIST)).unwrap();
    drop(first);
    assert!(receive(&mut second).starts_with(r#"{"status":"ok""#));
}

// The other framings.

#[test]
fn with_ack_anything_but_ready_ends_the_call() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--framing", "ack"]);
    let mut call = raw::call(addr);
    call.write_all(b"list").unwrap();
    call.read_exact(&mut [0; 2]).unwrap();
    call.write_all(b"hello").unwrap();
    stage.wait_line(server, "\"hello\" came where \"ready\" belongs").unwrap();
    assert_eq!(again(|| call.read(&mut [0])).unwrap(), 0);
    let mut next = raw::call(addr);
    next.write_all(b"list").unwrap();
    next.read_exact(&mut [0; 2]).unwrap();
}

#[rstest]
#[case::none("none", b"\xff\xfe\x00\x1b[31m", r#"received 8 bytes: "\xff\xfe\0\u{1b}[31m""#)]
#[case::header(
    "header",
    b"\0\0\0\x08\xff\xfe\x00\x1b[31m",
    r"received 4 + 8 bytes: \xff\xfe\0\u{1b}[31m"
)]
fn bytes_that_are_no_text_are_shown_escaped(
    #[case] framing: &str,
    #[case] said: &[u8],
    #[case] line: &str,
) {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--framing", framing]);
    let mut call = raw::call(addr);
    call.write_all(said).unwrap();
    assert_eq!(stage.wait_line(server, "received").unwrap(), line);
}

// The program.

#[rstest]
#[case::no_such_framing(&["--framing", "both"], "--framing")]
#[case::no_time(&["--timeout", "0"], "--timeout")]
#[case::negative_time(&["--timeout", "-1"], "--timeout")]
#[case::nothing_to_receive(&["--receive", "0"], "--receive")]
#[case::nothing_to_wait_for(&["--wait-for", "0"], "--wait-for")]
#[case::too_much_to_wait_for(&["--wait-for", "65537"], "--wait-for")]
#[case::an_argument_too_many(&["hello"], "hello")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    server().refuses(args, named);
}

/// A client that drips goes on with it while the server hangs up.
#[test]
fn a_client_that_drips_does_not_hold_the_end_of_its_call() {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let mut call = raw::call(addr);
    call.write_all(&[0xff; 4]).unwrap();
    let start = Instant::now();
    stage.deadline(Duration::from_millis(20));
    while stage.wait_line(server, "closed the connection").is_err() {
        assert!(start.elapsed() < Duration::from_secs(10));
        let _ = call.write_all(b"x");
    }
    stage.deadline(Duration::from_secs(10));
    lives_on(addr);
}
