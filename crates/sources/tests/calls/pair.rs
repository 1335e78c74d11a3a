//! Which calls are seen, with what.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use sources::calls::{Deed, Tracing};
use timeline::Ending;
use timeline::call::{Address, Arg, Bytes, Outcome, Output};

use super::stage::{Call, FIRST, SECOND, Stage, client, first_line, listener, part, piped};

fn bytes(text: &str) -> Bytes {
    Bytes {
        first: text.into(),
        length: text.len() as u64,
    }
}

/// A server and a client, to their ends.
fn talk() -> Stage {
    let mut stage = Stage::new();
    stage.server_and_client();
    stage
}

#[test]
fn a_server_and_a_client_show_their_calls_in_order() {
    let stage = talk();
    let server =
        "socket setsockopt bind listen getsockname accept4 close recvfrom sendto recvfrom close";
    assert_eq!(stage.names(FIRST), server);
    assert_eq!(stage.names(SECOND), "socket connect sendto recvfrom close");
}

#[test]
fn what_was_sent_is_what_was_received() {
    let stage = talk();
    let received = stage.call(FIRST, "recvfrom");
    assert_eq!(received.start.args[1], Arg::Room(64));
    assert_eq!(received.returned(), Some(5));
    let end = received.end.expect("it has ended").1;
    assert_eq!(end.outputs, [Output::Bytes(bytes("hello"))]);
    let sent = stage.call(SECOND, "sendto");
    assert_eq!(sent.start.args[1], Arg::Bytes(bytes("hello")));
}

#[test]
fn the_end_of_a_stream_is_a_receive_of_nothing() {
    let stage = talk();
    let last = stage
        .calls()
        .into_iter()
        .rfind(|call| call.actor == FIRST && call.start.name == "recvfrom");
    let last = last.expect("the server receives");
    assert_eq!(last.returned(), Some(0));
    assert_eq!(
        last.end.expect("it has ended").1.outputs,
        [Output::Bytes(bytes(""))]
    );
}

#[test]
fn accept_tells_who_has_come_and_which_socket_it_has_made() {
    let stage = talk();
    let accept = stage.call(FIRST, "accept4");
    let end = accept.end.expect("it has ended").1;
    let Some(Output::Address(Address::Ip(peer))) = end.outputs.first() else {
        panic!("no address: {end:?}");
    };
    assert!(peer.ip().is_loopback());
    let (descriptor, made) = end.sockets.first().expect("a new socket");
    assert_eq!(end.outcome, Outcome::Returned((*descriptor).into()));
    assert_eq!(made.protocol.as_deref(), Some("TCP"));
    let received = stage.call(FIRST, "recvfrom");
    assert_eq!(received.start.socket.as_ref(), Some(made));
    let listening = accept.start.socket.expect("a listening socket");
    assert_ne!(listening.inode, made.inode);
}

#[test]
fn what_one_side_waits_for_lies_within_its_waiting() {
    let stage = talk();
    let (connect, accept) = (stage.call(SECOND, "connect"), stage.call(FIRST, "accept4"));
    let (send, receive) = (stage.call(SECOND, "sendto"), stage.call(FIRST, "recvfrom"));
    let end = |call: &Call| call.end.as_ref().expect("it has ended").0;
    assert!(connect.begin < end(&accept));
    assert!(send.begin < end(&receive));
    assert!(end(&connect) > connect.begin);
}

#[test]
fn a_call_that_waits_hides_none_of_another_thread() {
    let mut stage = Stage::new();
    let mut program = stage.start(FIRST, piped("threads"));
    let address = first_line(&mut program);
    let accept = stage.until_call("accept4");
    let mut stdin = program.stdin.take().expect("its stdin is a pipe");
    stdin.write_all(b"x").expect("it reads");
    let receive = stage.until_call("recvfrom");
    stage.until_end(receive);
    let client = TcpStream::connect(address).expect("it listens");
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    drop(client);
    let calls = stage.calls();
    let waits = calls.iter().find(|call| call.start.id == accept);
    let waits = waits.expect("it has begun");
    let returned = waits.end.as_ref().expect("it has returned").0;
    for name in ["sendto", "recvfrom"] {
        let call = stage.call(FIRST, name);
        assert_ne!(call.start.tid, waits.start.tid);
        assert_eq!(call.returned(), Some(9), "{name}");
        let ended = call.end.as_ref().expect("it has returned").0;
        assert!(waits.begin < call.begin && ended < returned, "{name}");
    }
}

#[test]
fn a_program_that_talks_on_0_and_1_is_seen() {
    let mut stage = Stage::new();
    let mut program = stage.start(FIRST, piped("superserver"));
    let mut client = TcpStream::connect(first_line(&mut program)).expect("it listens");
    client.write_all(b"hello").expect("it is connected");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers");
    assert_eq!(answer, "hello");
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    let (read, write) = (stage.call(FIRST, "read"), stage.call(FIRST, "write"));
    assert_eq!(read.start.args[0], Arg::Descriptor(0));
    assert_eq!(
        write.start.args[..],
        [Arg::Descriptor(1), Arg::Bytes(bytes("hello"))]
    );
    let pid = stage.call(FIRST, "accept4").start.pid;
    assert_ne!(read.start.pid, pid, "a child has read");
    assert_eq!(read.start.socket, write.start.socket);
}

#[test]
fn a_socket_as_output_is_shown() {
    let mut stage = Stage::new();
    let (_ours, programs) = UnixDatagram::pair().expect("there are descriptors");
    let mut command = part("say hello");
    command.stdout(OwnedFd::from(programs));
    stage.start(FIRST, command);
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    // Before main, the program looks whether 0, 1 and 2 are open.
    assert_eq!(stage.names(FIRST), "poll write");
}

#[test]
fn only_the_first_bytes_are_kept() {
    let keep = 2;
    let mut stage = Stage::with(Tracing {
        keep,
        ..Default::default()
    });
    let (listener, address) = listener();
    stage.start(FIRST, client(address));
    let (mut stream, _) = listener.accept().expect("it connects");
    stream.write_all(b"world").expect("it is connected");
    assert_eq!(stage.ending(FIRST), Ending::Status(0));
    let sent = stage.call(FIRST, "sendto");
    let expected = Bytes {
        length: 5,
        ..bytes("he")
    };
    assert_eq!(sent.start.args[1], Arg::Bytes(expected));
}

#[test]
fn a_refused_connection_says_so() {
    let (_, address) = listener();
    let mut stage = Stage::new();
    let mut client = client(address);
    client.stderr(Stdio::null());
    stage.start(FIRST, client);
    assert_eq!(stage.ending(FIRST), Ending::Status(1));
    let connect = stage.call(FIRST, "connect");
    assert_eq!(connect.start.args[1], Arg::Address(Address::Ip(address)));
    let Outcome::Failed(errno) = connect.outcome() else {
        panic!("{connect:?}");
    };
    assert_eq!(
        (errno.number, errno.name.as_deref()),
        (111, Some("ECONNREFUSED"))
    );
}

#[test]
fn the_program_that_begins_is_named() {
    let mut stage = Stage::new();
    stage.start(FIRST, part("say hello"));
    stage.ending(FIRST);
    let path = fs::canonicalize(env!("CARGO_BIN_EXE_calls-part")).expect("it is there");
    let expected = Deed::Started {
        path: path.display().to_string(),
        seen: true,
    };
    assert_eq!(stage.events[0].what, expected);
}
