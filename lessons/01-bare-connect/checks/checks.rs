//! The checks of this lesson: what a server and a client of one call must do,
//! whoever wrote them. `lesson-1 check --list` shows them.

use std::time::Duration;

use check::{Bench, Check, Endpoint, Fault, Launch, Lesson, PeerEnding, Verdict};

const HERE: &str = "lessons/01-bare-connect/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/01-bare-connect/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 1,
    port: 8081,
    server: "server --addr {addr}",
    client: "client --addr {addr}",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check::server(
        "1/start/says-where",
        "the server says \"listening on IP:PORT\" before it takes a call",
        says_where,
    )
    .because(
        "The line is missing, has another form, or waits in a buffer because stdout is a pipe.",
        CONTRACT,
    )
    .hints(&[
        "Compare your first line with the one in the lesson, letter by letter.",
        "When stdout is no terminal, most languages keep lines back until there are many.",
        "In Python: print(\"listening on %s:%d\" % s.getsockname(), flush=True).",
    ]),
    Check::server(
        "1/start/port-zero",
        "with port 0 the server says the port that the system chose",
        port_zero,
    )
    .because(
        "The program prints the port that it asked for, not the one that it got.",
        HERE,
    )
    .hints(&[
        "Which call knows the port after bind?",
        "getsockname tells your own address. In Python it is s.getsockname().",
    ]),
    Check::server(
        "1/start/where-it-was-told",
        "the server listens on the port that it was told",
        where_it_was_told,
    )
    .because(
        "bind is missing, and listen lets the system choose a port.",
        HERE,
    )
    .hints(&["Which call puts the SIM in?"]),
    Check::server(
        "1/call/hello",
        "a message comes back with its ASCII letters in upper case",
        hello,
    )
    .because("The answer is not what was received, in upper case.", CONTRACT)
    .hints(&["Change the letters a to z and leave all other bytes as they are."]),
    Check::server("1/call/one-byte", "a message of one byte is answered", one_byte)
        .because(
            "The receive waits for more bytes than the caller sends.",
            HERE,
        )
        .hints(&["A receive gives what is there. Do not ask for an exact number of bytes."]),
    Check::server(
        "1/call/longest",
        "a message of 1,024 bytes is answered to its last byte",
        longest,
    )
    .because("The buffer has less room than 1,024 bytes.", CONTRACT)
    .hints(&["How many bytes does your receive ask for?"]),
    Check::server(
        "1/call/no-text",
        "bytes that are no text come back as they were",
        no_text,
    )
    .because(
        "The bytes are decoded as text on their way, or end at the first zero byte, as a string in C does.",
        CONTRACT,
    )
    .hints(&[
        "Follow the bytes from recv to send. Where do they become a string?",
        "Python: bytes.upper() changes ASCII letters only, and needs no decode().",
    ]),
    Check::server(
        "1/call/only-ascii",
        "letters beyond ASCII come back as they were",
        only_ascii,
    )
    .because(
        "The bytes are decoded, and the upper case of all languages is applied: ß becomes SS.",
        CONTRACT,
    )
    .hints(&["Work on bytes, not on characters."]),
    Check::server(
        "1/call/thinks-first",
        "a caller that is silent at first is answered when it speaks",
        thinks_first,
    )
    .because("The server does not wait in its receive.", HERE)
    .hints(&["A blocking receive waits by itself. Is the socket non-blocking, or has it a timeout?"]),
    Check::server(
        "1/call/half-close",
        "a caller that has ended its sending side gets its answer",
        half_close,
    )
    .because(
        "The program takes the end of the stream for the end of the call, and does not answer.",
        HERE,
    )
    .hints(&["The end of the stream says that no more bytes will come. You may still send."]),
    Check::server(
        "1/end/orderly",
        "after the answer the caller reads the end of the stream, and the status is 0",
        orderly,
    )
    .because(
        "The connection is not closed, the program waits for a second call, or it fails at its end.",
        HERE,
    )
    .hints(&["One call, one receive, one send; then close both sockets and return."]),
    Check::server(
        "1/end/hangs-up-without-a-word",
        "a caller that hangs up without a word gets nothing, and the status is 0",
        hangs_up,
    )
    .because(
        "A receive of 0 bytes is no message. It is the end of the stream, and no error.",
        HERE,
    )
    .hints(&["What does your program do when recv gives 0 bytes?"]),
    Check::server(
        "1/end/reset",
        "a caller that resets the connection does not keep the server",
        reset,
    )
    .because("After an error of recv the program tries again and again.", HERE)
    .hints(&["A reset connection stays reset. Close it."]),
    Check::server(
        "1/end/closes-both",
        "the server closes both of its sockets",
        closes_both,
    )
    .because(
        "accept gives a second socket. Each of the two has to be closed.",
        HERE,
    )
    .hints(&["Which sockets does your server have at its end? Count them."])
    .observed(),
    Check::client(
        "1/client/answer",
        "the client says something, shows the answer, and ends with status 0",
        answer,
    )
    .because(
        "The client does not receive, does not print what it received, or does not end.",
        CONTRACT,
    )
    .hints(&["socket, connect, send, recv, print, close: is one of them missing?"]),
    Check::client(
        "1/client/slow-answer",
        "the client waits for an answer that is late",
        slow_answer,
    )
    .because("The client does not wait in its receive.", HERE)
    .hints(&["A blocking receive waits by itself."]),
    Check::client(
        "1/client/refused",
        "when nobody listens, the client says so in one line and ends with status 1",
        refused,
    )
    .because(
        "The error of connect is not handled: the program goes on, or ends with a stack trace.",
        HERE,
    )
    .hints(&[
        "Which call fails when nobody listens?",
        "Catch the error of connect, print it on stderr, and exit with status 1.",
    ]),
    Check::client(
        "1/client/unreachable",
        "when no way leads there, the client says so in one line and ends with status 1",
        unreachable,
    )
    .because("Only one error of connect is handled.", HERE)
    .hints(&["Refused is one reason of many. Handle every error of connect."]),
    Check::client(
        "1/client/server-hangs-up",
        "when the server hangs up without an answer, the client ends",
        server_hangs_up,
    )
    .because("A receive of 0 bytes is taken for \"nothing yet\", and tried again.", HERE)
    .hints(&["0 bytes mean that no more will ever come."]),
    Check::client(
        "1/client/no-answer",
        "when the server hangs up without an answer, the client says so in one line, with status 1",
        no_answer,
    )
    .because(
        "A receive of 0 bytes is shown as an empty answer, or nobody looks at how many there were.",
        HERE,
    )
    .hints(&[
        "What does your recv give back, and what does your program do with it?",
        "0 bytes are no answer: the server has hung up. Say so on stderr, and exit with status 1.",
    ]),
    Check::client(
        "1/client/reset",
        "when a reset comes in place of the answer, the client says so in one line, with status 1",
        reset_for_an_answer,
    )
    .because("The error of recv is not handled, or nobody looks at it.", HERE)
    .hints(&[
        "Which calls can fail after connect?",
        "In C, recv gives -1, and the buffer is as it was before. In Python it raises an OSError.",
        "Handle it as you handle the error of connect: one line on stderr, and status 1.",
    ]),
    Check::both(
        "1/both/talk",
        "your client and your server understand each other",
        talk,
    )
    .because("Each keeps the contract only as it understood it.", CONTRACT),
];

