//! The scale of patience: what the lesson says about it, on sockets of our own,
//! and what its experiments print.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use house::raw::PATIENCE;
use scene::{Ending, Program, Stage};
use socket2::SockRef;

const LESSON: &str = env!("CARGO_BIN_EXE_lesson-5");

const TIMEOUT: Duration = Duration::from_millis(100);

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (theirs, _) = listener.accept().unwrap();
    (ours, theirs)
}

#[test]
fn std_refuses_a_timeout_of_zero() {
    let (ours, _theirs) = pair();
    let refusals = [
        ours.set_read_timeout(Some(Duration::ZERO)),
        ours.set_write_timeout(Some(Duration::ZERO)),
        TcpStream::connect_timeout(&ours.local_addr().unwrap(), Duration::ZERO).map(drop),
    ];
    for refusal in refusals {
        assert_eq!(refusal.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}

/// Forever cannot be awaited. That the kernel took it for "no timeout" is what
/// it says itself, and a receive is still waiting when the peer speaks at last.
#[test]
fn socket2_takes_a_timeout_of_zero_for_ever() {
    for zero in [Duration::ZERO, Duration::from_nanos(999)] {
        let (mut ours, mut theirs) = pair();
        ours.set_read_timeout(Some(TIMEOUT)).unwrap();
        SockRef::from(&ours).set_read_timeout(Some(zero)).unwrap();
        let timeout = ours.read_timeout().unwrap();
        assert_eq!(timeout, None, "{zero:?} has taken the timeout away");

        let (sender, receiver) = mpsc::channel();
        let waiting = thread::spawn(move || {
            let _ = sender.send(ours.read(&mut [0; 8]));
        });
        let early = receiver.recv_timeout(TIMEOUT);
        assert!(early.is_err(), "it did not wait: {early:?}");
        theirs.write_all(b"hello").unwrap();
        let late = receiver.recv_timeout(PATIENCE).unwrap();
        assert_eq!(late.unwrap(), 5);
        waiting.join().unwrap();
    }
}

#[test]
fn std_rounds_a_shorter_time_than_the_kernel_knows_up() {
    let (mut ours, _theirs) = pair();
    ours.set_read_timeout(Some(Duration::from_nanos(1))).unwrap();
    assert!(ours.read_timeout().unwrap().is_some(), "not for ever");
    assert!(ours.read(&mut [0]).is_err());
}

#[test]
fn a_write_all_whose_timeout_passes_gives_an_error_and_no_number() {
    let (mut ours, _theirs) = pair();
    SockRef::from(&ours).set_send_buffer_size(64 * 1024).unwrap();
    ours.set_write_timeout(Some(TIMEOUT)).unwrap();
    let error = ours.write_all(&[0; 4 * 1024 * 1024]).unwrap_err().kind();
    let expected = if cfg!(windows) {
        ErrorKind::TimedOut
    } else {
        ErrorKind::WouldBlock
    };
    assert_eq!(error, expected);
}

/// What an experiment prints, without the times.
fn outcomes(experiment: &str) -> Vec<String> {
    let mut stage = Stage::rehearsal();
    let scale = Program::new(LESSON).args(["scale", experiment]);
    let scale = stage.start("scale", &scale).unwrap();
    assert_eq!(stage.wait_exit(scale).unwrap(), Ending::Status(0));
    let rows = stage.lines(scale);
    let rows = rows.iter().map(|row| {
        let words: Vec<&str> = row.split_whitespace().collect();
        let time = |word: &&str| word.len() == 5 && word.parse::<f64>().is_ok();
        match words.iter().position(time) {
            Some(at) => format!("{}: {}", words[..at].join(" "), words[at + 2..].join(" ")),
            None => row.clone(),
        }
    });
    rows.collect()
}

#[cfg(unix)]
#[test]
fn the_send_experiment_shows_that_only_a_blocking_send_takes_all() {
    let rows = outcomes("send");
    let taken = |row: usize, mode: &str| -> usize {
        let row = rows[row].strip_prefix(mode).unwrap_or_else(|| panic!("{rows:?}"));
        let words: Vec<&str> = row.split(' ').collect();
        assert_eq!(words[1..], ["of", "4194304", "bytes"], "{rows:?}");
        words[0].parse().unwrap()
    };
    for part in [taken(1, "non-blocking: "), taken(2, "timeout 0.2 s: ")] {
        assert!(part > 0 && part < 4_194_304, "a part: {rows:?}");
    }
    assert_eq!(rows[3], "and the rest: WouldBlock");
    assert_eq!(taken(4, "blocking: "), 4_194_304, "all");
}

#[test]
fn an_experiment_that_is_none_is_wrong_usage() {
    let mut stage = Stage::rehearsal();
    let scale = Program::new(LESSON).args(["scale", "love"]);
    let scale = stage.start("scale", &scale).unwrap();
    stage.wait_line(scale, "receive, zero, connect, send").unwrap();
    assert_eq!(stage.wait_exit(scale).unwrap(), Ending::Status(2));
}
