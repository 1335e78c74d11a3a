//! The checks of this lesson: a server that can be started again at once.
//! `lesson-4 check --list` shows them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use check::{Bench, Call, Check, Endpoint, Fault, Launch, Lesson, Peer, Tested, Verdict};
use socket2::{Domain, Socket, Type};

const HERE: &str = "lessons/04-so-reuseaddr/README.md#what-you-saw-and-why";
const CONTRACT: &str = "lessons/04-so-reuseaddr/README.md#exercise";

pub const LESSON: Lesson = Lesson {
    number: 4,
    port: 8082,
    server: "server --addr {addr} --reuse-addr",
    client: "client --addr {addr}",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check::server(
        "4/start/says-where",
        "the server says where it listens",
        |bench| bench.server().and_then(|server| bench.says_where(&server, "listening on")),
    )
    .because(
        "The line \"listening on IP:PORT\" is missing, or waits in a buffer.",
        CONTRACT,
    )
    .hints(&["Flush the line: when stdout is a pipe, most languages keep it back."]),
    Check::server(
        "4/call/hello",
        "a message comes back in upper case",
        |bench| echo(bench, b"hello, World 1"),
    )
    .because(
        "The answer is not what was received, in ASCII upper case.",
        CONTRACT,
    )
    .hints(&["This part is lesson 1. Run its checks first."]),
    Check::server(
        "4/call/one-byte",
        "a message of one byte is answered",
        |bench| echo(bench, b"x"),
    )
    .because(
        "The receive waits for more bytes than the caller sends.",
        CONTRACT,
    )
    .hints(&["A receive gives what is there. Do not ask for an exact number of bytes."]),
    Check::server(
        "4/call/longest",
        "a message of 1,024 bytes is answered",
        longest,
    )
    .because("The buffer has less room than 1,024 bytes.", CONTRACT)
    .hints(&["How many bytes does your receive ask for?"]),
    Check::server(
        "4/close/first",
        "the server closes first, and ends with status 0",
        |bench| one_run(bench, b"hello"),
    )
    .because(
        "It waits until the caller has hung up, or for a second call.",
        CONTRACT,
    )
    .hints(&["Close the connection as soon as the answer is sent."]),
    Check::server(
        "4/restart/at-once",
        "after a call it can be started again on its port, at once",
        |bench| (0..4).try_for_each(|_| one_run(bench, b"again")),
    )
    .because(
        "SO_REUSEADDR is not set, or set after bind. The ended call is in TIME-WAIT.",
        HERE,
    )
    .hints(&[
        "Look at \"ss -tan\" between two runs: what has the port?",
        "man 7 socket tells about SO_REUSEADDR.",
        "socket, setsockopt, bind, listen: the option counts in the moment of bind.",
    ])
    .limit(Duration::from_secs(30)),
    Check::server(
        "4/restart/after-a-kill",
        "a server that was killed in a call can be started again",
        after_a_kill,
    )
    .because(
        "SO_REUSEADDR is not set. The kernel closed for the dead, as the first side.",
        HERE,
    )
    .hints(&["A kill does not free the port. What does?"]),
    Check::server(
        "4/restart/second-copy",
        "a second copy fails at once, and the first goes on",
        second_copy,
    )
    .because(
        "SO_REUSEPORT is set in place of SO_REUSEADDR, or the error of bind is not handled.",
        HERE,
    )
    .hints(&[
        "Which of the two options lets two servers share a port?",
        "The error of bind: one line on stderr, and status 1. Do not try again.",
    ]),
    Check::server(
        "4/restart/left-by-another",
        "a port left by a server without the option is in use",
        left_by_another,
    )
    .because(
        "It waits or tries again, until the minute of TIME-WAIT is over.",
        CONTRACT,
    )
    .hints(&["When bind fails, say why and end with status 1."]),
    Check::server(
        "4/order/option-before-bind",
        "SO_REUSEADDR is set before bind",
        option_before_bind,
    )
    .because(
        "The option is set after bind, when it counts no longer.",
        HERE,
    )
    .hints(&["The order: socket, setsockopt, bind, listen."])
    .observed(),
    Check::client(
        "4/client/second",
        "the client waits until the server has closed",
        client_second,
    )
    .because(
        "It closes as soon as it has its answer, and so it is the first.",
        CONTRACT,
    )
    .hints(&["After the answer, receive again: 0 bytes say that the server was first."]),
    Check::client(
        "4/client/says-who",
        "when the server has closed, the client says who was first",
        client_says_who,
    )
    .because("It says so before it can know, or not at all.", CONTRACT)
    .hints(&["After the answer, receive again. When it gives 0 bytes, print a line."]),
    Check::client(
        "4/client/refused",
        "when nobody listens, the client says so in one line, with status 1",
        refused,
    )
    .because(
        "The error of connect is not handled.",
        "lessons/01-bare-connect/README.md#break-it",
    )
    .hints(&["Lesson 1 shows which call fails, and how."]),
    Check::both(
        "4/both/talk",
        "your client and your server understand each other, twice",
        |bench| talk(bench).and_then(|_| talk(bench)).map(drop),
    )
    .because(
        "Each keeps the contract only as it understood it.",
        CONTRACT,
    ),
    Check::both(
        "4/order/the-server-is-first",
        "the first FIN of a call is the server's",
        server_is_first,
    )
    .because(
        "Who calls close first sends the first FIN, and that side has TIME-WAIT.",
        HERE,
    )
    .hints(&["Which of your two programs calls close, or ends, while the other one still waits?"])
    .observed(),
];

