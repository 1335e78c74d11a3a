//! The checks of this lesson: datagrams, whole or not at all, back to whoever
//! sent them. `lesson-3 check --list` shows them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use check::{
    Bench, Calls, Change, Check, Datagrams, Endpoint, Fault, Launch, Lesson, Tested, Verdict,
    Which, errno,
};

const HERE: &str = "lessons/03-udp-bind/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/03-udp-bind/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 3,
    port: 7788,
    server: "server --addr {addr} --buffer 65535",
    client: "client --to {addr}",
    checks: CHECKS,
};

/// Long enough for an answer that must not come.
const MOMENT: Duration = Duration::from_millis(150);

const CHECKS: &[Check] = &[
    Check::server(
        "3/start/says-where",
        "the server says \"bound to IP:PORT\" with its real address",
        |bench| bench.server().and_then(|server| bench.says_where(&server, "bound to")),
    )
    .because(
        "The line is missing, has another form, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "3/start/port-zero",
        "with port 0 the server says the port that the system chose",
        port_zero,
    )
    .because(
        "The program prints the port that it asked for, not the one it got.",
        HERE,
    )
    .hints(&["getsockname tells the real one."]),
    Check::server(
        "3/datagram/hello",
        "a datagram comes back as it was",
        |bench| echo(bench, b"hello").map(drop),
    )
    .because("The answer is changed, or goes to somebody else.", CONTRACT)
    .hints(&["recvfrom tells who sent it: give that address to sendto."]),
    Check::server(
        "3/datagram/empty",
        "an empty datagram comes back empty",
        empty,
    )
    .because(
        "0 bytes are taken for the end of a stream. There is no stream here.",
        HERE,
    )
    .hints(&[
        "What does a loop \"while data\" do with an empty datagram?",
        "Only the datagram bye ends the server. Answer all others, an empty one too.",
    ]),
    Check::server(
        "3/datagram/longest",
        "a datagram of 65,507 bytes comes back whole",
        |bench| echo(bench, &long()).map(drop),
    )
    .because(
        "The buffer has less room. What has no room is thrown away, and nobody says so.",
        HERE,
    )
    .hints(&["How much does your recvfrom take? The longest datagram has 65,507 bytes."]),
    Check::server(
        "3/datagram/no-text",
        "bytes that are no text come back as they were",
        |bench| echo(bench, &(0..=255).rev().collect::<Vec<u8>>()).map(drop),
    )
    .because("The bytes are decoded as text on their way.", CONTRACT)
    .hints(&["Send back the bytes that you received, not a text made from them."]),
    Check::server(
        "3/datagram/hundred",
        "a hundred datagrams in a row come back, each by itself",
        hundred,
    )
    .because("Datagrams are joined or left out.", HERE)
    .hints(&["One recvfrom, one sendto."]),
    Check::server(
        "3/clients/in-turns",
        "two clients in turns get their own answers",
        in_turns,
    )
    .because(
        "The server keeps the address of the first client, or connects its socket to it.",
        HERE,
    )
    .hints(&[
        "Whose address does your sendto use?",
        "Take the address anew from each recvfrom.",
    ]),
    Check::server(
        "3/clients/one-that-is-gone",
        "a client that is gone before its answer does not end the server",
        one_that_is_gone,
    )
    .because(
        "An error that belongs to one datagram ends the program.",
        HERE,
    )
    .hints(&["Which of your errors concern one datagram only?"]),
    Check::server(
        "3/end/bye",
        "the datagram bye ends the server with status 0 and has no answer",
        bye,
    )
    .because("bye is answered, or does not end the program.", CONTRACT)
    .hints(&["Compare the bytes with b\"bye\" before you answer."]),
    Check::server(
        "3/end/not-quite-bye",
        "\"bye\" with a line end, or in other letters, is a datagram like others",
        not_quite_bye,
    )
    .because(
        "The text is trimmed or changed before it is compared.",
        CONTRACT,
    )
    .hints(&["Compare the bytes as they came."]),
    Check::client(
        "3/client/answer",
        "each line is one datagram, and its answer is shown",
        answer,
    )
    .because(
        "The line end is sent, too, or the answer is not shown.",
        CONTRACT,
    )
    .hints(&["Take the line end off before you send."]),
    Check::client(
        "3/client/longest-answer",
        "an answer of 65,507 bytes is taken whole",
        longest_answer,
    )
    .because("The buffer has less room, and the rest is lost.", HERE)
    .hints(&["How much does your recvfrom take?"]),
    Check::client(
        "3/client/stranger",
        "an answer from a stranger is no answer",
        stranger,
    )
    .because(
        "The client takes whatever comes. Everybody who knows the port can write to it.",
        HERE,
    )
    .hints(&[
        "Who sent the datagram that you received?",
        "Compare the address that recvfrom gives with the one that you asked; or connect.",
    ]),
    Check::client(
        "3/client/same-host-other-port",
        "an answer from another port of the same host is no answer",
        other_port,
    )
    .because("Only the host is compared, not the port.", HERE)
    .hints(&["An address is a host and a port. Compare both."]),
    Check::client(
        "3/client/no-answer",
        "without an answer the client says so, with status 1",
        no_answer,
    )
    .because(
        "The receive has no timeout, and a datagram can be lost.",
        HERE,
    )
    .hints(&["Give the receive a timeout. In Python: s.settimeout(2)."])
    .limit(Duration::from_secs(20)),
    Check::client(
        "3/client/many-strangers",
        "strangers that write again and again do not make the wait longer",
        many_strangers,
    )
    .because(
        "The timeout starts anew with each datagram of a stranger.",
        HERE,
    )
    .hints(&[
        "How long does your client wait if somebody writes to it each second?",
        "Take the time before the send, and give each receive only what is left of it.",
    ])
    .limit(Duration::from_secs(20)),
    Check::client(
        "3/forced/interrupted",
        "a receive that is interrupted (EINTR) is made again",
        interrupted,
    )
    .because(
        "EINTR is taken for the end of the wait, or for an error of the socket.",
        HERE,
    )
    .hints(&[
        "What does your receive say when the program was stopped with Ctrl-Z, and goes on?",
        "Receive again, with what is left of the time.",
    ])
    .observed(),
    Check::both(
        "3/both/talk",
        "your client and your server understand each other",
        talk,
    )
    .because(
        "Each keeps the contract only as it understood it.",
        CONTRACT,
    ),
];

