//! The checks of this lesson: nobody waits for somebody else. `lesson-7 check
//! --list` shows them.

use std::time::Duration;

use ::check::{
    Bench, Calls, Change, Check, Fault, Lesson, Peer, Program, Start, Verdict, Which, errno,
};

const HERE: &str = "lessons/07-concurrent-server/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/07-concurrent-server/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 7,
    port: 8084,
    server: "server --addr {addr} --quiet",
    client: "client --addr {addr} --clients {clients} --messages {messages}",
    checks: CHECKS,
};

const TAKE_ON: &[&str] = &[
    "Where does your server sit while the first caller is silent?",
    "Give each call a thread, a process, or a place in an event loop; then accept again.",
];

const CHECKS: &[Check] = &[
    Check::server(
        "7/start/says-where",
        "the server says where it listens",
        says_where,
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server("7/message/hello", "messages come back in upper case", hello)
        .because(
            "The answer is not what was received, in ASCII upper case.",
            CONTRACT,
        )
        .hints(&["This part is lesson 2. Run its checks first."]),
    Check::server(
        "7/message/one-byte-at-a-time",
        "a message cut into single bytes loses none",
        one_byte,
    )
    .because("One receive is taken for one message.", CONTRACT)
    .hints(&["This part is lesson 2. Run its checks first."]),
    Check::server(
        "7/message/twenty-million-bytes",
        "20,000,000 bytes come back, each of them",
        large,
    )
    .because(
        "A send that took a part of the bytes is not continued. On a non-blocking socket \
             most sends are such.",
        HERE,
    )
    .hints(&["What a send did not take, keep until the socket can be written to again."])
    .limit(Duration::from_secs(40)),
    Check::server(
        "7/callers/one-silent",
        "while one caller is silent, the next one is served",
        one_silent,
    )
    .because(
        "The server waits in the receive of one call, and serves nobody else.",
        HERE,
    )
    .hints(TAKE_ON),
    Check::server(
        "7/callers/hundred-silent",
        "while a hundred callers are silent, the next one is served",
        hundred_silent,
    )
    .because("There are fewer threads or places than callers.", HERE)
    .hints(&["How many calls can you serve at once? A pool has an end."]),
    Check::server(
        "7/callers/two-hundred-at-once",
        "two hundred callers at once get their own answers",
        two_hundred,
    )
    .because(
        "State is shared between calls that belongs to one of them.",
        HERE,
    )
    .hints(&["Each call needs a buffer of its own."])
    .limit(Duration::from_secs(30)),
    Check::server(
        "7/callers/in-mid-message",
        "a caller in mid-message keeps nobody",
        in_mid_message,
    )
    .because(
        "The server waits for the rest of a message, and serves nobody else.",
        HERE,
    )
    .hints(TAKE_ON),
    Check::server(
        "7/callers/reset",
        "a reset ends that call, and no other",
        reset,
    )
    .because(
        "The error of one call ends the program, or the loop that serves all.",
        HERE,
    )
    .hints(&["Catch all errors where one call is served."]),
    Check::server(
        "7/callers/hang-up",
        "fifty callers that hang up cost nobody anything",
        hang_up,
    )
    .because(
        "A thread or an entry of the event loop spins at the end of the stream.",
        HERE,
    )
    .hints(&["0 bytes: take the socket out of the loop, and close it."]),
    Check::server(
        "7/callers/never-receives",
        "a caller that does not receive keeps nobody, and loses nothing",
        never_receives,
    )
    .because(
        "Answers are collected in memory, or a full socket stops the whole loop.",
        HERE,
    )
    .hints(&[
        "What happens to an answer for which there is no room?",
        "Do not receive from a caller that does not take its answers.",
    ])
    .limit(Duration::from_secs(40)),
    Check::server(
        "7/forced/accept-fails",
        "an accept that fails does not end the server",
        accept_fails,
    )
    .because(
        "The error of accept ends the loop. It concerns one caller, or passes.",
        HERE,
    )
    .hints(&["Say the error, rest for a moment, and accept again."])
    .observed(),
    Check::server(
        "7/forced/interrupted",
        "an accept, or a poll, that is interrupted (EINTR) is made again",
        interrupted,
    )
    .because(
        "EINTR is taken for an error of the listener, or of the loop that serves all.",
        "lessons/05-timeout/README.md#what-you-saw-and-why",
    )
    .hints(&[
        "What does your poll say when the program was stopped with Ctrl-Z, and goes on?",
        "Nothing has happened: wait again. Python and Rust's accept do so by themselves.",
    ])
    .observed(),
    Check::client(
        "7/client/right",
        "the crowd is content with right answers",
        crowd_right,
    )
    .because("The crowd does not wait for the whole answer.", CONTRACT)
    .hints(&["Count: an answer is as long as its message."]),
    Check::client(
        "7/client/one-wrong-byte",
        "the crowd notices one wrong byte",
        crowd_wrong_byte,
    )
    .because("The length is compared, and not the bytes.", CONTRACT)
    .hints(&["Compare each answer with what it must be."]),
    Check::client(
        "7/client/one-too-few",
        "the crowd notices an answer that is one byte short",
        crowd_too_few,
    )
    .because(
        "The end of the stream is taken for the end of the answer.",
        CONTRACT,
    )
    .hints(&["0 bytes before the count is full are an error."]),
    Check::client(
        "7/client/one-too-many",
        "the crowd notices an answer with one byte too many",
        crowd_too_many,
    )
    .because("Nobody looks whether more comes.", CONTRACT)
    .hints(&["After the last answer, end the sending side, and receive until the end."]),
    Check::client(
        "7/crowd/all-at-once",
        "a crowd of five makes five calls before one of them is answered",
        all_at_once,
    )
    .because(
        "One client of the crowd waits for the end of another.",
        CONTRACT,
    )
    .hints(&[
        "Where does your crowd sit while its first client waits for an answer?",
        "Start all clients, each in a thread of its own, and only then wait for their ends.",
    ]),
    Check::client(
        "7/crowd/one-wrong-byte",
        "one wrong byte for one client of five is noticed",
        one_of_five_wrong,
    )
    .because(
        "What one client of the crowd found out is lost, or outvoted.",
        CONTRACT,
    )
    .hints(&[
        "How does your main program learn that a thread has failed?",
        "Collect what failed in a list; the crowd is content when that is empty.",
    ]),
    Check::client(
        "7/crowd/one-too-few",
        "one answer that ends early, for one client of five, is noticed",
        one_of_five_cut,
    )
    .because(
        "What one client of the crowd found out is lost, or outvoted.",
        CONTRACT,
    )
    .hints(&["0 bytes before the count is full are an error of that client, and of the crowd."]),
    Check::both(
        "7/both/talk",
        "your crowd of twenty and your server understand each other",
        both_talk,
    )
    .because(
        "Each keeps the contract only as it understood it.",
        CONTRACT,
    ),
];

fn says_where(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench.says_where(&server, "listening on")
}

fn talk(call: &mut Peer, message: &str) -> Verdict {
    call.send(message.as_bytes())?;
    call.expect(message.to_ascii_uppercase().as_bytes())
}

fn hello(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    for message in ["hello, World 1", "x", "straße, 你好"] {
        talk(&mut call, message)?;
    }
    Ok(())
}

fn one_byte(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send_in_pieces(b"byte by byte", 1)?;
    call.expect(b"BYTE BY BYTE")
}

/// Bytes in which each place looks different from its neighbourhood.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + ((i * i / 7 + i) % 26) as u8).collect()
}

