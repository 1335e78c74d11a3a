//! Lesson 1: bare connect. The scene that plays the server and the client.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
#[path = "../server.rs"]
mod server;
mod wire_scene;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use lesson_1::ended;
use scene::{Focus, Program, Sign, Stage, TcpState};
use socket2::{Domain, Socket, Type};

/// Lesson 1: one call from the purchase of the phone to hanging up
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-1 -- --step")]
enum Side {
    Server(server::Args),
    Client(client::Args),
    /// Check a server or a client that you wrote, in any language
    Check(check::Args),
}

fn main() -> ExitCode {
    let (options, side) = scene::asked::<Side>();
    match side {
        Some(Side::Server(args)) => ended(server::run(&args)),
        Some(Side::Client(args)) => ended(client::run(&args)),
        Some(Side::Check(args)) => check::main(&checks::LESSON, &args),
        None if options.wire => scene::play(
            &options,
            "Lesson 1 on the wire: the handshake",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 1: bare connect", script),
    }
}

fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Two programs talk over TCP. Think of two telephones: buy a phone (socket), put in the \
         SIM (bind), switch it on (listen), take the call (accept), talk (send, recv), hang up \
         (close). The caller needs only a phone, and dials (connect).",
    );
    let addr = the_call(stage)?;
    the_second_run(stage, addr)?;
    calls_that_fail(stage)?;
    too_long_a_message(stage)?;
    stage.next(&[
        "Play both sides yourself: cargo run -p lesson-1 server, and in a second terminal \
         cargo run -p lesson-1 client --say \"good morning\".",
        "Start the client alone. Which call fails, and with which error?",
        "Let the server be slow: cargo run -p lesson-1 server --hold. What does a client see?",
        "Go on to lesson 2, where the server takes more than one call.",
    ]);
    Ok(())
}

/// Under the X-ray these stand behind what they explain.
fn explain_the_call(stage: &mut Stage) {
    stage.when(
        Sign::Syn,
        "The client dials: its kernel sends SYN, and connect waits for the answer.",
    );
    stage.when(
        Sign::SynAck,
        "The answer comes from the server's kernel. The server program still waits for Enter.",
    );
    stage.when(
        Sign::Returns("server", "accept"),
        "accept hands over a call that was complete already: no packet goes with it.",
    );
    stage.when(
        Sign::Fin,
        "close sends FIN: from this side comes nothing more. The other side's recv gives 0.",
    );
    stage.when(
        Sign::State("server", TcpState::TimeWait),
        "Both sides have closed. The one that closed first stays in TIME-WAIT for a minute.",
    );
}

/// One call from the start to the end; gives back the server's address.
fn the_call(stage: &mut Stage) -> Result<SocketAddr> {
    stage.lanes(&["server", "client"]);
    explain_the_call(stage);
    let (server, addr) = stage.serve(&["--addr", "127.0.0.1:0", "--hold"])?;
    stage.wait_line(server, "not yet accepting")?;
    stage.note(format!(
        "socket, bind and listen are done. Port {} is open: the kernel takes calls for the \
         server. The server has not called accept, and here it waits before it does.",
        addr.port()
    ));
    stage.note("Predict: a client dials now. Will its connect wait until accept is called?");
    stage.beat();

    let dial = [
        "--addr".to_string(),
        addr.to_string(),
        "--until-end".to_string(),
    ];
    let client = stage.start("client", &Program::side("client").args(dial))?;
    stage.wait_line(client, "connected")?;
    let from = stage.wait_line(client, "from")?;
    stage.wait_line(client, "sending")?;
    stage.note(
        "connect came back, and the client sends. The kernel of the server's host did the \
         handshake alone. The call waits in the accept queue, and its bytes wait with it.",
    );
    stage.beat();

    stage.tell(server, "")?;
    stage.wait_line(server, "accepted")?;
    let on = stage.wait_line(server, "it is on")?;
    stage.wait_exit(server)?;
    stage.wait_exit(client)?;
    let on = on.trim().trim_start_matches("it is on ");
    let from = from.trim().trim_start_matches("from ");
    stage.note(format!(
        "accept gave the server a second socket. The first listens on {addr}, the second talks \
         on {on}: the same port. What tells two calls apart is the other end, here {from}."
    ));
    stage.beat();
    Ok(addr)
}