fn port_zero(bench: &mut Bench) -> Verdict {
    let server = bench.server_as(Launch::server().at(Endpoint::Zero))?;
    bench.says_where(&server, "bound to")
}

/// One datagram, and the same one back.
fn ask(we: &Datagrams, message: &[u8], server: &Tested) -> Verdict {
    we.send_to(message, server.address())?;
    we.expect(message, server.address())
}

fn echo(bench: &mut Bench, message: &[u8]) -> Verdict<(Tested, Datagrams)> {
    let server = bench.server()?;
    let we = bench.datagrams("we")?;
    ask(&we, message, &server)?;
    Ok((server, we))
}

fn empty(bench: &mut Bench) -> Verdict {
    let (server, we) = echo(bench, b"")?;
    ask(&we, b"still there?", &server)
}

/// IPv4 leaves 65,535 - 20 - 8 bytes for the data.
const LONGEST: usize = 65_507;

fn long() -> Vec<u8> {
    (0..LONGEST).map(|i| (i * 7 / 3) as u8).collect()
}

fn hundred(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let we = bench.datagrams("we")?;
    let messages: Vec<String> = (1..=100).map(|i| format!("datagram {i}")).collect();
    // Ten at a time are no burden for a receive queue.
    for ten in messages.chunks(10) {
        for message in ten {
            we.send_to(message.as_bytes(), server.address())?;
        }
        for message in ten {
            we.expect(message.as_bytes(), server.address())?;
        }
    }
    Ok(())
}

fn in_turns(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let [one, other] = [
        bench.datagrams("one client")?,
        bench.datagrams("the other")?,
    ];
    for turn in 1..=3 {
        for (client, name) in [(&one, "one"), (&other, "other")] {
            ask(client, format!("{name} {turn}").as_bytes(), &server)?;
        }
    }
    one.send_to(b"one more", server.address())?;
    other.send_to(b"other more", server.address())?;
    one.expect(b"one more", server.address())?;
    other.expect(b"other more", server.address())
}

fn one_that_is_gone(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    for _ in 0..3 {
        let gone = bench.datagrams("a client that closes at once")?;
        gone.send_to(b"answer me", server.address())?;
    }
    let we = bench.datagrams("we")?;
    ask(&we, b"still there?", &server)
}

