//! Lesson 2: loop server. The scene that plays the server and its callers.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
#[path = "../server.rs"]
mod server;
mod wire_scene;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use lesson_2::ended;
use scene::{Actor, Focus, Program, Sign, Stage};

/// Lesson 2: caller after caller, message after message
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-2 -- --step")]
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
            "Lesson 2 on the wire: a lost segment",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 2: loop server", script),
    }
}

fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "The server of lesson 1 took one call, heard one message, and ended. This one has two \
         loops: caller after caller, and within a call message after message.",
    );
    stage.lanes(&["server", "client"]);
    stage.focus(Focus::Calls);
    let (server, addr) = stage.serve(&["--addr", "127.0.0.1:0"])?;
    two_loops(stage, server, addr)?;
    an_empty_message(stage, server, addr)?;
    a_client_is_killed(stage, server, addr)?;
    a_client_resets(stage, server, addr)?;
    the_second_caller(stage, server, addr)?;
    what_write_all_promises(stage, server, addr)?;
    stage.next(&[
        "Be the second caller: cargo run -p lesson-2 server, and in two more terminals \
         cargo run -p lesson-2 client. Type in the second first.",
        "Let the server speak first: cargo run -p lesson-2 server --greeting welcome. Call it \
         with and without --listen-first.",
        "Kill a client with kill -9, then stop one with Ctrl-Z. What does the server say?",
        "Go on to lesson 3, which does without calls: UDP.",
    ]);
    Ok(())
}

/// A client of this server; it takes its messages from us until its input ends.
fn client(addr: SocketAddr, args: &[&str]) -> Program {
    let addr = addr.to_string();
    Program::side("client").args(["--addr", &addr]).args(args)
}

/// Tells a client a message, and waits until it has the answer.
fn exchange(stage: &mut Stage, client: Actor, message: &str) -> Result<()> {
    stage.tell(client, message)?;
    stage.wait_line(client, "received")?;
    Ok(())
}

/// Two messages in one call, and 0 as the end of the stream.
fn two_loops(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    let client = stage.start("client", &client(addr, &[]))?;
    exchange(stage, client, "hello")?;
    exchange(stage, client, "hello again")?;
    stage.note(
        "Two messages in one call. The server waits in recv for a third. Predict: what will \
         this recv give when the client hangs up?",
    );
    stage.beat();

    stage.when(
        Sign::Returns("server", "recv"),
        "Not a message: the client's close has sent FIN. That is what recv tells with 0.",
    );
    stage.end_input(client);
    stage.wait_exit(client)?;
    stage.wait_line(server, "end of stream")?;
    stage.wait_line(server, "closed")?;
    stage.note(
        "It gave 0 bytes: the end of the stream (EOF). The server closed, and went back to \
         accept. Had it taken the 0 for a message and called recv again, it would have got 0 \
         again at once, and so on without end.",
    );
    stage.beat();
    Ok(())
}

/// Why clients skip empty messages.
fn an_empty_message(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    stage.headline("An empty message");
    stage.note(
        "The next client sends an empty message, 0 bytes, and waits for the answer. Predict: \
         what will the server receive?",
    );
    stage.beat();

    stage.focus(Focus::All);
    stage.focus_after(Sign::Fails("client", "recv"), Focus::Words);
    stage.when(
        Sign::Calls("client", "send"),
        "A send of 0 bytes succeeds, and no packet leaves.",
    );
    let client = stage.start("client", &client(addr, &["--send-empty", "--say", "hello"]))?;
    stage.wait_line(server, "accepted")?;
    let gave_up = stage.wait_line(client, "gave up")?;
    let heard = stage.wait_line(server, "received")?;
    stage.wait_exit(client)?;
    stage.wait_line(server, "closed")?;
    stage.note(format!(
        "Nothing. Of 0 bytes there is nothing to carry: send succeeds, and the first that came \
         was: {heard}. Our client {gave_up}. A naive client would wait for ever: so clients \
         skip empty messages.",
    ));
    stage.beat();
    Ok(())
}

/// A killed client looks like one that has hung up.
fn a_client_is_killed(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    stage.headline("A client is killed");
    stage.focus(Focus::Words);
    let client = stage.start("client", &client(addr, &[]))?;
    exchange(stage, client, "hello")?;
    stage.note(
        "We kill this client now (SIGKILL). It cannot close its socket any more. Predict: what \
         will the server see?",
    );
    stage.beat();

    stage.focus(Focus::All);
    stage.when(
        Sign::Fin,
        "The client has called nothing. Its kernel closed the socket, and that sends FIN.",
    );
    stage.end(client)?;
    stage.wait_line(server, "end of stream")?;
    stage.wait_line(server, "closed")?;
    stage.note(
        "The end of the stream again. When a process ends, however it ends, the kernel closes \
         its sockets.",
    );
    stage.beat();
    Ok(())
}

