//! The server as a caller meets it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use house::raw::{call, exchange, reset, rest};
use rstest::rstest;
use scene::Program;

use crate::common::{end_well, fresh};
use crate::lesson::{server, stage};

#[test]
fn by_default_it_takes_one_call_and_closes_its_listener_before_the_answer() {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &[]);
    let first = call(addr);
    stage.wait_line(server, "closed the listener").unwrap();
    assert!(TcpStream::connect(addr).is_err(), "nobody listens any more");
    let said = "a 你\u{0}".as_bytes();
    assert_eq!(exchange(&first, said), "A 你\u{0}".as_bytes());
    end_well(&mut stage, &[server]);
}

#[test]
fn a_caller_that_resets_its_call_ends_only_that_call() {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &["--calls", "2"]);
    let rude = call(addr);
    stage.wait_line(server, "accepted").unwrap();
    reset(rude);
    stage.wait_line(server, "recv from").unwrap();
    assert_eq!(exchange(&call(addr), b"hello"), b"HELLO");
    end_well(&mut stage, &[server]);
}

#[rstest]
#[case::when_the_server_is_to_close_first("server")]
#[case::when_the_client_is_to_close_first("client")]
fn a_caller_that_hangs_up_without_a_word_is_no_error(#[case] first: &str) {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &["--close-first", first]);
    drop(call(addr));
    stage.wait_line(server, "end of stream: the client hung up").unwrap();
    end_well(&mut stage, &[server]);
}

#[test]
fn when_the_client_is_to_close_first_it_waits_for_the_end_whatever_else_comes() {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &["--close-first", "client"]);
    let mut connection = call(addr);
    connection.write_all(b"hello").unwrap();
    connection.read_exact(&mut [0; 5]).unwrap();
    connection.write_all(&[b'x'; 100_000]).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    assert!(rest(&connection).is_empty(), "one message, one answer");
    stage.wait_line(server, "end of stream").unwrap();
    end_well(&mut stage, &[server]);
    assert_eq!(stage.lines(server).len(), 7, "{:?}", stage.lines(server));
}

/// In a namespace of users even root is nobody to the ports of this host.
#[test]
#[ignore = "needs namespaces"]
fn the_last_reserved_port_is_denied_with_a_way_out() {
    let setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free: u16 = std::fs::read_to_string(setting).unwrap().trim().parse().unwrap();
    let addr = format!("127.0.0.1:{}", first_free - 1);
    let mut stage = stage();
    let program = Program::new("unshare").args(["--user", server().executable(), "--addr", &addr]);
    let server = stage.start("server", &program).unwrap();
    let said = stage.failure(server);
    assert!(
        said.starts_with(&format!("bind {addr}: permission denied")),
        "{said}"
    );
    assert!(said.contains("1024 up"), "{said}");
}

#[rstest]
#[case::a_side_that_is_none(&["--close-first", "both"], "--close-first")]
#[case::no_call_at_all(&["--calls", "0"], "--calls")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    server().refuses(args, named);
}
