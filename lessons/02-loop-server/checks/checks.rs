//! The checks of this lesson: two loops, and nothing that a caller does ends
//! them. `lesson-2 check --list` shows them.

mod client;
mod server;

use check::{Bench, Calls, Change, Check, Lesson, Verdict, Which};

const HERE: &str = "lessons/02-loop-server/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/02-loop-server/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 2,
    port: 8080,
    server: "server --addr {addr}",
    client: "client --addr {addr}",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check::server(
        "2/start/says-where",
        "the server says where it listens before it is called",
        server::says_where,
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "2/message/hello",
        "a message comes back in upper case",
        server::hello,
    )
    .because(
        "The answer is not what was received, in ASCII upper case. If there is none: the server \
         waits for more bytes than a message has, or for the end of the call.",
        CONTRACT,
    )
    .hints(&["Change the letters a to z and leave all other bytes as they are."]),
    Check::server(
        "2/message/several",
        "several messages of one call are answered in turn",
        server::several,
    )
    .because(
        "The inner loop is missing: the server answers once and closes.",
        HERE,
    )
    .hints(&[
        "There are two loops, one in the other. Which one does a second message need?",
        "Receive again after each answer, until a receive gives 0 bytes.",
    ]),
    Check::server(
        "2/message/one-byte-at-a-time",
        "a message cut into single bytes loses none",
        server::one_byte_at_a_time,
    )
    .because("One receive is taken for one message.", HERE)
    .hints(&["A receive brings some bytes. Answer what it brought, and receive again."]),
    Check::server(
        "2/message/cut-in-a-character",
        "a character cut in two comes back whole",
        server::cut_in_a_character,
    )
    .because(
        "Each piece is decoded as text by itself, and half a character is no text.",
        HERE,
    )
    .hints(&[
        "What does decode() say to the first byte of 你?",
        "The server need not know text. Work on bytes from recv to send.",
    ]),
    Check::server(
        "2/message/no-text",
        "bytes that are no text come back as they were",
        server::no_text,
    )
    .because("The bytes are decoded as text on their way.", CONTRACT)
    .hints(&["Work on bytes. Python: bytes.upper() changes ASCII letters only."]),
    Check::server(
        "2/message/a-million-bytes",
        "1 MiB comes back, each byte of it",
        server::a_million_bytes,
    )
    .because(
        "What a send did not take is not sent again, or one receive is taken for all.",
        HERE,
    )
    .hints(&[
        "How many bytes did send take? It tells.",
        "Send the rest in a loop, as sendall and write_all do.",
    ]),
    Check::server(
        "2/call/half-close",
        "a caller that has ended its sending side gets its answer",
        server::half_close,
    )
    .because(
        "The end of the stream is taken for the end of the call before the answer is sent.",
        CONTRACT,
    )
    .hints(&["Answer what came before the end of the stream, then close."]),
    Check::server(
        "2/call/end-of-stream",
        "when the caller hangs up, the server closes its end, too",
        server::end_of_stream,
    )
    .because(
        "A receive of 0 bytes is taken for an empty message. The loop spins, or waits for more.",
        HERE,
    )
    .hints(&[
        "What does recv give when the other side has closed?",
        "0 bytes are no message: leave the inner loop, and close the connection.",
    ]),
    Check::server(
        "2/callers/next",
        "after a call the next caller is served",
        server::next_caller,
    )
    .because(
        "The outer loop is missing: the server takes one call and ends.",
        HERE,
    )
    .hints(&["After the close, accept again."]),
    Check::server(
        "2/callers/without-a-word",
        "a caller that hangs up without a word does not end the server",
        server::without_a_word,
    )
    .because(
        "An empty receive at the start of a call is not expected.",
        HERE,
    )
    .hints(&["The first receive of a call may be the last one."]),
    Check::server(
        "2/callers/reset",
        "a caller that resets its connection does not end the server",
        server::reset,
    )
    .because(
        "The error of recv (ECONNRESET) is not caught and ends the program.",
        HERE,
    )
    .hints(&[
        "Which of your calls fails when the caller resets?",
        "Catch the errors of one call inside the outer loop: they end the call, not the server.",
    ]),
    Check::server(
        "2/callers/reset-in-mid-message",
        "a reset between two pieces of a message does not end the server",
        server::reset_in_mid_message,
    )
    .because("The error of recv (ECONNRESET) is not caught.", HERE)
    .hints(&["Catch the errors of one call inside the outer loop."]),
    Check::server(
        "2/callers/never-receives",
        "a caller that leaves without having received anything does not end the server",
        server::never_receives,
    )
    .because(
        "The error of send (EPIPE or ECONNRESET) is not caught, or the signal SIGPIPE kills it.",
        HERE,
    )
    .hints(&[
        "A send can fail, too: the caller is gone, and the answer has nowhere to go.",
        "In C, ignore SIGPIPE or pass MSG_NOSIGNAL; then send says EPIPE.",
    ]),
    Check::server(
        "2/callers/hundred-in-a-row",
        "a hundred callers in a row, with 64 open files",
        server::hundred_in_a_row,
    )
    .because(
        "Connections are not closed, and each takes a descriptor.",
        CONTRACT,
    )
    .hints(&["Close the connection on each way out of the inner loop, also after an error."]),
    Check::server(
        "2/forced/short-reads",
        "the server bears that each receive brings a single byte",
        server::short_reads,
    )
    .because("One receive is taken for all that was sent.", HERE)
    .hints(&["The kernel may give fewer bytes than you asked for, at any time."])
    .observed(),
    Check::server(
        "2/forced/short-writes",
        "the server bears that each send takes three bytes",
        server::short_writes,
    )
    .because("What a send did not take is not sent again.", HERE)
    .hints(&[
        "A send says how many bytes it took. What became of the others?",
        "Send the rest in a loop, as sendall and write_all do.",
    ])
    .observed(),
    Check::server(
        "2/forced/accept-fails",
        "an accept that fails does not end the server",
        server::accept_fails,
    )
    .because(
        "The error of accept is not caught. It concerns one caller, or passes.",
        HERE,
    )
    .hints(&["Say the error, rest for a moment, and accept again."])
    .observed(),
    Check::server(
        "2/forced/receive-fails",
        "a receive that fails ends that call, and not the server",
        server::receive_fails,
    )
    .because(
        "The error of recv (ECONNRESET) is not caught and ends the program.",
        HERE,
    )
    .hints(&["Catch the error where one call is served, close that call, and accept the next."])
    .observed(),
    Check::server(
        "2/forced/interrupted",
        "a signal that interrupts a call (EINTR) does not end the server",
        server::interrupted,
    )
    .because(
        "EINTR is taken for a failure of the listener, or of the whole program.",
        "lessons/05-timeout/README.md#what-you-saw-and-why",
    )
    .hints(&[
        "What does your accept say when a signal comes while it waits?",
        "Nothing has happened: accept again. Python and Rust do so by themselves, C does not.",
    ])
    .observed(),
    Check::client(
        "2/client/answer",
        "the client sends its lines and shows the answers",
        client::answer,
    )
    .because(
        "The client does not send the line, or does not show what it received.",
        CONTRACT,
    )
    .hints(&["Each line of the input is a message, without its line end."]),
    Check::client(
        "2/client/one-byte-at-a-time",
        "an answer that comes byte by byte is received whole",
        client::client_one_byte,
    )
    .because("One receive is taken for the whole answer.", HERE)
    .hints(&[
        "You know how long the answer is. Count what you have.",
        "Receive in a loop until you have as many bytes as you sent.",
    ]),
    Check::client(
        "2/client/two-answers-at-once",
        "two answers that come at once are two answers",
        client::two_at_once,
    )
    .because(
        "The client takes more bytes than its answer has; the rest was the next answer.",
        HERE,
    )
    .hints(&["Ask a receive for no more than what is missing."]),
    Check::client(
        "2/client/a-million-bytes",
        "1 MiB goes through a server that answers while it receives",
        client::client_million,
    )
    .because(
        "The client sends all before it receives. Both sides wait for each other, for ever.",
        HERE,
    )
    .hints(&[
        "Where do the answers stay while you are still sending?",
        "Send a part, receive its answer, and so on; or send and receive in two threads.",
    ]),
    Check::client(
        "2/client/end-in-mid-answer",
        "when the server hangs up in mid-answer, the client says so, with status 1",
        client::end_in_mid_answer,
    )
    .because(
        "Half an answer is taken for an answer, or the client waits for ever.",
        HERE,
    )
    .hints(&["0 bytes before the count is full are an error of their own."]),
    Check::client(
        "2/client/reset",
        "when the server resets, the client says reset, with status 1",
        client::client_reset,
    )
    .because(
        "An error of recv is not handled, or is called the end of the stream.",
        HERE,
    )
    .hints(&["The end of the stream is 0 bytes; a reset is an error. Say which it was."]),
    Check::client(
        "2/client/refused",
        "when nobody listens, the client says so in one line, with status 1",
        client::refused,
    )
    .because(
        "The error of connect is not handled.",
        "lessons/01-bare-connect/README.md#break-it",
    )
    .hints(&["Lesson 1 shows which call fails, and how."]),
    Check::client(
        "2/forced/short-reads-of-the-client",
        "the client bears that each receive brings a single byte",
        client::short_reads_of_client,
    )
    .because("One receive is taken for all that was sent.", HERE)
    .hints(&["The kernel may give fewer bytes than you asked for, at any time."])
    .observed(),
    Check::client(
        "2/forced/short-writes-of-the-client",
        "the client bears that each send takes three bytes",
        client::short_writes_of_client,
    )
    .because("What a send did not take is not sent again.", HERE)
    .hints(&[
        "A send says how many bytes it took. What became of the others?",
        "Send the rest in a loop, as sendall and write_all do.",
    ])
    .observed(),
    Check::client(
        "2/forced/interrupted-client",
        "a client that is interrupted (EINTR) goes on, or says so with status 1",
        client::interrupted_client,
    )
    .because(
        "EINTR is taken for the end of the answer.",
        "lessons/05-timeout/README.md#what-you-saw-and-why",
    )
    .hints(&[
        "Which values can your receive give back, and what does each of them mean?",
        "A signal came before there was a byte: receive again.",
    ])
    .observed(),
    Check::both(
        "2/both/talk",
        "your client and your server understand each other",
        talk,
    )
    .because(
        "Each keeps the contract only as it understood it.",
        CONTRACT,
    ),
];

/// Bytes in which each place looks different from its neighbourhood.
fn million() -> Vec<u8> {
    let letter = |i: usize| b'a' + ((i * i / 7 + i) % 26) as u8;
    (0..1 << 20).map(letter).collect()
}

fn talk(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let client = bench.client(&["hello", "a second message"])?;
    bench.says(&client, "HELLO")?;
    bench.says(&client, "A SECOND MESSAGE")?;
    bench.ends_with_status(&client, 0)?;
    bench.still_runs(&server)
}

/// Each receive, or each send, of the program does a part of what was asked.
fn cut(bench: &mut Bench, calls: Calls, most: u64) -> Verdict {
    let what = match calls {
        Calls::Receive => "each receive of your program will bring at most",
        _ => "each send of your program will take at most",
    };
    let what = format!("{what} {most} byte{}", if most == 1 { "" } else { "s" });
    bench.change(&what, vec![Change::cut(calls, most)])
}

/// Whoever serves byte by byte has received one byte when this call fails.
const SECOND: Which = Which::Nth(2);
