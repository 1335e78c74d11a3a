//! The checks of this lesson: to wait, but not for ever. `lesson-5 check
//! --list` shows them.

use std::time::{Duration, Instant};

use check::{
    Address, Bench, Calls, Change, Check, Fault, Lesson, Peer, PeerEnding, Program, Start, Verdict,
    Which, errno,
};

const HERE: &str = "lessons/05-timeout/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/05-timeout/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 5,
    port: 9001,
    server: "server --addr {addr} --timeout {timeout} --until {until} --deadline {deadline}",
    client: "client --addr {addr} --think 0 --timeout {timeout} --connect-timeout {timeout}",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check::server(
        "5/start/says-where",
        "the server says where it listens before it is called",
        says_where,
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "5/start/long-timeout",
        "a timeout of 3,600 s is taken",
        long_timeout,
    )
    .because(
        "The number is too large for a type on its way, such as milliseconds.",
        CONTRACT,
    )
    .hints(&["Which unit does your call want, and how large may the number be?"]),
    Check::server(
        "5/start/no-timeout",
        "a timeout of 0, below 0, or that is no number, is refused at once",
        no_timeout,
    )
    .because(
        "Zero means \"for ever\" to the kernel and \"at once\" to Python. Neither was asked for.",
        HERE,
    )
    .hints(&["Look at the number before you listen: what is not above 0 ends the program."]),
    Check::server("5/request/one", "1 is welcome", one)
        .because("The answer to 1 is not \"welcome to server!\".", CONTRACT)
        .hints(&["Compare the bytes that came with the one byte 1."]),
    Check::server("5/request/other", "anything else is not welcome", other)
        .because("The answer is not \"please go out!\".", CONTRACT)
        .hints(&["Only the one byte 1 is welcome. 11 is something else."]),
    Check::server(
        "5/request/no-text",
        "bytes that are no text are not welcome",
        no_text,
    )
    .because(
        "The bytes are decoded as text, and the error ends the call or the server.",
        HERE,
    )
    .hints(&["Compare bytes with bytes."]),
    Check::server(
        "5/request/late",
        "a caller that speaks in time is served",
        late,
    )
    .because(
        "The timeout is shorter than it was set to, or is none.",
        HERE,
    )
    .hints(&["The unit of TIMEOUT is seconds, and it may be a fraction."]),
    Check::server(
        "5/silence/is-ended",
        "a silent caller is hung up on when the time is over",
        is_ended,
    )
    .because("The receive has no timeout and waits for ever.", HERE)
    .hints(&[
        "Which call waits while the caller is silent?",
        "Set a timeout before the receive. In Python: connection.settimeout(seconds).",
    ]),
    Check::server(
        "5/silence/is-said",
        "after silence the server says \"time out\"",
        is_said,
    )
    .because(
        "The timeout is taken for another error, or is not logged.",
        CONTRACT,
    )
    .hints(&["Three things can come of a receive: bytes, the end, or nothing in time."]),
    Check::server(
        "5/silence/next",
        "after a silent caller the next one is served",
        after_silence,
    )
    .because(
        "The timeout is an exception that nobody catches, and ends the server.",
        HERE,
    )
    .hints(&["Catch the timeout where one call is served, not around all of them."]),
    Check::server(
        "5/callers/hangs-up",
        "a caller that hangs up is no timeout",
        hangs_up,
    )
    .because(
        "0 bytes are taken for silence. They are the end of the stream.",
        HERE,
    )
    .hints(&["The end of the stream comes at once. Do not wait after it."]),
    Check::server(
        "5/callers/reset",
        "after a reset the next caller is served",
        reset,
    )
    .because("The error of recv (ECONNRESET) is not caught.", HERE)
    .hints(&["Catch all errors of one call, not the timeout alone."]),
    Check::server(
        "5/callers/million",
        "after a caller with a million bytes the next is served",
        million,
    )
    .because(
        "An error of send is not caught: bytes were unread, so the close is a reset.",
        HERE,
    )
    .hints(&["One receive, one answer, close. Errors of this call end this call."]),
    Check::server("5/lines/whole", "a line is a request", line_whole)
        .because(
            "The line end is compared, too, or UNTIL=newline is not looked at.",
            CONTRACT,
        )
        .hints(&["With UNTIL=newline the request is what stands before the line end."]),
    Check::server(
        "5/lines/one-byte-at-a-time",
        "a line cut into single bytes is one request",
        line_cut,
    )
    .because("One receive is taken for a request.", HERE)
    .hints(&["Collect what comes until there is a line end in it."]),
    Check::server(
        "5/lines/cut-before-its-end",
        "a line whose end comes late is one request",
        line_end_late,
    )
    .because("The request is taken before its line end is there.", HERE)
    .hints(&["\"1\" alone is not yet the request 1: it may become 11."]),
    Check::server(
        "5/lines/carriage-return",
        "a line may end in CR LF",
        carriage_return,
    )
    .because("The CR is taken for a part of the request.", CONTRACT)
    .hints(&["Take one \\r off the end, if there is one."]),
    Check::server(
        "5/lines/drip",
        "a caller that drips is ended by the deadline",
        drip,
    )
    .because("The timeout starts anew with each byte.", HERE)
    .hints(&[
        "How long can a caller hold you that sends one byte now and then?",
        "Take the time once, and give each receive only what is left.",
    ]),
    Check::server(
        "5/lines/without-end",
        "a line without an end does not fill the memory",
        without_end,
    )
    .because("What comes is kept without a limit.", HERE)
    .hints(&["A request has room for 1,024 bytes, and no more."]),
    Check::server(
        "5/forced/interrupted",
        "a receive that is interrupted (EINTR) is made again",
        interrupted,
    )
    .because(
        "EINTR is taken for an error of the call. A signal came, and no caller is to blame.",
        HERE,
    )
    .hints(&[
        "What does your receive say when the program was stopped with Ctrl-Z, and goes on?",
        "Receive again, with what is left of the time.",
    ])
    .observed(),
    Check::client(
        "5/client/answer",
        "the client sends its line and shows the answer",
        answer,
    )
    .because(
        "The line is not sent, or the answer is not shown.",
        CONTRACT,
    )
    .hints(&["Each line of the input is a call of its own."]),
    Check::client(
        "5/client/one-byte-at-a-time",
        "an answer in single bytes is received to its end",
        client_cut,
    )
    .because(
        "One receive is taken for the answer. It ends where the stream ends.",
        HERE,
    )
    .hints(&["Receive until a receive gives 0 bytes, then show what you have."]),
    Check::client(
        "5/client/silent-server",
        "when the server is silent, the client gives up in time",
        silent_server,
    )
    .because("The receive has no timeout.", HERE)
    .hints(&["Set a timeout before the receive."]),
    Check::client(
        "5/client/full-queue",
        "when nobody takes the call, the client gives up in time",
        full_queue,
    )
    .because(
        "connect has no timeout, and the system tries for two minutes.",
        HERE,
    )
    .hints(&["In Python: socket.create_connection(address, timeout)."]),
    Check::client(
        "5/client/no-answer",
        "the end of the stream before an answer is an error",
        no_answer,
    )
    .because("An empty answer is taken for an answer.", HERE)
    .hints(&["Nothing came: say so, with status 1."]),
    Check::client(
        "5/client/refused",
        "when nobody listens, the client says so in one line, with status 1",
        refused,
    )
    .because(
        "The error of connect is not handled.",
        "lessons/01-bare-connect/README.md#break-it",
    )
    .hints(&["Lesson 1 shows which call fails, and how."]),
    Check::client(
        "5/forced/interrupted-client",
        "a receive of the client that is interrupted (EINTR) is made again",
        interrupted_client,
    )
    .because(
        "EINTR is taken for the end of the wait, or for an error of the call.",
        HERE,
    )
    .hints(&[
        "What does your receive say when the program was stopped with Ctrl-Z, and goes on?",
        "Receive again, with what is left of the time.",
    ])
    .observed(),
    Check::both(
        "5/both/talk",
        "your client and your server understand each other",
        talk,
    )
    .because(
        "Each keeps the contract only as it understood it.",
        CONTRACT,
    ),
];

