//! The checks of this lesson: where a message ends, whatever is done to the
//! stream. `lesson-6 check --list` shows them.

mod client;
mod server;
mod speak;

use check::{Bench, Calls, Change, Check, Lesson, Verdict};

const HERE: &str = "lessons/06-sticky-packets/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/06-sticky-packets/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 6,
    port: 8083,
    server: "server --addr {addr} --root {folder}",
    client: "client --addr {addr} --into {folder}",
    checks: CHECKS,
};

const ONE_RECEIVE: &str = "One receive is taken for one message.";
const EXACTLY: &[&str] = &[
    "Which of your receives could bring less than you asked for, or more than one message?",
    "Write one function: receive exactly N bytes. The length, the header and the body call it.",
    "It loops: ask for what is missing, never for more, and stop with an error at 0 bytes.",
];
const NAMES: &[&str] = &[
    "A name from a stranger is a claim. Where does it lead?",
    "Take names without a separator only, resolve them, and see whether that is in the folder.",
];
const NEXT: &[&str] =
    &["Catch the errors of one call where one call is served; then accept the next one."];

const CHECKS: &[Check] = &[
    Check::server(
        "6/start/says-where",
        "the server says where it listens",
        server::says_where,
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "6/request/get",
        "a file is sent with its size and digest",
        server::get,
    )
    .because(
        "The length is not 4 bytes with the most significant first, or the header is other.",
        HERE,
    )
    .hints(&[
        "Compare the first 4 bytes that you send with those of our server.",
        "Network byte order: in Python struct.pack(\"!I\", n), in Rust n.to_be_bytes().",
    ]),
    Check::server(
        "6/request/list",
        "the list has a line for each file",
        server::list,
    )
    .because(
        "A line is not \"SIZE NAME\", or the names are not sorted.",
        CONTRACT,
    )
    .hints(&["Each line: the size in digits, a space, the name, a line end."]),
    Check::server(
        "6/request/empty-file",
        "an empty file has a header and no body",
        server::empty_file,
    )
    .because(
        "0 bytes of body are taken for an error, or nothing at all is sent.",
        CONTRACT,
    )
    .hints(&["Send the header with size 0. No body follows, and the call goes on."]),
    Check::server(
        "6/request/name-in-utf-8",
        "a name beyond ASCII is found",
        server::chinese_name,
    )
    .because(
        "The length of the header counts characters, not bytes.",
        HERE,
    )
    .hints(&["Turn the header into bytes first, then take the length of the bytes."]),
    Check::server(
        "6/request/large",
        "64 MiB are sent in constant memory",
        server::large,
    )
    .because(
        "The whole file is read into memory before it is sent.",
        HERE,
    )
    .hints(&["Read a piece, send it, read the next: 64 KiB at a time."]),
    Check::server(
        "6/frames/one-byte-at-a-time",
        "a message cut into single bytes is one message",
        server::one_byte_at_a_time,
    )
    .because(ONE_RECEIVE, HERE)
    .hints(EXACTLY),
    Check::server(
        "6/frames/cut-in-the-length",
        "a cut inside the length does no harm",
        server::cut_in_length,
    )
    .because("recv(4) is taken for 4 bytes. It gives at most 4.", HERE)
    .hints(EXACTLY),
    Check::server(
        "6/frames/cut-in-the-header",
        "a cut inside the header does no harm",
        server::cut_in_header,
    )
    .because(ONE_RECEIVE, HERE)
    .hints(EXACTLY),
    Check::server(
        "6/frames/cut-in-a-character",
        "a cut inside a character does no harm",
        server::cut_in_character,
    )
    .because(
        "Each piece is decoded by itself, and half a character is no text.",
        HERE,
    )
    .hints(&["Collect all bytes of the header first; decode them once."]),
    Check::server(
        "6/frames/glued",
        "two messages in one send are two messages",
        server::glued,
    )
    .because(
        "More is received than the message has; the rest was the next one.",
        HERE,
    )
    .hints(EXACTLY),
    Check::server(
        "6/frames/one-and-a-half",
        "a message and a half are two, when the rest comes",
        server::one_and_a_half,
    )
    .because(
        "What was received beyond the first message is thrown away.",
        HERE,
    )
    .hints(EXACTLY),
    Check::server(
        "6/frames/hundred-at-once",
        "a hundred messages in one send have a hundred answers",
        server::hundred_at_once,
    )
    .because("More is received than the message has.", HERE)
    .hints(EXACTLY),
    Check::server(
        "6/frames/random-cuts",
        "five messages, cut anywhere, are five messages",
        server::random_cuts,
    )
    .because(ONE_RECEIVE, HERE)
    .hints(EXACTLY),
    Check::server(
        "6/limits/longest-header",
        "a header of 65,536 bytes is taken",
        server::longest_header,
    )
    .because(
        "The limit is lower, or a receive of so many bytes is taken for all.",
        CONTRACT,
    )
    .hints(EXACTLY),
    Check::server(
        "6/limits/too-long-header",
        "a header of 65,537 bytes has an error for an answer, and the end",
        server::too_long_header,
    )
    .because(
        "The length is trusted, and the server waits for the bytes.",
        HERE,
    )
    .hints(&["A length from a stranger is a claim: compare it with 65,536 before you receive."]),
    Check::server(
        "6/limits/four-gigabytes",
        "an announced header of 4 GiB takes no memory",
        server::four_gigabytes,
    )
    .because(
        "The length is trusted, and memory for it is put aside.",
        HERE,
    )
    .hints(&["Compare the length with 65,536 before you make room for it."]),
    Check::server(
        "6/limits/broken-json",
        "broken JSON has an error for an answer, and the call goes on",
        server::broken_json,
    )
    .because(
        "The error of the JSON parser ends the call or the server.",
        CONTRACT,
    )
    .hints(&["You know where the next message begins. So the call can go on."]),
    Check::server(
        "6/limits/no-text",
        "a header that is no text is an error, and the call goes on",
        server::no_text,
    )
    .because(
        "The error of decoding ends the call or the server.",
        CONTRACT,
    )
    .hints(&["A decoder fails with another error than the parser. Catch both."]),
    Check::server(
        "6/limits/other-json",
        "JSON that is no request is an error, and the call goes on",
        server::other_json,
    )
    .because(
        "A field is taken without a look whether it is there.",
        CONTRACT,
    )
    .hints(&["JSON can be a list, a number, or an object without the field."]),
    Check::server(
        "6/ends/between-messages",
        "the end of the stream between messages is an orderly end",
        server::end_between,
    )
    .because("0 bytes are not noticed where a length was expected.", HERE)
    .hints(NEXT),
    Check::server(
        "6/ends/in-the-length",
        "the end of the stream in a length ends this call alone",
        server::end_in_length,
    )
    .because(
        "The function that receives exactly N bytes spins at the end of the stream.",
        HERE,
    )
    .hints(NEXT),
    Check::server(
        "6/ends/in-the-header",
        "the end of the stream in a header ends this call alone",
        server::end_in_header,
    )
    .because(
        "The function that receives exactly N bytes spins at the end of the stream.",
        HERE,
    )
    .hints(NEXT),
    Check::server(
        "6/ends/reset",
        "a reset in mid-message ends this call alone",
        server::reset_in_header,
    )
    .because(
        "The error of recv (ECONNRESET) is not caught and ends the program.",
        HERE,
    )
    .hints(NEXT),
    Check::server(
        "6/ends/gone-in-mid-body",
        "a client that leaves in mid-body ends this call alone",
        server::gone_in_body,
    )
    .because(
        "The error of send is not caught and ends the program.",
        HERE,
    )
    .hints(NEXT),
    Check::server(
        "6/names/parent",
        "../secret.txt is refused",
        server::name_parent,
    )
    .because("The name is joined to the folder and opened.", HERE)
    .hints(NAMES),
    Check::server(
        "6/names/absolute",
        "an absolute name is refused",
        server::name_absolute,
    )
    .because(
        "Joined to a folder, an absolute name replaces it in most languages.",
        HERE,
    )
    .hints(NAMES),
    Check::server(
        "6/names/link",
        "a link that leads out of the folder is refused",
        server::name_link,
    )
    .because(
        "The name looks harmless. Where it leads is not looked at.",
        HERE,
    )
    .hints(NAMES),
    Check::server(
        "6/names/fifo",
        "a FIFO is refused at once",
        server::name_fifo,
    )
    .because("open waits for somebody who writes into the FIFO.", HERE)
    .hints(&["Look before you open: only regular files are sent."]),
    Check::server(
        "6/names/missing",
        "a name that is not there is an error, and the call goes on",
        server::name_missing,
    )
    .because("The error of open ends the call or the server.", CONTRACT)
    .hints(&["Answer {\"status\":\"error\",\"reason\":\"…\"} and go on."]),
    Check::server(
        "6/forced/short-reads",
        "the server bears that each receive brings a single byte",
        server::short_reads,
    )
    .because(ONE_RECEIVE, HERE)
    .hints(EXACTLY)
    .observed(),
    Check::server(
        "6/forced/short-writes",
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
        "6/forced/interrupted",
        "receives that are interrupted (EINTR) are made again",
        server::interrupted,
    )
    .because(
        "EINTR is taken for an error of the call.",
        "lessons/05-timeout/README.md#exercise",
    )
    .hints(&["A signal came before there was a byte: receive again."])
    .observed(),
    Check::client(
        "6/client/get",
        "a file is saved as it was sent",
        client::get,
    )
    .because(
        "The request has another form, or the body is not written as it came.",
        CONTRACT,
    )
    .hints(&["The request is {\"request\":\"get\",\"name\":\"…\"}, with its length in front."]),
    Check::client(
        "6/client/one-byte-at-a-time",
        "an answer cut into single bytes is one answer",
        client::one_byte_at_a_time,
    )
    .because(ONE_RECEIVE, HERE)
    .hints(EXACTLY),
    Check::client(
        "6/client/glued",
        "two answers that come at once are two files",
        client::glued,
    )
    .because(
        "More is received than the answer has; the rest was the next one.",
        HERE,
    )
    .hints(EXACTLY),
    Check::client(
        "6/client/random-cuts",
        "an answer cut anywhere is one answer",
        client::random_cuts,
    )
    .because(ONE_RECEIVE, HERE)
    .hints(EXACTLY),
    Check::client(
        "6/client/empty-file",
        "an empty file is saved",
        client::empty_file,
    )
    .because("The client waits for a body that has no bytes.", CONTRACT)
    .hints(&["With size 0 there is nothing to receive. The file is there all the same."]),
    Check::client(
        "6/client/large",
        "64 MiB are saved in constant memory",
        client::large,
    )
    .because(
        "The whole body is collected in memory before it is written.",
        HERE,
    )
    .hints(&["Write each piece when it has come."]),
    Check::client(
        "6/client/refusal",
        "a refusal is no file, and the next request goes on",
        client::refusal,
    )
    .because("The reason is saved as if it were the file.", CONTRACT)
    .hints(&["Look at the status of the header before you make a file."]),
    Check::client(
        "6/client/wrong-digest",
        "with a wrong digest there is no new file",
        client::wrong_digest,
    )
    .because(
        "The digest is not compared, or the file has its name before that.",
        HERE,
    )
    .hints(&["Write under a temporary name, compare, and rename at the end."]),
    Check::client(
        "6/client/end-in-mid-body",
        "when the stream ends in mid-body there is no new file",
        client::end_in_body,
    )
    .because(
        "Half a body is taken for a body, or the file has its name before it is whole.",
        HERE,
    )
    .hints(&["0 bytes before the size is reached are an error. Remove what you have."]),
    Check::client(
        "6/client/end-in-the-length",
        "when the stream ends in a length the client says so",
        client::end_in_length,
    )
    .because(
        "The function that receives exactly N bytes spins at the end of the stream.",
        HERE,
    )
    .hints(EXACTLY),
    Check::client(
        "6/client/four-gigabytes",
        "an announced header of 4 GiB is an error",
        client::four_gigabytes,
    )
    .because("The length is trusted.", HERE)
    .hints(&["Compare the length with 65,536 before you make room for it."]),
    Check::client(
        "6/client/refused",
        "when nobody listens, the client says so in one line, with status 1",
        client::refused,
    )
    .because(
        "The error of connect is not handled.",
        "lessons/01-bare-connect/README.md#break-it",
    )
    .hints(&["Lesson 1 shows which call fails, and how."]),
    Check::client(
        "6/forced/short-reads-of-the-client",
        "the client bears that each receive brings a single byte",
        client::short_reads,
    )
    .because("One receive is taken for all that was sent.", HERE)
    .hints(&["The kernel may give fewer bytes than you asked for, at any time."])
    .observed(),
    Check::client(
        "6/forced/short-writes-of-the-client",
        "the client bears that each send takes three bytes",
        client::short_writes,
    )
    .because("What a send did not take is not sent again.", HERE)
    .hints(&[
        "A send says how many bytes it took. What became of the others?",
        "Send the rest in a loop, as sendall and write_all do.",
    ])
    .observed(),
    Check::client(
        "6/forced/interrupted-client",
        "receives of the client that are interrupted (EINTR) are made again",
        client::interrupted,
    )
    .because(
        "EINTR is taken for an error of the call.",
        "lessons/05-timeout/README.md#exercise",
    )
    .hints(&["A signal came before there was a byte: receive again."])
    .observed(),
    Check::both(
        "6/both/talk",
        "your client and your server understand each other",
        talk,
    )
    .because(
        "Each keeps the contract only as it understood it.",
        CONTRACT,
    ),
];

fn talk(bench: &mut Bench) -> Verdict {
    let offered = bench.folder()?;
    let content = speak::pattern(300_000);
    offered.write("long.bin", &content)?;
    let _server = bench.server()?;
    let into = bench.folder()?;
    let client = bench.client(&["list", "get long.bin"])?;
    bench.ends_with_status(&client, 0)?;
    speak::saved(&into, "long.bin", &content)
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
