//! What programs make of calls that are changed.

use std::io::Write;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};

use rstest::rstest;
use sources::calls::errno::{ECONNABORTED, ECONNRESET, EINTR, EMFILE};
use sources::calls::{Calls, Change, Tracing, Which, channel};
use tempfile::TempDir;
use timeline::Ending;
use timeline::call::{Arg, Changed, Outcome};

use super::stage::{Call, FIRST, SECOND, Stage, client, first_line, listener, piped, talk};

const SIGUSR1: i32 = 10;
const SIGWINCH: i32 = 28;

fn changing(changes: impl Into<Vec<Change>>) -> Tracing {
    let changes = changes.into();
    Tracing {
        changes,
        ..Tracing::default()
    }
}

fn stage(changes: impl Into<Vec<Change>>) -> Stage {
    Stage::with(changing(changes))
}

/// Both kinds of calls that can be cut.
fn cut(most: u64) -> Vec<Change> {
    vec![
        Change::cut(Calls::Receive, most),
        Change::cut(Calls::Send, most),
    ]
}

/// A talk of a Python program with itself, to its end.
fn played(name: &str, changes: impl Into<Vec<Change>>) -> (Stage, Ending) {
    let mut stage = stage(changes);
    let mut command = talk("changed");
    command.arg(name);
    stage.start(FIRST, command);
    let ending = stage.ending(FIRST);
    (stage, ending)
}

/// One that ends well all the same.
fn played_well(name: &str, changes: impl Into<Vec<Change>>) -> Stage {
    let (stage, ending) = played(name, changes);
    assert_eq!(ending, Ending::Status(0));
    stage
}

fn changed(stage: &Stage) -> Vec<Call> {
    let calls = stage.calls().into_iter();
    calls.filter(|call| call.start.changed.is_some()).collect()
}

/// A C program, and the folder that it is in.
fn compiled(name: &str) -> (TempDir, Command) {
    let folder = tempfile::tempdir().expect("there is room");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/talks");
    let program = folder.path().join(name);
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Werror", "-o"])
        .arg(&program)
        .arg(source.join(format!("{name}.c")))
        .status();
    assert!(status.expect("a C compiler is installed").success());
    (folder, Command::new(program))
}

/// Our end of a TCP connection, and the one that a program gets as its input.
fn connection() -> (TcpStream, Stdio) {
    let (listener, address) = listener();
    let ours = TcpStream::connect(address).expect("it listens");
    let (theirs, _) = listener.accept().expect("it has called");
    (ours, Stdio::from(OwnedFd::from(theirs)))
}

#[test]
fn programs_that_loop_notice_nothing_of_short_reads_and_writes() {
    let mut stage = stage(cut(1));
    stage.server_and_client();
    let mut moved = [0, 0];
    for call in changed(&stage) {
        assert_eq!(call.start.changed, Some(Changed::CutTo(1)));
        let count = call.returned().expect("it has not failed");
        assert!((0..=1).contains(&count), "{call:?}");
        moved[call.actor.0] += count;
    }
    // Five bytes there and back. The server has room for more at each receive, and
    // sends single bytes; the last of five bytes needs no cut.
    assert_eq!(moved, [5, 4 + 4]);
}

#[test]
fn the_arguments_that_are_told_are_those_of_the_program() {
    let mut stage = stage(cut(1));
    stage.server_and_client();
    let received = stage.call(FIRST, "recvfrom");
    assert_eq!(received.start.args[1], Arg::Room(64));
    assert_eq!(received.returned(), Some(1));
}

#[test]
fn only_the_program_that_is_named_is_changed() {
    let mut stage = stage([Change::cut(Calls::Send, 2).of(SECOND)]);
    stage.server_and_client();
    let sent: Vec<_> = changed(&stage)
        .iter()
        .map(|call| (call.actor, call.returned()))
        .collect();
    assert_eq!(sent, [(SECOND, Some(2)), (SECOND, Some(2))]);
}

#[test]
fn a_program_that_begins_again_after_a_signal_gets_its_caller_and_its_data() {
    let mut stage = stage([
        Change::fail(Calls::Accept, Which::Nth(1), EINTR),
        // `read_exact` begins again; `read`, with which the server receives, does not.
        Change::fail(Calls::Receive, Which::Nth(1), EINTR).of(SECOND),
    ]);
    stage.server_and_client();
    let mut accepts = stage.calls();
    accepts.retain(|call| call.start.name == "accept4");
    assert_eq!(accepts.len(), 2);
    let Outcome::Failed(told) = accepts[0].outcome() else {
        panic!("{:?}", accepts[0]);
    };
    assert_eq!(told.name.as_deref(), Some("EINTR"));
    let forced = Changed::Failed(told.clone());
    assert_eq!(accepts[0].start.changed, Some(forced));
    assert_eq!(accepts[1].start.changed, None);
    assert!(accepts[1].returned().is_some());
    assert_eq!(changed(&stage).len(), 2);
}