/// A reset is an error, and ends one call only.
fn a_client_resets(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    stage.headline("A client resets");
    stage.note(
        "This client ends its call with a reset. A kernel sends one too when a socket is \
         closed that holds bytes nobody has read, as you saw in lesson 1.",
    );
    stage.beat();

    stage.focus(Focus::Words);
    stage.focus_after(Sign::Returns("client", "recv"), Focus::All);
    stage.when(
        Sign::Reset,
        "RST, and no FIN: the connection is gone at once, and nobody waits in TIME-WAIT.",
    );
    let client = stage.start("client", &client(addr, &["--say", "hello", "--reset"]))?;
    stage.wait_exit(client)?;
    // Two lines: the error, on stderr, and "closed the connection". Where each
    // stream is a pipe of its own they may change places.
    let told = [
        stage.wait_line(server, "connection")?,
        stage.wait_line(server, "connection")?,
    ];
    let error = told.iter().find(|line| line.contains("reset"));
    let error = error.context("the server told of no reset")?;
    let operation = error.split(' ').next().context("an empty error")?;
    stage.note(format!(
        "A reset is an error of {operation}, not an end of the stream: the connection is gone, \
         and bytes may be lost with it. It ended this call. The server goes on.",
    ));
    stage.beat();
    Ok(())
}

/// A second caller sends a message while the server has another caller.
fn call_in_vain(
    stage: &mut Stage,
    server: Actor,
    addr: SocketAddr,
    message: &str,
) -> Result<Actor> {
    let second = stage.start("second", &client(addr, &["--say", message]))?;
    let from = stage.wait_line(second, "from")?;
    stage.wait_line(second, "taken")?;
    let from = from.trim().trim_start_matches("from ");
    let said = stage.lines(server);
    ensure!(
        !said.iter().any(|line| line.contains(from)),
        "the server accepted {from} while it had another caller: it is no longer the server \
         of this lesson"
    );
    Ok(second)
}

/// One client at a time: the next one waits in the queue.
fn the_second_caller(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    stage.headline("The second caller");
    stage.lanes(&["server", "first", "second"]);
    stage.focus(Focus::Words);
    let first = stage.start("first", &client(addr, &[]))?;
    exchange(stage, first, "one")?;
    stage.focus(Focus::Packets);
    stage.when(
        Sign::SynAck,
        "The server program is in recv, with the first. Its kernel answers all the same.",
    );
    let second = call_in_vain(stage, server, addr, "two")?;
    stage.note(
        "The second caller is connected and has sent its bytes. The server says nothing: it is \
         in its inner loop with the first. Predict: when will the second be answered?",
    );
    stage.beat();

    stage.focus(Focus::Words);
    exchange(stage, first, "one more")?;
    stage.focus(Focus::Calls);
    stage.focus_after(Sign::Returns("server", "accept"), Focus::Words);
    stage.when(
        Sign::Returns("server", "accept"),
        "accept does not wait: the call was there already, and its bytes with it.",
    );
    stage.tell(first, "quit")?;
    stage.wait_line(server, "end of stream")?;
    stage.wait_line(server, "accepted")?;
    stage.wait_line(server, "received")?;
    stage.wait_line(server, "closed")?;
    stage.wait_exit(first)?;
    stage.wait_exit(second)?;
    stage.note(
        "As soon as the first has hung up. Until then the kernel kept the second call in the \
         accept queue, and its bytes with it. Lesson 7 serves both at once.",
    );
    stage.beat();
    Ok(())
}

/// What is sent is not yet received.
fn what_write_all_promises(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<()> {
    stage.headline("What write_all promises");
    stage.focus(Focus::Words);
    let first = stage.start("first", &client(addr, &[]))?;
    exchange(stage, first, "one")?;
    let second = call_in_vain(stage, server, addr, "important")?;
    stage.note(
        "Again the second waits in the queue. Its write_all came back without an error. \
         Predict: the server is killed now. Who will hear of it, and who has \"important\"?",
    );
    stage.beat();

    stage.focus(Focus::All);
    stage.when(
        Sign::Reset,
        "The call that nobody had accepted is reset: its bytes were never read.",
    );
    stage.end(server)?;
    let to_second = stage.wait_line(second, "recv")?;
    stage.wait_exit(second)?;
    stage.note(format!(
        "Nobody has it: the server never accepted this call. The second heard of it in {}: {}. \
         The first does not know yet, for it waits for its user. Let it send.",
        outcome(&to_second).0,
        outcome(&to_second).1,
    ));
    stage.beat();

    stage.when(
        Sign::Reset,
        "Bytes for a call that no program has any more: the kernel answers with RST.",
    );
    stage.tell(first, "still there?")?;
    stage.wait_exit(first)?;
    // "taken" is on stdout and the error on stderr: in either order, as above.
    let told = stage.lines(first);
    let taken = told.iter().filter(|line| line.contains("taken")).count();
    ensure!(taken == 2, "the second write_all did not come back");
    let to_first = told.iter().find(|line| line.starts_with("recv "));
    let to_first = to_first.context("the first was not told")?;
    stage.note(format!(
        "This write_all too came back without an error; {} told: {}. write_all promises that \
         our own kernel has taken all bytes, no more. That the other side has read them, only \
         its answer can tell.",
        outcome(to_first).0,
        outcome(to_first).1,
    ));
    stage.beat();
    Ok(())
}

/// The operation and the outcome that an error line names.
fn outcome(line: &str) -> (&str, &str) {
    let operation = line.split(' ').next().unwrap_or(line);
    let reason = line.split(": ").nth(1).unwrap_or(line);
    let end = reason.find([';', '(']).unwrap_or(reason.len());
    (operation, reason[..end].trim())
}
