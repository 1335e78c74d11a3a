//! The client as a server meets it.

use std::io::{Read, Write};

use house::raw::{self, again, closed_port, read, rest};
use rstest::rstest;
use scene::Ending;

use crate::lesson::{client, stage};

#[test]
fn it_says_hello_prints_the_answer_and_hangs_up() {
    let mut stage = stage();
    let (client, mut connection) = stage.called_by(&[]);
    assert_eq!(read(&connection, 5), b"hello");
    connection.write_all("你好".as_bytes()).unwrap();
    assert_eq!(rest(&connection), b"", "it hung up");
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(0));
    assert!(stage.lines(client).contains(&"received 6 bytes: \"你好\"".to_string()));
}

#[test]
fn it_tells_the_address_of_both_ends() {
    let mut stage = stage();
    let (client, connection) = stage.called_by(&[]);
    let connected = format!("connected to {}", connection.local_addr().unwrap());
    assert_eq!(stage.wait_line(client, "connected").unwrap(), connected);
    let from = format!("  from {}", connection.peer_addr().unwrap());
    assert_eq!(stage.wait_line(client, "from").unwrap(), from);
}

#[rstest]
#[case::colours(b"\x1b[31mred", r#"received 8 bytes: "\u{1b}[31mred""#)]
#[case::bytes_that_are_no_text(b"a\xff\x00", r#"received 3 bytes: "a\xff\0""#)]
#[case::a_line_end(b"a\nb", r#"received 3 bytes: "a\nb""#)]
#[case::no_half_character("你你你你你你你你你你你".as_bytes(), r#"received 33 bytes: "你你你你你你你你你你" …"#)]
fn what_no_screen_can_show_is_escaped(#[case] answer: &[u8], #[case] expected: &str) {
    let mut stage = stage();
    let (client, mut connection) = stage.called_by(&[]);
    connection.write_all(answer).unwrap();
    assert_eq!(stage.wait_line(client, "received").unwrap(), expected);
}

#[test]
fn a_server_that_hangs_up_without_an_answer_is_the_end_of_the_stream_and_a_failure() {
    let mut stage = stage();
    let (client, mut connection) = stage.called_by(&[]);
    connection.read_exact(&mut [0; 5]).unwrap();
    drop(connection);
    stage
        .wait_line(
            client,
            "end of stream before an answer; the server hung up: see what it said",
        )
        .unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn a_server_that_closes_with_bytes_unread_is_a_reset() {
    let mut stage = stage();
    let (client, connection) = stage.called_by(&[]);
    again(|| connection.peek(&mut [0])).unwrap();
    drop(connection);
    stage.wait_line(client, "connection reset by peer").unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn a_call_that_is_reset_at_once_is_one_line_with_a_way_out() {
    // Which call of the client meets the reset is not ours to say: it can be
    // any from getpeername on. So there are many clients.
    let (listener, addr) = raw::listener();
    for _ in 0..20 {
        let mut stage = stage();
        let client = stage.client(addr, &[]);
        raw::reset(raw::accept(&listener));
        let (ending, lines) = stage.ended(client);
        assert_eq!(ending, Ending::Status(1));
        let error = lines.last().unwrap();
        assert!(
            error.contains(&addr.to_string()) && error.contains("; "),
            "{lines:?}"
        );
    }
}

#[test]
fn where_a_port_is_bound_but_not_listened_on_it_is_refused() {
    let addr = closed_port().to_string();
    fails_with(&addr, &format!("connect {addr}: connection refused"));
}

#[rstest]
#[case::unreachable("127.255.255.255:8081", "connect 127.255.255.255:8081: network is unreachable")]
// A name with two dots in a row is looked up nowhere: no network can answer it.
#[case::unresolvable(
    "local..host:8081",
    "resolve local..host:8081: failed to lookup address information: name or service not known"
)]
fn a_call_that_cannot_be_made_is_named(#[case] addr: &str, #[case] expected: &str) {
    fails_with(addr, expected);
}

fn fails_with(addr: &str, start_of_line: &str) {
    let mut stage = stage();
    let client = stage.start_client(&["--addr", addr]);
    let error = stage.failure(client);
    assert!(error.starts_with(start_of_line), "{error}");
}

#[rstest]
#[case::nothing_to_say(&["--say", ""])]
#[case::two_things_to_say(&["--say", "a", "--say", "b"])]
fn wrong_usage_is_status_2(#[case] args: &[&str]) {
    client().refuses(args, "--say");
}