fn says_where(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench.says_where(&server, "listening on")
}

fn port_zero(bench: &mut Bench) -> Verdict {
    let server = bench.server_as(Launch::server().at(Endpoint::Zero))?;
    bench.says_where(&server, "listening on")
}

fn where_it_was_told(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let (port, told) = (server.address().port(), server.told().port());
    // Who ignores what it is told is at the usual port.
    if port == told || port == LESSON.port {
        return Ok(());
    }
    Err(Fault::program(
        format!("port {told}"),
        format!("port {port}"),
    ))
}

fn closes_both(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(b"bye")?;
    call.expect(b"BYE")?;
    bench.ends(&server)?;
    let calls = bench.calls(&server)?;
    for (name, which) in [
        ("listen", "the listening socket"),
        ("accept", "the connection"),
    ] {
        let made = calls.iter().find(|call| call.name().starts_with(name));
        let socket = made.and_then(|call| match name {
            "listen" => call.socket(),
            _ => call.made(),
        });
        let closed = calls.iter().any(|call| call.name() == "close" && call.socket() == socket);
        if socket.is_none() || !closed {
            let seen = "no such close before the program ended";
            return Err(Fault::program(format!("a close of {which}"), seen));
        }
    }
    Ok(())
}

fn echo(bench: &mut Bench, message: &[u8]) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(message)?;
    call.expect(&message.to_ascii_uppercase())
}