fn large(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    let message = pattern(20_000_000);
    call.exchange(&message, &message.to_ascii_uppercase())
}

/// Within a second, somebody else is served.
fn next_is_served(bench: &mut Bench, server: &Program) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    talk(&mut next, "next")
}

fn one_silent(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let _silent = bench.call_as(&server, "a silent caller")?;
    next_is_served(bench, &server)
}

/// Callers that are one step of the story together.
fn crowd(bench: &mut Bench, server: &Program, count: usize, what: &str) -> Verdict<Vec<Peer>> {
    let callers = (0..count).map(|_| bench.call_quietly(server, "one of them"));
    let callers = callers.collect::<Verdict<Vec<Peer>>>()?;
    bench.step(format!("{count} {what}"));
    Ok(callers)
}

fn hundred_silent(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let _silent = crowd(bench, &server, 100, "silent callers connected")?;
    next_is_served(bench, &server)
}

fn two_hundred(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut callers = crowd(bench, &server, 200, "callers connected")?;
    for (number, call) in callers.iter_mut().enumerate() {
        call.send_quietly(format!("this is caller number {number}").as_bytes())?;
    }
    bench.step("each sent a message of its own, before any answer was received");
    for (number, call) in callers.iter_mut().enumerate() {
        let expected = format!("THIS IS CALLER NUMBER {number}");
        call.expect_quietly(expected.as_bytes())?;
    }
    Ok(())
}

fn in_mid_message(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut slow = bench.call_as(&server, "a slow caller")?;
    talk(&mut slow, "half of a mess")?;
    next_is_served(bench, &server)?;
    talk(&mut slow, "age")
}

fn reset(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut other = bench.call_as(&server, "another caller")?;
    talk(&mut other, "before")?;
    let mut call = bench.call_as(&server, "a caller")?;
    talk(&mut call, "hello")?;
    call.send(b"half of a")?;
    call.reset()?;
    bench.settle();
    talk(&mut other, "after")?;
    next_is_served(bench, &server)
}

