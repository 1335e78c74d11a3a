use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Peer;
use crate::fault::Fault;
use crate::ground::Sight;
use crate::story::Story;

/// A peer of ours, and a program on the other side that does this.
fn with<T: Send + 'static>(
    program: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (Peer, Story, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    let program = thread::spawn(move || program(theirs));
    let story = Story::new(Duration::from_secs(20));
    let sight = Rc::new(RefCell::new(Sight::blind()));
    let peer = Peer::new(stream, "we", &story, &sight).unwrap();
    (peer, story, program)
}

/// More than all buffers between two sockets hold.
fn much() -> Vec<u8> {
    (0..16 << 20).map(|i: u32| b'a' + (i % 26) as u8).collect()
}

#[test]
fn an_exchange_with_a_program_that_answers_all_and_takes_a_part_is_not_passed() {
    let (mut peer, _, program) = with(|mut stream| {
        stream.write_all(b"ANSWER").unwrap();
        let mut piece = [0; 10];
        stream.read_exact(&mut piece).unwrap();
        // Closed with bytes unread: a reset.
    });
    let exchanged = peer.exchange(&much(), b"ANSWER");
    assert!(matches!(exchanged, Err(Fault::Program(_))), "{exchanged:?}");
    program.join().unwrap();
}

/// What the program reads when we are gone.
fn waits(mut stream: TcpStream) -> Result<usize, ErrorKind> {
    stream.read(&mut [0]).map_err(|error| error.kind())
}

#[test]
fn a_peer_that_is_dropped_hangs_up_with_the_next_step() {
    let (peer, story, program) = with(waits);
    drop(peer);
    story.step("the check goes on");
    assert_eq!(program.join().unwrap(), Ok(0));
}

#[test]
fn after_the_verdict_a_dropped_peer_stays_open_until_the_programs_have_ended() {
    let (peer, story, program) = with(|stream| {
        let short = Some(Duration::from_millis(50));
        let again = stream.try_clone().unwrap();
        stream.set_read_timeout(short).unwrap();
        let first = waits(stream);
        again.set_read_timeout(None).unwrap();
        (first, waits(again))
    });
    story.dropped().keep();
    drop(peer);
    // As the bench does it while it waits for the last words.
    story.wait(Duration::ZERO);
    thread::sleep(Duration::from_millis(100));
    story.dropped().reset();
    let read = program.join().unwrap();
    assert_eq!(
        read,
        (Err(ErrorKind::WouldBlock), Err(ErrorKind::ConnectionReset))
    );
}

/// Tries to receive again and again, so that it misses no moment.
fn awake(mut stream: TcpStream) -> (Vec<u8>, std::io::Result<usize>) {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 100];
    loop {
        match stream.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            received => return (buffer[..received.unwrap()].to_vec(), stream.read(&mut [0])),
        }
    }
}

#[test]
fn the_end_of_the_stream_is_there_as_soon_as_the_last_bytes() {
    for _ in 0..100 {
        let (mut peer, story, program) = with(awake);
        peer.send_last(b"over").unwrap();
        let (bytes, then) = program.join().unwrap();
        assert_eq!(bytes, b"over");
        assert_eq!(then.expect("no wait for the end"), 0);
        assert_eq!(story.steps().len(), 2, "{:?}", story.steps());
    }
}