#[test]
fn changes_can_be_made_while_the_program_runs() {
    let mut stage = Stage::new();
    let mut server = stage.start(FIRST, piped("server"));
    let address = first_line(&mut server);
    let mut ours = TcpStream::connect(address).expect("it listens");
    let waiting = stage.until_call("recvfrom");
    let reset = Change::fail(Calls::Receive, Which::Nth(1), ECONNRESET);
    stage.tracer.change(vec![reset]).expect("it makes sense");
    ours.write_all(b"hello").expect("it is connected");
    stage.until_end(waiting);
    // The server ends with an error, as it treats no failure.
    assert_eq!(stage.ending(FIRST), Ending::Status(1));
    let [failed] = &changed(&stage)[..] else {
        panic!("one call is changed: {:#?}", stage.calls());
    };
    assert_eq!(failed.start.name, "recvfrom");
}

#[test]
fn a_held_call_is_changed_too() {
    let mut stage = Stage::holding();
    stage.tracer.change(cut(2)).expect("it makes sense");
    let (_listener, address) = listener();
    stage.start(FIRST, client(address));
    let send = loop {
        let call = stage.until_held();
        if stage.calls().last().expect("it is held").start.name == "sendto" {
            break call;
        }
        stage.tracer.go(call).expect("the tracer works");
    };
    stage.tracer.go(send).expect("the tracer works");
    stage.until_end(send);
    assert_eq!(stage.call(FIRST, "sendto").returned(), Some(2));
}

#[test]
fn a_change_that_makes_no_sense_is_refused() {
    let end_of_stream = vec![Change::cut(Calls::Receive, 0)];
    let error = channel(changing(end_of_stream.clone()))
        .map(drop)
        .expect_err("0 bytes are the end");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let error = Stage::new().tracer.change(end_of_stream);
    let error = error.expect_err("0 bytes are the end");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[rstest]
#[case::a_byte_each("loops", cut(1))]
#[case::some_bytes_each("loops", cut(7))]
#[case::between_programs_of_one_host("loops on unix", cut(7))]
#[case::threads("threads", cut(100))]
#[case::children("forks", cut(100))]
#[case::within_a_buffer("vectors", cut(1))]
#[case::at_the_end_of_a_buffer("vectors", cut(2))]
#[case::behind_a_buffer("vectors", cut(3))]
#[case::in_the_last_buffer("vectors", cut(7))]
#[case::longer_than_all("vectors", cut(100))]
#[ignore = "needs python3"]
fn what_is_cut_arrives_whole(#[case] name: &str, #[case] changes: Vec<Change>) {
    let Change { how, .. } = changes[0];
    let stage = played_well(name, changes);
    let sources::calls::How::CutTo(most) = how else {
        panic!("these are cuts");
    };
    for call in changed(&stage) {
        let count = call.returned().expect("it has not failed");
        assert!((0..=most as i64).contains(&count), "{call:?}");
    }
    assert_eq!(changed(&stage).is_empty(), most == 100 && name == "vectors");
}

#[rstest]
#[case("receives once")]
#[case("sends once")]
#[ignore = "needs python3"]
fn a_program_that_does_not_loop_gets_less(#[case] name: &str) {
    assert_eq!(played(name, []).1, Ending::Status(0));
    assert_eq!(played(name, cut(1)).1, Ending::Status(1));
}

#[rstest]
#[case("datagrams", cut(1))]
// Sends are not cut here: these talks send first, in one piece.
#[case("peeks and waits for all", vec![Change::cut(Calls::Receive, 1)])]
#[case("edges", vec![Change::cut(Calls::Receive, 1)])]
#[case("events", vec![Change::cut(Calls::Receive, 1)])]
#[ignore = "needs python3"]
fn what_would_lose_something_is_left_alone(#[case] name: &str, #[case] changes: Vec<Change>) {
    let stage = played_well(name, changes);
    assert!(changed(&stage).is_empty(), "{:#?}", changed(&stage));
}

#[test]
#[ignore = "needs python3"]
fn descriptors_that_are_passed_arrive() {
    let stage = played_well("passes descriptors", cut(3));
    let [call] = &changed(&stage)[..] else {
        panic!("one call is changed: {:#?}", stage.calls());
    };
    assert_eq!(call.start.name, "recvmsg");
}

#[test]
#[ignore = "needs python3"]
fn files_and_pipes_are_left_alone_beside_sockets() {
    let stage = played_well("files and pipes", cut(3));
    assert!(!changed(&stage).is_empty());
}

#[rstest]
#[case("resets", vec![Change::fail(Calls::Receive, Which::Nth(2), ECONNRESET)])]
#[case("stays reset", vec![Change::fail(Calls::Receive, Which::From(2), ECONNRESET)])]
#[case("would wait", vec![Change::fail(Calls::Receive, Which::Nth(2), ECONNRESET)])]
#[case("accepts after failures", vec![
    Change::fail(Calls::Accept, Which::Nth(1), EMFILE),
    Change::fail(Calls::Accept, Which::Nth(2), ECONNABORTED),
])]
#[ignore = "needs python3"]
fn the_call_with_this_number_fails_and_no_other(#[case] name: &str, #[case] changes: Vec<Change>) {
    assert_eq!(played(name, []).1, Ending::Status(1));
    assert_eq!(played(name, changes).1, Ending::Status(0));
}

