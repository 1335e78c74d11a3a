//! What the server does with the datagrams that come to it.

use rstest::rstest;
use scene::{Ending, Program};

use crate::common::{ask, heard_nothing, socket};
use crate::lesson::{server, stage};

#[test]
fn one_send_is_one_receive_also_when_datagrams_had_to_wait() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--hold", "--reply", "none"]);
    let caller = socket();
    let lengths = [1, 1000, 0, 0, 7, 3];
    for length in lengths {
        caller.send_to(&vec![b'x'; length], addr).unwrap();
    }
    caller.send_to(b"bye", addr).unwrap();
    stage.wait_line(server, "not yet receiving").unwrap();
    assert_eq!(stage.lines(server).len(), 2, "nothing is received yet");
    stage.tell(server, "").unwrap();
    let (_, lines) = stage.ended(server);
    let received = lines.iter().filter_map(|line| line.strip_prefix("received "));
    let received: Vec<&str> = received.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(received, ["1", "1000", "0", "0", "7", "3", "3"]);
    assert!(
        heard_nothing(&caller),
        "with --reply none nothing is answered"
    );
}

#[rstest]
#[case::with_1024_by_default(&[], 1024)]
#[case::with_8(&["--buffer", "8"], 8)]
#[case::with_1(&["--buffer", "1"], 1)]
fn what_does_not_fit_the_buffer_is_gone(#[case] args: &[&str], #[case] room: usize) {
    let mut stage = stage();
    let (_, addr) = stage.server(args);
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

#[cfg(target_os = "linux")]
#[test]
fn when_the_receive_queue_is_full_datagrams_are_lost_and_no_send_fails() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--hold", "--reply", "none"]);
    let caller = socket();
    // More than a queue of the largest size that a system may give by default.
    let room = std::fs::read_to_string("/proc/sys/net/core/rmem_default").unwrap();
    let room: usize = room.trim().parse().unwrap();
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

/// The server, with receives that fail.
fn failing(errors: &str) -> Program {
    let program = Program::new("strace").args(["--quiet=all", "--output=/dev/null"]);
    let program = program.args([format!("--inject=recvfrom:error={errors}")]);
    program.args([server().executable(), "--addr", "127.0.0.1:0"])
}

#[test]
#[ignore = "needs strace"]
fn a_receive_that_fails_ends_nothing() {
    let mut stage = stage();
    let server = stage.start("server", &failing("ECONNREFUSED:when=1..3")).unwrap();
    let addr = stage.ready(server).unwrap();
    assert_eq!(ask(&socket(), addr, b"still here?"), b"still here?");
    for _ in 0..3 {
        let line = stage.wait_line(server, "recvfrom on").unwrap();
        assert!(line.contains("connection refused"), "{line}");
        assert!(line.ends_with("goes on with the next datagram"), "{line}");
    }
    assert_eq!(ask(&socket(), addr, b"and now?"), b"and now?");
    socket().send_to(b"bye", addr).unwrap();
    assert!(stage.ended(server).0.success());
}

#[test]
#[ignore = "needs strace"]
fn receives_that_fail_again_and_again_end_it_with_status_1() {
    let mut stage = stage();
    let server = stage.start("server", &failing("ENETDOWN")).unwrap();
    let (ending, lines) = stage.ended(server);
    assert_eq!(ending, Ending::Status(1));
    assert!(lines.last().unwrap().starts_with("recvfrom again and again on"));
}

#[test]
#[ignore = "needs python3 and the right to send raw packets"]
fn a_sender_without_a_port_cannot_be_answered_and_ends_nothing() {
    let mut stage = stage();
    let (server, addr) = stage.server(&[]);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/python/from_port_zero.py"
    );
    let program = Program::new("python3").args([script, &addr.port().to_string()]);
    let sender = stage.start("sender", &program).unwrap();
    let (ending, lines) = stage.ended(sender);
    assert!(ending.success(), "{lines:?}");
    let error = stage.wait_line(server, "sendto 127.0.0.1:0").unwrap();
    assert!(error.contains("port 0 is nobody's"), "{error}");
    assert_eq!(ask(&socket(), addr, b"still here?"), b"still here?");
}

#[test]
fn a_held_server_goes_on_when_its_input_ends() {
    let mut stage = stage();
    let (server, addr) = stage.server(&["--hold"]);
    stage.end_input(server);
    assert_eq!(ask(&socket(), addr, b"hello"), b"hello");
}

#[cfg(target_os = "linux")]
#[test]
fn one_port_on_two_addresses_is_two_programs() {
    let mut stage = stage();
    let (_, echo) = stage.server(&[]);
    // On Linux, all of 127.0.0.0/8 is this host.
    let other = format!("127.0.0.2:{}", echo.port());
    let (_, upper) = stage.server_at(&other, &["--reply", "upper"]);
    let caller = socket();
    assert_eq!(ask(&caller, echo, b"hi"), b"hi");
    assert_eq!(ask(&caller, upper, b"hi"), b"HI");
}

#[rstest]
#[case::an_unknown_reply(&["--reply", "shout"], "--reply")]
#[case::an_unknown_encoding(&["--encoding", "latin-1"], "--encoding")]
#[case::no_room_at_all(&["--buffer", "0"], "--buffer")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    server().refuses(args, named);
}