const WELCOME: &[u8] = b"welcome to server!";
const GO: &[u8] = b"please go out!";

/// What the programs are told if a check says nothing else.
fn settings(bench: &mut Bench, timeout: &str, until: &str, deadline: &str) {
    bench.tell("timeout", timeout);
    bench.tell("until", until);
    bench.tell("deadline", deadline);
}

fn server(bench: &mut Bench, timeout: &str) -> Verdict<Program> {
    settings(bench, timeout, "receive", "3600");
    bench.server()
}

fn says_where(bench: &mut Bench) -> Verdict {
    let server = server(bench, "5")?;
    bench.says_where(&server, "listening on")
}

fn long_timeout(bench: &mut Bench) -> Verdict {
    let server = server(bench, "3600")?;
    let mut call = bench.call(&server)?;
    call.expect_silence(Duration::from_millis(150))?;
    call.send(b"1")?;
    call.expect(WELCOME)
}

fn no_timeout(bench: &mut Bench) -> Verdict {
    for wrong in ["0", "-1", "soon"] {
        settings(bench, wrong, "receive", "3600");
        let server = bench.start(Start::server().at(Address::Zero))?;
        let ending = bench.ends(&server)?;
        if ending.success() {
            return Err(Fault::program("a status that is not 0", "status 0"));
        }
        if let Some(line) = bench.stdout(&server).first() {
            return Err(Fault::program(
                "it does not listen",
                format!("it said {line:?}"),
            ));
        }
    }
    Ok(())
}

