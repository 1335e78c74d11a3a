//! The checks of this lesson: to wait, but not for ever. `lesson-5 check
//! --list` shows them.

mod client;
mod server;

use check::{Bench, Check, Lesson, Verdict};

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
        server::says_where,
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "5/start/long-timeout",
        "a timeout of 3,600 s is taken",
        server::long_timeout,
    )
    .because(
        "The number is too large for a type on its way, such as milliseconds.",
        CONTRACT,
    )
    .hints(&["Which unit does your call want, and how large may the number be?"]),
    Check::server(
        "5/start/no-timeout",
        "a timeout of 0, below 0, or that is no number, is refused at once",
        server::no_timeout,
    )
    .because(
        "Zero means \"for ever\" to the kernel and \"at once\" to Python. Neither was asked for.",
        HERE,
    )
    .hints(&["Look at the number before you listen: what is not above 0 ends the program."]),
    Check::server("5/request/one", "1 is welcome", server::one)
        .because("The answer to 1 is not \"welcome to server!\".", CONTRACT)
        .hints(&["Compare the bytes that came with the one byte 1."]),
    Check::server(
        "5/request/other",
        "anything else is not welcome",
        server::other,
    )
    .because("The answer is not \"please go out!\".", CONTRACT)
    .hints(&["Only the one byte 1 is welcome. 11 is something else."]),
    Check::server(
        "5/request/no-text",
        "bytes that are no text are not welcome",
        server::no_text,
    )
    .because(
        "The bytes are decoded as text, and the error ends the call or the server.",
        HERE,
    )
    .hints(&["Compare bytes with bytes."]),
    Check::server(
        "5/request/late",
        "a caller that speaks in time is served",
        server::late,
    )
    .because(
        "The timeout is shorter than it was set to, or is none.",
        HERE,
    )
    .hints(&["The unit of TIMEOUT is seconds, and it may be a fraction."]),
    Check::server(
        "5/silence/is-ended",
        "a silent caller is hung up on when the time is over",
        server::is_ended,
    )
    .because("The receive has no timeout and waits for ever.", HERE)
    .hints(&[
        "Which call waits while the caller is silent?",
        "Set a timeout before the receive. In Python: connection.settimeout(seconds).",
    ]),
    Check::server(
        "5/silence/is-said",
        "after silence the server says \"time out\"",
        server::is_said,
    )
    .because(
        "The timeout is taken for another error, or is not logged.",
        CONTRACT,
    )
    .hints(&["Three things can come of a receive: bytes, the end, or nothing in time."]),
    Check::server(
        "5/silence/next",
        "after a silent caller the next one is served",
        server::after_silence,
    )
    .because(
        "The timeout is an exception that nobody catches, and ends the server.",
        HERE,
    )
    .hints(&["Catch the timeout where one call is served, not around all of them."]),
    Check::server(
        "5/callers/hangs-up",
        "a caller that hangs up is no timeout",
        server::hangs_up,
    )
    .because(
        "0 bytes are taken for silence. They are the end of the stream.",
        HERE,
    )
    .hints(&["The end of the stream comes at once. Do not wait after it."]),
    Check::server(
        "5/callers/reset",
        "after a reset the next caller is served",
        server::reset,
    )
    .because("The error of recv (ECONNRESET) is not caught.", HERE)
    .hints(&["Catch all errors of one call, not the timeout alone."]),
    Check::server(
        "5/callers/million",
        "after a caller with a million bytes the next is served",
        server::million,
    )
    .because(
        "An error of send is not caught: bytes were unread, so the close is a reset.",
        HERE,
    )
    .hints(&["One receive, one answer, close. Errors of this call end this call."]),
    Check::server("5/lines/whole", "a line is a request", server::line_whole)
        .because(
            "The line end is compared, too, or UNTIL=newline is not looked at.",
            CONTRACT,
        )
        .hints(&["With UNTIL=newline the request is what stands before the line end."]),
    Check::server(
        "5/lines/one-byte-at-a-time",
        "a line cut into single bytes is one request",
        server::line_cut,
    )
    .because("One receive is taken for a request.", HERE)
    .hints(&["Collect what comes until there is a line end in it."]),
    Check::server(
        "5/lines/cut-before-its-end",
        "a line whose end comes late is one request",
        server::line_end_late,
    )
    .because("The request is taken before its line end is there.", HERE)
    .hints(&["\"1\" alone is not yet the request 1: it may become 11."]),
    Check::server(
        "5/lines/carriage-return",
        "a line may end in CR LF",
        server::carriage_return,
    )
    .because("The CR is taken for a part of the request.", CONTRACT)
    .hints(&["Take one \\r off the end, if there is one."]),
    Check::server(
        "5/lines/drip",
        "a caller that drips is ended by the deadline",
        server::drip,
    )
    .because("The timeout starts anew with each byte.", HERE)
    .hints(&[
        "How long can a caller hold you that sends one byte now and then?",
        "Take the time once, and give each receive only what is left.",
    ]),
    Check::server(
        "5/lines/without-end",
        "a line without an end does not fill the memory",
        server::without_end,
    )
    .because("What comes is kept without a limit.", HERE)
    .hints(&["A request has room for 1,024 bytes, and no more."]),
    Check::server(
        "5/forced/interrupted",
        "a receive that is interrupted (EINTR) is made again",
        server::interrupted,
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
        client::answer,
    )
    .because(
        "The line is not sent, or the answer is not shown.",
        CONTRACT,
    )
    .hints(&["Each line of the input is a call of its own."]),
    Check::client(
        "5/client/one-byte-at-a-time",
        "an answer in single bytes is received to its end",
        client::client_cut,
    )
    .because(
        "One receive is taken for the answer. It ends where the stream ends.",
        HERE,
    )
    .hints(&["Receive until a receive gives 0 bytes, then show what you have."]),
    Check::client(
        "5/client/silent-server",
        "when the server is silent, the client gives up in time",
        client::silent_server,
    )
    .because("The receive has no timeout.", HERE)
    .hints(&["Set a timeout before the receive."]),
    Check::client(
        "5/client/full-queue",
        "when nobody takes the call, the client gives up in time",
        client::full_queue,
    )
    .because(
        "connect has no timeout, and the system tries for two minutes.",
        HERE,
    )
    .hints(&["In Python: socket.create_connection(address, timeout)."]),
    Check::client(
        "5/client/no-answer",
        "the end of the stream before an answer is an error",
        client::no_answer,
    )
    .because("An empty answer is taken for an answer.", HERE)
    .hints(&["Nothing came: say so, with status 1."]),
    Check::client(
        "5/client/refused",
        "when nobody listens, the client says so in one line, with status 1",
        client::refused,
    )
    .because(
        "The error of connect is not handled.",
        "lessons/01-bare-connect/README.md#break-it",
    )
    .hints(&["Lesson 1 shows which call fails, and how."]),
    Check::client(
        "5/forced/interrupted-client",
        "a receive of the client that is interrupted (EINTR) is made again",
        client::interrupted_client,
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

/// What the programs are told if a check says nothing else.
fn settings(bench: &mut Bench, timeout: &str, until: &str, deadline: &str) {
    bench.tell("timeout", timeout);
    bench.tell("until", until);
    bench.tell("deadline", deadline);
}

fn talk(bench: &mut Bench) -> Verdict {
    let server = server::start(bench, "5")?;
    let client = bench.client(&["1"])?;
    bench.says(&client, "welcome to server!")?;
    bench.ends_with_status(&client, 0)?;
    bench.still_runs(&server)
}