/// The server once more, at the same address, at once.
fn the_second_run(stage: &mut Stage, addr: SocketAddr) -> Result<()> {
    stage.headline("The second run");
    stage.note("Predict: the server has ended. Can it start again on the same port, at once?");
    stage.beat();
    let server = stage.start(
        "server",
        &Program::side("server").args(["--addr".to_string(), addr.to_string()]),
    )?;
    let said = stage.wait_line(server, &addr.port().to_string())?;
    if said.starts_with("listening") {
        stage.end(server)?;
        stage.note("This system lets it. On Linux it fails for a minute: lesson 4 tells why.");
    } else {
        stage.wait_exit(server)?;
        stage.note(
            "bind fails, although no program listens there any more. The ended call holds the \
             port for a minute. That is intended, and lesson 4 shows what it is good for.",
        );
    }
    stage.beat();
    Ok(())
}

/// Three ways in which a call does not come about.
fn calls_that_fail(stage: &mut Stage) -> Result<()> {
    stage.headline("Calls that fail");
    stage.note(
        "A phone with a SIM that is not switched on: a socket with a bind and no listen. \
         Then a broadcast address, which nobody can be called at. Then a name that is none: it \
         has two dots in a row. Predict the three errors.",
    );
    stage.beat();
    // It lives until the end of this function, so the port is ours and closed.
    let silent = Socket::new(Domain::IPV4, Type::STREAM, None).context("socket")?;
    silent.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).context("bind")?;
    let silent_addr = silent.local_addr()?.as_socket().context("getsockname")?;

    stage.when(
        Sign::Reset,
        "RST: the host is there, and says that nobody listens on this port.",
    );
    for target in [
        &silent_addr.to_string(),
        "127.255.255.255:8081",
        // It is looked up nowhere, so no network can answer for it.
        "local..host:8081",
    ] {
        if target.starts_with("local") {
            // What a resolver asks, and of whom, is a story of its own.
            stage.focus(Focus::Words);
        }
        let client = stage.start("client", &Program::side("client").args(["--addr", target]))?;
        stage.wait_exit(client)?;
    }
    stage.note(
        "Three operations, three reasons. The first client was refused: that host answered, \
         with a reset. The second got no further than its own kernel, which knows no way \
         there. The third never came to connect: no address was found for the name.",
    );
    stage.beat();
    Ok(())
}

/// More bytes than the server's one receive takes.
fn too_long_a_message(stage: &mut Stage) -> Result<()> {
    stage.headline("A message that is too long");
    stage.note(
        "The server receives once, at most 1,024 bytes. Predict: what does a client get back \
         that sends 2,000, and how does its call end?",
    );
    stage.beat();
    let (server, addr) = stage.serve(&["--addr", "127.0.0.1:0"])?;
    let addr = addr.to_string();
    stage.focus(Focus::All);
    stage.when(
        Sign::Returns("server", "recv"),
        "recv takes what its buffer has room for. The rest stays in the Recv-Q of the socket.",
    );
    stage.when(
        Sign::Reset,
        "The server closed a socket with unread bytes: its kernel sends RST, and no FIN.",
    );
    let long = "x".repeat(2000);
    let dial = ["--addr", &addr, "--say", &long, "--until-end"];
    let client = stage.start("client", &Program::side("client").args(dial))?;
    let received = stage.wait_line(client, "received")?;
    let how = stage.wait_line(client, "")?;
    stage.wait_exit(server)?;
    stage.wait_exit(client)?;
    let count: Vec<&str> = received.split(' ').take(3).collect();
    let count = count.join(" ").replace(':', "");
    if how.contains("reset") {
        stage.note(format!(
            "The client {count} and then a reset. The server closed while bytes were unread, \
             and the kernel tells the caller so: not everything that you said was heard."
        ));
    } else {
        stage.note(format!("The client {count}. Then the call ended so: {how}"));
    }
    stage.beat();
    Ok(())
}
