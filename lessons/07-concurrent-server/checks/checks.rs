//! The checks of this lesson: nobody waits for somebody else. `lesson-7 check
//! --list` shows them.

use std::time::Duration;

use check::{Bench, Check, Launch, Lesson, Verdict};

mod client;
mod server;

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
        server::says_where,
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "7/message/hello",
        "messages come back in upper case",
        server::hello,
    )
    .because(
        "The answer is not what was received, in ASCII upper case.",
        CONTRACT,
    )
    .hints(&["This part is lesson 2. Run its checks first."]),
    Check::server(
        "7/message/one-byte-at-a-time",
        "a message cut into single bytes loses none",
        server::one_byte,
    )
    .because("One receive is taken for one message.", CONTRACT)
    .hints(&["This part is lesson 2. Run its checks first."]),
    Check::server(
        "7/message/twenty-million-bytes",
        "20,000,000 bytes come back, each of them",
        server::large,
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
        server::one_silent,
    )
    .because(
        "The server waits in the receive of one call, and serves nobody else.",
        HERE,
    )
    .hints(TAKE_ON),
    Check::server(
        "7/callers/hundred-silent",
        "while a hundred callers are silent, the next one is served",
        server::hundred_silent,
    )
    .because("There are fewer threads or places than callers.", HERE)
    .hints(&["How many calls can you serve at once? A pool has an end."]),
    Check::server(
        "7/callers/two-hundred-at-once",
        "two hundred callers at once get their own answers",
        server::two_hundred,
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
        server::in_mid_message,
    )
    .because(
        "The server waits for the rest of a message, and serves nobody else.",
        HERE,
    )
    .hints(TAKE_ON),
    Check::server(
        "7/callers/reset",
        "a reset ends that call, and no other",
        server::reset,
    )
    .because(
        "The error of one call ends the program, or the loop that serves all.",
        HERE,
    )
    .hints(&["Catch all errors where one call is served."]),
    Check::server(
        "7/callers/hang-up",
        "fifty callers that hang up cost nobody anything",
        server::hang_up,
    )
    .because(
        "A thread or an entry of the event loop spins at the end of the stream.",
        HERE,
    )
    .hints(&["0 bytes: take the socket out of the loop, and close it."]),
    Check::server(
        "7/callers/never-receives",
        "a caller that does not receive keeps nobody, and loses nothing",
        server::never_receives,
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
        server::accept_fails,
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
        server::interrupted,
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
        client::crowd_right,
    )
    .because("The crowd does not wait for the whole answer.", CONTRACT)
    .hints(&["Count: an answer is as long as its message."]),
    Check::client(
        "7/client/one-wrong-byte",
        "the crowd notices one wrong byte",
        client::crowd_wrong_byte,
    )
    .because("The length is compared, and not the bytes.", CONTRACT)
    .hints(&["Compare each answer with what it must be."]),
    Check::client(
        "7/client/one-too-few",
        "the crowd notices an answer that is one byte short",
        client::crowd_too_few,
    )
    .because(
        "The end of the stream is taken for the end of the answer.",
        CONTRACT,
    )
    .hints(&["0 bytes before the count is full are an error."]),
    Check::client(
        "7/client/one-too-many",
        "the crowd notices an answer with one byte too many",
        client::crowd_too_many,
    )
    .because("Nobody looks whether more comes.", CONTRACT)
    .hints(&["After the last answer, end the sending side, and receive until the end."]),
    Check::client(
        "7/crowd/all-at-once",
        "a crowd of five makes five calls before one of them is answered",
        client::all_at_once,
    )
    .because(
        "One client of the crowd waits for the end of another.",
        CONTRACT,
    )
    .hints(&[
        "Where does your crowd sit while its first client waits for an answer?",
        "Launch all clients, each in a thread of its own, and only then wait for their ends.",
    ]),
    Check::client(
        "7/crowd/one-wrong-byte",
        "one wrong byte for one client of five is noticed",
        client::one_of_five_wrong,
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
        client::one_of_five_cut,
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

fn both_talk(bench: &mut Bench) -> Verdict {
    bench.tell("clients", "20");
    bench.tell("messages", "3");
    let server = bench.server()?;
    let client = bench.start(Launch::client().input("hello\n"))?;
    bench.ends_with_status(&client, 0)?;
    bench.still_runs(&server)
}
