//! What a crowd must notice.

use check::{Bench, Launch, Peer, Tested, Verdict};

/// One client of a crowd says one thing, and our server answers as told.
fn answered(bench: &mut Bench, answer: impl Fn(&[u8]) -> Vec<u8>) -> Verdict<Tested> {
    bench.tell("clients", "1");
    bench.tell("messages", "1");
    let ours = bench.listen()?;
    let client = bench.start(Launch::client().input("hello\n"))?;
    let mut call = bench.accept(&ours, &client)?;
    let message = call.receive_some("a message of the crowd")?;
    call.send(&answer(&message.to_ascii_uppercase()))?;
    call.hang_up();
    Ok(client)
}

pub fn crowd_right(bench: &mut Bench) -> Verdict {
    let client = answered(bench, <[u8]>::to_vec)?;
    bench.ends_with_status(&client, 0)
}

pub fn crowd_wrong_byte(bench: &mut Bench) -> Verdict {
    let client = answered(bench, |right| {
        let mut wrong = right.to_vec();
        if let Some(last) = wrong.last_mut() {
            *last ^= 1;
        }
        wrong
    })?;
    bench.ends_with_status(&client, 1)
}

pub fn crowd_too_few(bench: &mut Bench) -> Verdict {
    let client = answered(bench, |right| right[..right.len() - 1].to_vec())?;
    bench.ends_with_status(&client, 1)
}

pub fn crowd_too_many(bench: &mut Bench) -> Verdict {
    let client = answered(bench, |right| [right, b"!"].concat())?;
    bench.ends_with_status(&client, 1)
}

/// The clients of a crowd, and how many messages each of them sends.
const CROWD: usize = 5;
const TURNS: usize = 3;

/// A crowd of the client under test: all its calls are there before one is
/// answered.
fn five(bench: &mut Bench) -> Verdict<(Tested, Vec<Peer>)> {
    bench.tell("clients", CROWD.to_string());
    bench.tell("messages", TURNS.to_string());
    let ours = bench.listen()?;
    let client = bench.start(Launch::client().input("hello\n"))?;
    let calls = (0..CROWD).map(|_| bench.accept(&ours, &client));
    let calls = calls.collect::<Verdict<_>>()?;
    Ok((client, calls))
}

/// Answers what comes next in a call; false when no more comes. Where a message
/// ends we cannot know.
fn answer_once(call: &mut Peer) -> bool {
    match call.receive_quietly(65_536) {
        Ok(heard) if !heard.is_empty() => call.send_quietly(&heard.to_ascii_uppercase()).is_ok(),
        _ => false,
    }
}

/// Answers in turns, because a crowd may send its next messages together, until
/// each call is over. Whether one should have gone on, the crowd's status tells.
fn answer_all(bench: &mut Bench, mut calls: Vec<Peer>) {
    bench.step("our server answered what came, one call after the other, to the end of each");
    while !calls.is_empty() {
        calls.retain_mut(answer_once);
    }
}

pub fn all_at_once(bench: &mut Bench) -> Verdict {
    let (client, calls) = five(bench)?;
    answer_all(bench, calls);
    bench.ends_with_status(&client, 0)
}

/// One client of five gets this for its first message, and no more; all others
/// are answered.
fn one_of_five(bench: &mut Bench, answer: impl Fn(&mut Vec<u8>)) -> Verdict {
    let (client, mut calls) = five(bench)?;
    let mut unlucky = calls.remove(CROWD / 2);
    let mut bytes = unlucky.receive_some("a message of the crowd")?.to_ascii_uppercase();
    answer(&mut bytes);
    unlucky.send(&bytes)?;
    unlucky.hang_up();
    answer_all(bench, calls);
    bench.ends_with_status(&client, 1)
}

pub fn one_of_five_wrong(bench: &mut Bench) -> Verdict {
    one_of_five(bench, |bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

pub fn one_of_five_cut(bench: &mut Bench) -> Verdict {
    one_of_five(bench, |bytes| {
        bytes.pop();
    })
}
