//! The client as a server meets it.

use std::io::{Read, Write};
use std::net::TcpStream;

use house::Rehearsal;
use house::raw::again;
use rstest::rstest;
use scene::{Actor, Ending};

use crate::common::{end_well, fresh};
use crate::lesson::{client, stage};

/// A server of our own has taken the client's call, and heard its "hello".
fn hello(stage: &mut Rehearsal, first: &str) -> (Actor, TcpStream) {
    let (client, mut connection) = stage.called_by(&["--close-first", first, "--say", "hello"]);
    connection.read_exact(&mut [0; 5]).unwrap();
    (client, connection)
}

#[test]
fn it_makes_one_call_per_message() {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &["--calls", "3"]);
    let said = ["--say", "one", "--say", "two", "--say", "quit"];
    let client = stage.client(addr, &said);
    end_well(&mut stage, &[client, server]);
    for answer in ["ONE", "TWO", "QUIT"] {
        let expected = format!("received {} bytes: {answer:?}", answer.len());
        assert!(stage.lines(client).contains(&expected));
    }
}

#[test]
fn when_it_is_to_close_first_it_closes_once_its_answer_is_complete() {
    let mut stage = stage();
    let (client, mut connection) = hello(&mut stage, "client");
    connection.write_all(b"HE").unwrap();
    stage.wait_line(client, "received 2 bytes").unwrap();
    connection.write_all(b"LLO").unwrap();
    stage.wait_line(client, "received 3 bytes").unwrap();
    stage.wait_line(client, "closing the connection").unwrap();
    assert_eq!(
        again(|| connection.read(&mut [0])).unwrap(),
        0,
        "it hung up"
    );
    end_well(&mut stage, &[client]);
}

#[rstest]
fn a_server_that_hangs_up_early_is_the_end_of_the_stream_and_a_failure(
    #[values("server", "client")] first: &str,
    #[values("", "HE")] answer: &str,
) {
    let mut stage = stage();
    let (client, mut connection) = hello(&mut stage, first);
    connection.write_all(answer.as_bytes()).unwrap();
    let addr = connection.local_addr().unwrap();
    drop(connection);
    let expected = format!(
        "recv from {addr}: end of stream after {} of 5 bytes; the server hung up",
        answer.len()
    );
    stage.wait_line(client, &expected).unwrap();
    assert_eq!(stage.wait_exit(client).unwrap(), Ending::Status(1));
}

#[test]
fn of_more_than_the_server_receives_it_waits_for_no_answer_before_it_closes_first() {
    let mut stage = stage();
    let (server, addr) = stage.server_at(&fresh(), &["--close-first", "client"]);
    let long = "x".repeat(2000);
    let said = ["--close-first", "client", "--say", &long];
    let client = stage.client(addr, &said);
    stage.wait_line(client, "closing the connection").unwrap();
    end_well(&mut stage, &[client, server]);
}

#[rstest]
#[case::nothing_to_say(&["--say", ""], "--say")]
#[case::nobody_closes_first(&["--close-first", "nobody"], "--close-first")]
fn wrong_usage_is_status_2(#[case] args: &[&str], #[case] named: &str) {
    client().refuses(args, named);
}