fn ask(bench: &mut Bench, request: &[u8], answer: &[u8]) -> Verdict {
    let server = server(bench, "5")?;
    let mut call = bench.call(&server)?;
    call.send(request)?;
    call.expect(answer)?;
    call.expect_end()
}

fn one(bench: &mut Bench) -> Verdict {
    ask(bench, b"1", WELCOME)
}

fn other(bench: &mut Bench) -> Verdict {
    ask(bench, b"11", GO)
}

fn no_text(bench: &mut Bench) -> Verdict {
    ask(bench, b"\xff\xfe1\x80", GO)
}

fn late(bench: &mut Bench) -> Verdict {
    let server = server(bench, "1.5")?;
    let mut call = bench.call(&server)?;
    call.expect_silence(Duration::from_millis(400))?;
    bench.step("we said nothing for 0.4 s");
    call.send(b"1")?;
    call.expect(WELCOME)
}

/// A caller that says nothing until the server hangs up.
/// Long enough that on a busy machine, too, it is seen who hung up before.
fn silent(bench: &mut Bench) -> Verdict<Program> {
    let server = server(bench, "0.6")?;
    let mut call = bench.call(&server)?;
    bench.step("we said nothing");
    let start = Instant::now();
    call.expect_end()?;
    if start.elapsed() < Duration::from_millis(500) {
        let seen = format!("the end of the stream after {:?}", start.elapsed());
        return Err(Fault::program("0.6 s of patience", seen));
    }
    Ok(server)
}

fn is_ended(bench: &mut Bench) -> Verdict {
    silent(bench).map(drop)
}

fn is_said(bench: &mut Bench) -> Verdict {
    let server = silent(bench)?;
    bench.says(&server, "time out")?;
    Ok(())
}

fn next_is_served(bench: &mut Bench, server: &Program) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    next.send(b"1")?;
    next.expect(WELCOME)
}

fn after_silence(bench: &mut Bench) -> Verdict {
    let server = silent(bench)?;
    next_is_served(bench, &server)
}

fn hangs_up(bench: &mut Bench) -> Verdict {
    let server = server(bench, "3600")?;
    let mut call = bench.call(&server)?;
    call.half_close()?;
    call.expect_end()?;
    next_is_served(bench, &server)
}

fn reset(bench: &mut Bench) -> Verdict {
    let server = server(bench, "5")?;
    bench.call(&server)?.reset()?;
    next_is_served(bench, &server)
}

fn million(bench: &mut Bench) -> Verdict {
    let server = server(bench, "5")?;
    let mut call = bench.call(&server)?;
    call.send_as_much_as_it_takes(&[b'1'; 1_000_000])?;
    call.hang_up();
    next_is_served(bench, &server)
}

fn lines(bench: &mut Bench, deadline: &str) -> Verdict<(Program, Peer)> {
    settings(bench, "5", "newline", deadline);
    let server = bench.server()?;
    let call = bench.call(&server)?;
    Ok((server, call))
}

fn line_whole(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send(b"1\n")?;
    call.expect(WELCOME)?;
    call.expect_end()
}

fn line_cut(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send_in_pieces(b"let me in\n", 1)?;
    call.expect(GO)
}

fn line_end_late(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send_cut(b"11\n", &[1])?;
    call.expect(GO)
}