fn bye(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let we = bench.datagrams("we")?;
    we.send_to(b"bye", server.address())?;
    bench.ends_with_status(&server, 0)?;
    we.expect_silence(MOMENT)
}

fn not_quite_bye(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let we = bench.datagrams("we")?;
    for message in ["bye\n", "Bye", " bye", "bye bye"] {
        ask(&we, message.as_bytes(), &server)?;
    }
    bench.still_runs(&server)
}

/// A client, our server, and the client's first message.
fn asked(bench: &mut Bench, line: &str) -> Verdict<(Tested, Datagrams, SocketAddr)> {
    let ours = bench.datagram_server()?;
    let client = bench.client(&[line])?;
    let (message, from) = ours.receive(&format!("a datagram with {line:?}"))?;
    if message != line.as_bytes() {
        return Err(Fault::bytes(line, message, "the end of the datagram"));
    }
    Ok((client, ours, from))
}

fn answer(bench: &mut Bench) -> Verdict {
    let ours = bench.datagram_server()?;
    let client = bench.client(&["hello", "again"])?;
    for (message, answer) in [("hello", "QWERT"), ("again", "ZUIOP")] {
        let (seen, from) = ours.receive(&format!("a datagram with {message:?}"))?;
        if seen != message.as_bytes() {
            return Err(Fault::bytes(message, seen, "the end of the datagram"));
        }
        ours.send_to(answer.as_bytes(), from)?;
        bench.says(&client, answer)?;
    }
    bench.ends_with_status(&client, 0)
}

fn longest_answer(bench: &mut Bench) -> Verdict {
    let (client, ours, from) = asked(bench, "hello")?;
    let mut answer = vec![b'.'; LONGEST];
    answer[..5].copy_from_slice(b"FRONT");
    ours.send_to(&answer, from)?;
    // Some show all of it, some the beginning and the length.
    let shows = "the beginning of the answer, and its length or all of it";
    bench.says_what(&client, shows, |line| {
        line.contains("65507") || line.len() >= LONGEST
    })?;
    bench.ends_with_status(&client, 0)
}

/// A wrong answer from somebody, then the right one.
fn not_from(bench: &mut Bench, stranger: &Datagrams, asked: Asked) -> Verdict {
    let (client, ours, from) = asked;
    stranger.send_to(b"LIES", from)?;
    ours.send_to(b"TRUTH", from)?;
    bench.says(&client, "TRUTH")?;
    bench.ends_with_status(&client, 0)
}

type Asked = (Tested, Datagrams, SocketAddr);

fn stranger(bench: &mut Bench) -> Verdict {
    let asked = asked(bench, "hello")?;
    let stranger = bench.datagrams_at("a stranger", [127, 0, 0, 2])?;
    not_from(bench, &stranger, asked)
}

fn other_port(bench: &mut Bench) -> Verdict {
    let asked = asked(bench, "hello")?;
    let stranger = bench.datagrams("a stranger")?;
    not_from(bench, &stranger, asked)
}

fn no_answer(bench: &mut Bench) -> Verdict {
    let (client, _ours, _from) = asked(bench, "hello")?;
    bench.step("nobody answers");
    bench.ends_within(&client, Duration::from_secs(4))?;
    bench.ends_with_one_line(&client).map(drop)
}

fn many_strangers(bench: &mut Bench) -> Verdict {
    let (client, _ours, from) = asked(bench, "hello")?;
    let stranger = bench.datagrams("a stranger")?;
    bench.step("a stranger wrote to your client five times a second");
    let start = Instant::now();
    while !bench.has_ended(&client) {
        if start.elapsed() > Duration::from_secs(4) {
            return Err(Fault::program(
                "your client gives up after 2 s",
                "it still waits after 4 s",
            ));
        }
        stranger.quietly_send_to(b"LIES", from)?;
        bench.rest(Duration::from_millis(200));
    }
    bench.ends_with_one_line(&client).map(drop)
}

fn talk(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let client = bench.client(&["hello", "bye"])?;
    bench.says(&client, "hello")?;
    bench.ends_with_status(&client, 0)?;
    bench.ends_with_status(&server, 0)
}

fn interrupted(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Every(2), errno::EINTR).in_the_program();
    let what = "each second receive will be interrupted (EINTR)";
    bench.change(what, vec![fails])?;
    answer(bench)
}