/// One call in which the server closes first.
fn one_call(bench: &mut Bench, server: &Tested, message: &[u8]) -> Verdict {
    let mut call = bench.call(server)?;
    call.send(message)?;
    call.expect(&message.to_ascii_uppercase())?;
    call.expect_end()?;
    call.hang_up();
    bench.ends_with_status(server, 0)
}

fn one_run(bench: &mut Bench, message: &[u8]) -> Verdict {
    let server = bench.server()?;
    one_call(bench, &server, message)
}

fn echo(bench: &mut Bench, message: &[u8]) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.send(message)?;
    call.expect(&message.to_ascii_uppercase())
}

fn longest(bench: &mut Bench) -> Verdict {
    let message: Vec<u8> = (0..1024).map(|i| b'a' + (i % 23) as u8).collect();
    echo(bench, &message)
}

fn after_a_kill(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    let mut call = bench.call(&server)?;
    call.until_accepted();
    // Where nobody can look into the accept queue, one at rest has accepted.
    bench.settle();
    bench.kill(&server)?;
    bench.ends(&server)?;
    call.expect_end()?;
    call.hang_up();
    one_run(bench, b"alive")
}

fn second_copy(bench: &mut Bench) -> Verdict {
    let first = bench.server()?;
    let second = Launch::server().named("a second copy of your server");
    let second = bench.start(second.at(Endpoint::At(first.address())))?;
    let line = bench.ends_with_one_line(&second)?;
    let port = first.address().port().to_string();
    if !line.contains(&port) {
        let expected = format!("an error that names port {port}");
        return Err(Fault::program(expected, format!("the line {line:?}")));
    }
    one_call(bench, &first, b"still here")
}

/// A server of ours without the option, whose call it closed first.
fn leave_time_wait(address: SocketAddr) -> Verdict {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.bind(&address.into())?;
    socket.listen(1)?;
    let listener = TcpListener::from(socket);
    let mut caller = TcpStream::connect(address)?;
    let (mut taken, _) = listener.accept()?;
    taken.write_all(b"bye")?;
    drop(taken);
    caller.read_to_end(&mut Vec::new())?;
    Ok(())
}

fn left_by_another(bench: &mut Bench) -> Verdict {
    let address = bench.address()?;
    leave_time_wait(address)?;
    bench.step("a server without SO_REUSEADDR left its port with a call in TIME-WAIT");
    let server = bench.start(Launch::server())?;
    bench.ends_with_one_line(&server).map(drop)
}

fn option_before_bind(bench: &mut Bench) -> Verdict {
    let server = bench.server()?;
    // Who has accepted a call has set all its options.
    bench.call(&server)?.until_accepted();
    let calls = bench.calls(&server)?;
    let bind = calls.iter().position(|call| call.name() == "bind" && call.succeeded());
    let bind = bind.ok_or_else(|| Fault::program("a call of bind", "none was seen"))?;
    let socket = calls[bind].socket();
    let sets = |call: &Call| call.name() == "setsockopt" && call.has("SO_REUSEADDR");
    let option = calls.iter().position(|call| sets(call) && call.socket() == socket);
    let (expected, seen) = match option {
        Some(option) if option < bind => return Ok(()),
        Some(_) => (
            "setsockopt with SO_REUSEADDR, then bind",
            "bind, then setsockopt",
        ),
        None => {
            let seen = "no such setsockopt on this socket";
            ("setsockopt with SO_REUSEADDR before bind", seen)
        }
    };
    Err(Fault::program(expected, seen))
}

fn refused(bench: &mut Bench) -> Verdict {
    bench.step("nobody listens");
    let client = bench.client(&["hello"])?;
    bench.ends_with_one_line(&client).map(drop)
}

/// A client that has its answer from a server of ours.
fn answered(bench: &mut Bench) -> Verdict<(Tested, Peer)> {
    let ours = bench.listen()?;
    let client = bench.client(&["hello"])?;
    let mut call = bench.accept(&ours, &client)?;
    call.receive_some("a message of the client")?;
    call.send(b"HELLO")?;
    Ok((client, call))
}

fn client_second(bench: &mut Bench) -> Verdict {
    let (client, mut call) = answered(bench)?;
    call.expect_silence(Duration::from_millis(300))?;
    bench.step("our server waited for 0.3 s, and then closed");
    call.half_close()?;
    call.expect_end()?;
    bench.ends_with_status(&client, 0)
}

/// What it says is its own matter, but not when: before the end of the stream it
/// cannot know. A program that prints all at its end says so late, and rightly.
fn client_says_who(bench: &mut Bench) -> Verdict {
    let (client, mut call) = answered(bench)?;
    // What it says about the answer it has said.
    bench.settle();
    let before = bench.stdout(&client).len();
    call.half_close()?;
    call.expect_end()?;
    bench.ends_with_status(&client, 0)?;
    if bench.stdout(&client).len() > before {
        return Ok(());
    }
    let seen = "no line after the server had closed";
    Err(Fault::program(
        "a line on stdout about who closed first",
        seen,
    ))
}

/// The client and the server speak with each other until both have ended.
fn talk(bench: &mut Bench) -> Verdict<Tested> {
    let server = bench.server()?;
    let client = bench.client(&["hello"])?;
    bench.ends_with_status(&client, 0)?;
    bench.ends_with_status(&server, 0)?;
    Ok(server)
}

fn server_is_first(bench: &mut Bench) -> Verdict {
    let server = talk(bench)?;
    if bench.first_fin()?.port() == server.address().port() {
        return Ok(());
    }
    Err(Fault::program(
        "the first FIN is the server's",
        "it is the client's",
    ))
}