fn hello(bench: &mut Bench) -> Verdict {
    echo(bench, b"hello, World 1")
}

fn one_byte(bench: &mut Bench) -> Verdict {
    echo(bench, b"x")
}

fn longest(bench: &mut Bench) -> Verdict {
    let message: Vec<u8> = (0..1024).map(|i| b'a' + (i % 23) as u8).collect();
    echo(bench, &message)
}

fn no_text(bench: &mut Bench) -> Verdict {
    let message: Vec<u8> = (0..=255).rev().collect();
    echo(bench, &message)
}

fn only_ascii(bench: &mut Bench) -> Verdict {
    echo(bench, "straße, 你好, ünï".as_bytes())
}

fn thinks_first(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.expect_silence(Duration::from_millis(150))?;
    bench.step("we said nothing for 0.15 s");
    call.send(b"at last")?;
    call.expect(b"AT LAST")
}

fn half_close(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send_last(b"over")?;
    call.expect(b"OVER")?;
    call.expect_end()
}

fn orderly(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(b"bye")?;
    call.expect(b"BYE")?;
    call.expect_end()?;
    bench.ends_with_status(&server, 0)
}

fn hangs_up(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.half_close()?;
    call.expect_end()?;
    bench.ends_with_status(&server, 0)
}

fn reset(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    bench.call(&server)?.reset()?;
    bench.ends(&server).map(drop)
}

/// A client, and our end of its call, with what it said.
fn answer(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.receive_some("a message of the client")?;
    call.send(b"ANSWER-4711")?;
    bench.says(&client, "ANSWER-4711")?;
    bench.ends_with_status(&client, 0)
}

fn slow_answer(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.receive_some("a message of the client")?;
    let silence = Duration::from_millis(200);
    call.expect_silence(silence)?;
    bench.step("our server thought for 0.2 s");
    call.send(b"ANSWER-0815")?;
    bench.says(&client, "ANSWER-0815")?;
    bench.ends_with_status(&client, 0)
}

fn refused(bench: &mut Bench) -> Verdict {
    bench.step("nobody listens");
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client).map(drop)
}

fn unreachable(bench: &mut Bench) -> Verdict {
    // A broadcast address of the loopback: the kernel itself refuses to call it.
    let nowhere = Endpoint::At("127.255.255.255:8081".parse().expect("an address"));
    let client = bench.start(Launch::client().input("hello\n").at(nowhere))?;
    bench.ends_with_one_line(&client).map(drop)
}

fn server_hangs_up(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.receive_some("a message of the client")?;
    call.half_close()?;
    let (_, ending) = call.receive_to_end(1)?;
    if ending != PeerEnding::EndOfStream {
        return Err(Fault::program("your client closes, too", "it does not"));
    }
    bench.ends(&client).map(drop)
}

fn no_answer(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.receive_some("a message of the client")?;
    call.hang_up();
    bench.ends_with_one_line(&client).map(drop)
}

fn reset_for_an_answer(bench: &mut Bench) -> Verdict {
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.receive_some("a message of the client")?;
    call.reset()?;
    bench.ends_with_one_line(&client).map(drop)
}

fn talk(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let client = bench.client(&["hello"])?;
    bench.ends_with_status(&client, 0)?;
    bench.ends_with_status(&server, 0)
}
