//! What a ring promises to those who use it.

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use rstest::rstest;

use crate::os::ring::{Done, Ring, What};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (caller, listener.accept().unwrap().0)
}

#[rstest]
#[case::no_buffers(0, 64)]
#[case::no_power_of_two(3, 64)]
#[case::no_room(4, 0)]
fn a_pool_that_cannot_be_is_an_error(#[case] buffers: u16, #[case] room: usize) {
    let error = Ring::new(1, buffers, room).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// With one buffer the second message waits until the first is given back.
#[test]
fn a_buffer_is_received_into_again_when_it_is_given_back() {
    let (mut caller, line) = pair();
    let mut ring = Ring::new(1, 1, 3).unwrap();
    ring.enter(0, &line).unwrap();
    caller.write_all(b"onetwo").unwrap();
    let (mut said, mut results) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        if said.len() == 6 {
            break;
        }
        ring.receive(0);
        ring.hand_over_and_wait(Duration::from_secs(20)).unwrap();
        ring.results(&mut results);
        for Done { what, .. } in results.drain(..) {
            if let What::Received {
                result: Ok(Some(message)),
                ..
            } = what
            {
                said.extend_from_slice(message.bytes());
                ring.give_back(message);
            }
        }
    }
    assert_eq!(said, b"onetwo");
}

#[test]
#[should_panic(expected = "place 0 is sending")]
fn two_at_once_are_not_sent_on_one_line() {
    let (_caller, line) = pair();
    let mut ring = Ring::new(1, 1, 3).unwrap();
    ring.enter(0, &line).unwrap();
    ring.send(0, b"one".to_vec());
    ring.send(0, b"two".to_vec());
}