#[test]
#[ignore = "needs python3"]
fn calls_of_a_whole_program_can_be_counted() {
    let second = Change::fail(Calls::Receive, Which::Nth(4), ECONNRESET).in_the_program();
    // Three on the first connection, so it is the first one on the second.
    let (stage, ending) = played("resets", [second]);
    assert_eq!(ending, Ending::Status(1));
    assert!(changed(&stage).is_empty());
    let first = Change::fail(Calls::Receive, Which::Nth(2), ECONNRESET).in_the_program();
    let (stage, ending) = played("resets", [first]);
    assert_eq!(ending, Ending::Status(1));
    assert_eq!(changed(&stage).len(), 1);
}

#[test]
#[ignore = "needs python3"]
fn waiting_begins_again_after_a_signal() {
    let every = Change::fail(Calls::Wait, Which::Every(2), EINTR);
    let stage = played_well("waits", [every]);
    let waits =
        |call: &Call| ["poll", "select", "pselect6", "epoll_wait"].contains(&&*call.start.name);
    let outcomes: Vec<_> = stage
        .calls()
        .iter()
        .filter(|call| waits(call))
        .map(|call| matches!(call.outcome(), Outcome::Failed(_)))
        .collect();
    assert_eq!(outcomes, [false, true, false, true, false]);
}

#[test]
#[ignore = "needs python3"]
fn a_loop_of_events_begins_again_after_a_signal() {
    let every = Change::fail(Calls::Wait, Which::Every(2), EINTR);
    let stage = played_well("events", [every]);
    assert!(!changed(&stage).is_empty());
}

#[rstest]
#[case::cut("is cut", cut(1))]
#[case::failed("fails", vec![Change::fail(Calls::Receive, Which::Nth(1), ECONNRESET)])]
#[ignore = "needs a C compiler"]
fn registers_and_memory_are_as_the_program_left_them(
    #[case] name: &str,
    #[case] changes: Vec<Change>,
) {
    let (_folder, mut command) = compiled("untouched");
    let (mut ours, theirs) = connection();
    ours.write_all(b"hello, hello").expect("it is connected");
    command.arg(name).stdin(theirs).stdout(Stdio::null());
    let mut stage = stage(changes);
    stage.start(FIRST, command);
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
}

#[rstest]
#[case::ignored(SIGWINCH)]
#[case::with_a_handler_that_restarts(SIGUSR1)]
#[ignore = "needs a C compiler"]
fn a_cut_call_that_a_signal_interrupts_is_cut_again_and_counts_once(#[case] signal: i32) {
    let (_folder, mut command) = compiled("stubborn");
    let (mut ours, theirs) = connection();
    command.stdin(theirs).stdout(Stdio::null());
    // Only the call that is interrupted and the three after it: the fifth gets
    // what is left, one byte.
    let first = |number| Change {
        which: Which::Nth(number),
        ..Change::cut(Calls::Receive, 1)
    };
    let mut stage = stage((1..=4).map(first).collect::<Vec<_>>());
    stage.start(FIRST, command);
    let waiting = stage.until_call("recvfrom");
    stage.tracer.signal(FIRST, signal).expect("it runs");
    stage.until_end(waiting);
    ours.write_all(b"hello").expect("it is connected");
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    let calls = stage.calls();
    assert!(matches!(calls[0].outcome(), Outcome::Interrupted(_)));
    assert_eq!(calls[1].start.resumes, Some(waiting));
    let cut: Vec<_> = calls
        .iter()
        .map(|call| call.start.changed.is_some())
        .collect();
    assert_eq!(cut, [true, true, true, true, true, false]);
}