fn carriage_return(bench: &mut Bench) -> Verdict {
    let (_server, mut call) = lines(bench, "10")?;
    call.send(b"1\r\n")?;
    call.expect(WELCOME)
}

fn drip(bench: &mut Bench) -> Verdict {
    let (server, mut call) = lines(bench, "0.6")?;
    bench.step("we sent one byte every 0.1 s, and no line end");
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        if call.send_quietly(b"x").is_err() || call.expect_silence(DROP).is_err() {
            return next_is_served_with_lines(bench, &server);
        }
    }
    Err(Fault::program(
        "the call is ended 0.6 s after it began",
        "it goes on after 3 s",
    ))
}

/// The time between two drops.
const DROP: Duration = Duration::from_millis(100);

fn next_is_served_with_lines(bench: &mut Bench, server: &Program) -> Verdict {
    let mut next = bench.call_as(server, "the next caller")?;
    next.send(b"1\n")?;
    next.expect(WELCOME)
}

fn without_end(bench: &mut Bench) -> Verdict {
    let (server, mut call) = lines(bench, "3600")?;
    call.send_as_much_as_it_takes(&[b'x'; 1_000_000])?;
    let (_, ending) = call.receive_to_end(1024)?;
    if ending == PeerEnding::Silence {
        return Err(Fault::program(
            "an end of the call after 1,024 bytes",
            "it goes on",
        ));
    }
    call.hang_up();
    next_is_served_with_lines(bench, &server)
}

fn client(bench: &mut Bench) -> Verdict<(Program, Peer)> {
    settings(bench, "5", "receive", "3600");
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"hello")?;
    Ok((client, call))
}

fn answer(bench: &mut Bench) -> Verdict {
    let (client, mut call) = client(bench)?;
    call.send(b"QWERT")?;
    call.hang_up();
    bench.says(&client, "QWERT")?;
    bench.ends_with_status(&client, 0)
}

fn client_cut(bench: &mut Bench) -> Verdict {
    let (client, mut call) = client(bench)?;
    call.send_in_pieces(b"QWERT", 1)?;
    call.hang_up();
    bench.ends_with_status(&client, 0)?;
    // Some show the answer as it comes, in pieces, others as a whole.
    let shown = bench.stdout(&client).join(" ");
    match shown.contains('T') {
        true => Ok(()),
        false => Err(Fault::program("the last letter of QWERT is shown", shown)),
    }
}

fn silent_server(bench: &mut Bench) -> Verdict {
    settings(bench, "0.3", "receive", "3600");
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.expect(b"hello")?;
    bench.step("our server said nothing");
    bench.ends_with_one_line(&client)?;
    Ok(())
}

fn full_queue(bench: &mut Bench) -> Verdict {
    settings(bench, "0.3", "receive", "3600");
    let ours = bench.listen_with_backlog(0)?;
    let _first = bench.fill(&ours)?;
    // It listens as long as the client calls: the kernel calls again and again, and
    // would be refused in the moment between our end and that of the client.
    std::mem::forget(ours);
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client)?;
    Ok(())
}

fn no_answer(bench: &mut Bench) -> Verdict {
    let (client, call) = client(bench)?;
    call.hang_up();
    bench.ends_with_one_line(&client)?;
    Ok(())
}

fn refused(bench: &mut Bench) -> Verdict {
    settings(bench, "5", "receive", "3600");
    bench.step("nobody listens");
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client)?;
    Ok(())
}

fn talk(bench: &mut Bench) -> Verdict {
    let server = server(bench, "5")?;
    let client = bench.client(&["1"])?;
    bench.says(&client, "welcome to server!")?;
    bench.ends_with_status(&client, 0)?;
    bench.still_runs(&server)
}

fn interrupted(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Nth(1), errno::EINTR);
    let what = "the first receive of each call will be interrupted (EINTR)";
    bench.change(what, vec![fails])?;
    let server = server(bench, "5")?;
    let mut call = bench.call(&server)?;
    // It was interrupted before there was anything to receive.
    bench.settle();
    call.send(b"1")?;
    call.expect(WELCOME)?;
    call.expect_end()
}

fn interrupted_client(bench: &mut Bench) -> Verdict {
    let fails = Change::fail(Calls::Receive, Which::Every(2), errno::EINTR).in_the_program();
    let what = "each second receive will be interrupted (EINTR)";
    bench.change(what, vec![fails])?;
    answer(bench)
}