fn hang_up(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    drop(crowd(
        bench,
        &server,
        50,
        "callers connected, and hung up without a word",
    )?);
    bench.come_to_rest()?;
    next_is_served(bench, &server)
}

/// More than any buffer between two programs holds.
const MUCH: usize = 64 << 20;

fn never_receives(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    next_is_served(bench, &server)?;
    let before = bench.memory_now();
    let mut call = bench.call(&server)?;
    let message = pattern(1_000_003).repeat(MUCH / 1_000_003);
    let sent = call.send_as_much_as_it_takes(&message)?;
    next_is_served(bench, &server)?;
    let more = bench.memory_peak().saturating_sub(before);
    if more > 32 << 20 {
        return Err(Fault::program(
            "no more memory than before, but for 32 MiB",
            format!("{} MiB more", more >> 20),
        ));
    }
    bench.step("now we received");
    call.expect(&message[..sent].to_ascii_uppercase())
}

fn accept_fails(bench: &mut Bench) -> Verdict {
    let second = Which::Nth(2);
    let fails = Change::fail(Calls::Accept, second, errno::ECONNABORTED).in_the_program();
    bench.change(
        "the second accept will fail: the caller is gone (ECONNABORTED)",
        vec![fails],
    )?;
    let server = bench.server()?;
    for who in ["the first caller", "the second caller", "the third caller"] {
        let mut call = bench.call_as(&server, who)?;
        bench.settle();
        talk(&mut call, "hello")?;
    }
    Ok(())
}

/// One client of a crowd says one thing, and our server answers as told.
fn answered(bench: &mut Bench, answer: impl Fn(&[u8]) -> Vec<u8>) -> Verdict<Program> {
    bench.tell("clients", "1");
    bench.tell("messages", "1");
    let ours = bench.listen()?;
    let client = bench.start(Start::client().input("hello\n"))?;
    let mut call = bench.accept(&ours, &client)?;
    let message = call.receive_some("a message of the crowd")?;
    call.send(&answer(&message.to_ascii_uppercase()))?;
    call.hang_up();
    Ok(client)
}

fn crowd_right(bench: &mut Bench) -> Verdict {
    let client = answered(bench, <[u8]>::to_vec)?;
    bench.ends_with_status(&client, 0)
}

fn crowd_wrong_byte(bench: &mut Bench) -> Verdict {
    let client = answered(bench, |right| {
        let mut wrong = right.to_vec();
        if let Some(last) = wrong.last_mut() {
            *last ^= 1;
        }
        wrong
    })?;
    bench.ends_with_status(&client, 1)
}

fn crowd_too_few(bench: &mut Bench) -> Verdict {
    let client = answered(bench, |right| right[..right.len() - 1].to_vec())?;
    bench.ends_with_status(&client, 1)
}

fn crowd_too_many(bench: &mut Bench) -> Verdict {
    let client = answered(bench, |right| [right, b"!"].concat())?;
    bench.ends_with_status(&client, 1)
}

fn interrupted(bench: &mut Bench) -> Verdict {
    let interrupt = |calls| Change::fail(calls, Which::Every(2), errno::EINTR).in_the_program();
    let what = "each second accept, and each second poll, will be interrupted (EINTR)";
    bench.change(what, vec![interrupt(Calls::Accept), interrupt(Calls::Wait)])?;
    let server = bench.server()?;
    for who in ["the first caller", "the second caller", "the third caller"] {
        let mut call = bench.call_as(&server, who)?;
        // The server has been interrupted by now, or will be later: not while we send.
        bench.settle();
        talk(&mut call, "hello")?;
    }
    Ok(())
}

/// The clients of a crowd, and how many messages each of them sends.
const CROWD: usize = 5;
const TURNS: usize = 3;

/// A crowd of the client under test: all its calls are there before one is
/// answered.
fn five(bench: &mut Bench) -> Verdict<(Program, Vec<Peer>)> {
    bench.tell("clients", CROWD.to_string());
    bench.tell("messages", TURNS.to_string());
    let ours = bench.listen()?;
    let client = bench.start(Start::client().input("hello\n"))?;
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

fn all_at_once(bench: &mut Bench) -> Verdict {
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

fn one_of_five_wrong(bench: &mut Bench) -> Verdict {
    one_of_five(bench, |bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

fn one_of_five_cut(bench: &mut Bench) -> Verdict {
    one_of_five(bench, |bytes| {
        bytes.pop();
    })
}

fn both_talk(bench: &mut Bench) -> Verdict {
    bench.tell("clients", "20");
    bench.tell("messages", "3");
    let server = bench.server()?;
    let client = bench.start(Start::client().input("hello\n"))?;
    bench.ends_with_status(&client, 0)?;
    bench.still_runs(&server)
}
