//! Lesson 5: timeout. The scene that plays the server and the client, and the
//! experiments that need neither.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
mod scale;
#[path = "../server.rs"]
mod server;
mod wire_scene;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;
use lesson_5::ended;
use scene::{Actor, Focus, Program, Sign, Stage};

use scale::{Experiment, FullQueue};

/// Lesson 5: how long to wait, and what to do then
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-5 -- --step")]
enum Side {
    Server(server::Args),
    Client(client::Args),
    Scale(scale::Args),
    /// Check a server or a client that you wrote, in any language
    Check(check::Args),
}

fn main() -> ExitCode {
    let (options, side) = scene::asked::<Side>();
    match side {
        Some(Side::Server(args)) => ended(server::run(&args)),
        Some(Side::Client(args)) => ended(client::run(&args)),
        Some(Side::Check(args)) => check::main(&checks::LESSON, &args),
        Some(Side::Scale(args)) => ended(scale::run(&args)),
        None if options.wire => scene::play(
            &options,
            "Lesson 5 on the wire: silence",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 5: timeout", script),
    }
}

fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "A receive waits until something comes. While it waits for a silent caller, this server \
         serves nobody else. How long should it wait? In the lesson it is 5 s, in this scene \
         half a second.",
    );
    stage.lanes(&["server", "client"]);
    a_caller_in_time_and_one_too_late(stage)?;
    a_caller_who_hangs_up(stage)?;
    a_caller_who_drips(stage)?;
    a_connect_that_nobody_answers(stage)?;
    one_scale(stage)?;
    stage.next(&[
        "Play both sides yourself: cargo run -p lesson-5 server, and in a second terminal \
         cargo run -p lesson-5 client --say 1 --think 4. Then with --think 6.",
        "Call from two terminals at once while the first caller thinks. Who waits for whom?",
        "Drip a line at cargo run -p lesson-5 server --until newline, with client --drip \
         --newline --think 0 --say \"let me in\". Then give the server a --deadline 3.",
        "Try one step of the scale alone: cargo run -p lesson-5 scale send.",
        "Go on to lesson 6, where the end of a message gets an exact meaning.",
    ]);
    Ok(())
}

fn a_caller_in_time_and_one_too_late(stage: &mut Stage) -> Result<()> {
    let server = server(stage, &["--timeout", "0.5"])?;
    stage.focus_after(Sign::Returns("server", "recv"), Focus::Words);
    stage.when(
        Sign::Calls("server", "recv"),
        "The receive waits from here on. It comes back further down, with how long it waited.",
    );
    client(stage, server, &["--think", "0.1", "--say", "1"])?;
    stage.wait_line(server.actor, "closed")?;
    let waited = took(stage, "server", "accepted", "received")?;
    stage.note(format!(
        "The receive waited for {waited}, then the word came. Predict: the next caller thinks \
         for 0.9 s, the server waits for 0.5 s, and one more caller is waiting already."
    ));
    stage.beat();

    stage.lanes(&["server", "caller", "next caller"]);
    stage.focus(Focus::Calls);
    stage.when(
        Sign::Fails("server", "recv"),
        "EAGAIN: the time is over. No packet said so: it was the server's own kernel.",
    );
    // Its late word comes when it wants to, and does not wait for the script.
    stage.focus_after(Sign::Says("caller", "sending"), Focus::All);
    stage.when(
        Sign::Reset,
        "The server has closed long ago: its kernel answers the late word with RST.",
    );
    let caller = dial(stage, "caller", server, &["--think", "0.9", "--say", "1"])?;
    stage.wait_line(server.actor, "accepted")?;
    let next = dial(
        stage,
        "next caller",
        server,
        &["--think", "0", "--say", "1"],
    )?;
    stage.wait_line(server.actor, "time out")?;
    let waited = took(stage, "server", "accepted", "time out")?;
    stage.wait_exit(next)?;
    let queued = took(stage, "next caller", "sending", "received")?;
    stage.note(format!(
        "The server gave up after {waited}. The next caller had its answer after {queued}: it \
         paid for the silence of another. The first still thinks, and has noticed nothing."
    ));
    stage.wait_exit(caller)?;
    let late = between(
        stage,
        Sign::Says("server", "time out"),
        Sign::Says("caller", "sending"),
    )?;
    stage.note(format!(
        "It sent its word {late} after the time out, and send reported no error: the kernel \
         took the byte. Only the receive told the truth."
    ));
    stage.beat();
    stage.end(server.actor)
}

fn a_caller_who_hangs_up(stage: &mut Stage) -> Result<()> {
    stage.headline("Silence and end of stream");
    stage.note(
        "Now the timeout is 5 s, and the caller is killed while it thinks. Predict: does the \
         server wait for its timeout?",
    );
    stage.beat();
    stage.lanes(&["server", "client"]);
    stage.focus(Focus::Words);
    let server = server(stage, &["--timeout", "5"])?;
    let caller = dial(stage, "client", server, &["--think", "60", "--say", "1"])?;
    stage.wait_line(caller, "thinking")?;
    stage.wait_line(server.actor, "accepted")?;
    stage.focus(Focus::All);
    stage.when(
        Sign::Fin,
        "The killed caller's kernel sends FIN. The waiting receive comes back with 0.",
    );
    stage.end(caller)?;
    stage.wait_line(server.actor, "end of stream without a word")?;
    stage.wait_line(server.actor, "closed the connection")?;
    let waited = took(stage, "server", "accepted", "end of")?;
    stage.note(format!(
        "No: {waited} after accept it knew. A kernel closes the sockets of a killed program, and \
         the end of the stream is news. A timeout is the absence of news: the peer may be slow, \
         stopped, or gone with its cable."
    ));
    stage.beat();
    stage.end(server.actor)
}

fn a_caller_who_drips(stage: &mut Stage) -> Result<()> {
    stage.headline("Timeout and deadline");
    stage.note(
        "The request is now a whole line, in several receives. This caller sends a byte every \
         0.1 s, ten in all. Predict: does a timeout of 0.5 s end its call?",
    );
    stage.beat();
    let drip = "--think 0 --newline --drip --interval 0.1 --say".split(' ');
    let drip: Vec<&str> = drip.chain(["let me in"]).collect();

    stage.focus(Focus::Words);
    let patient = server(stage, &["--until", "newline", "--timeout", "0.5"])?;
    client(stage, patient, &drip)?;
    stage.wait_line(patient.actor, "closed")?;
    let whole = took(stage, "server", "accepted", "sending")?;
    stage.note(format!(
        "The request took {whole}, and no receive waited longer than 0.5 s: each has the full \
         timeout again. One who drips can hold this server 1,024 times as long. Now with --deadline \
         0.45."
    ));
    stage.beat();
    stage.end(patient.actor)?;

    let limits = "--until newline --timeout 0.5 --deadline 0.45".split(' ');
    let strict = server(stage, &limits.collect::<Vec<_>>())?;
    stage.focus(Focus::Calls);
    stage.when(
        Sign::Fails("server", "recv"),
        "This receive had only the rest of the deadline as its timeout (SO_RCVTIMEO).",
    );
    let caller = dial(stage, "client", strict, &drip)?;
    stage.wait_line(strict.actor, "deadline passed")?;
    stage.wait_exit(caller)?;
    let whole = took(stage, "server", "accepted", "deadline")?;
    stage.note(format!(
        "Cut after {whole}. A timeout bounds one call; a deadline bounds the whole. Each receive \
         gets as its timeout what is left of it. The client noticed when a send failed."
    ));
    stage.beat();
    stage.end(strict.actor)
}

fn a_connect_that_nobody_answers(stage: &mut Stage) -> Result<()> {
    stage.headline("A connect that nobody answers");
    let queue = FullQueue::new()?;
    stage.note(format!(
        "This listener never accepts. Its backlog is 0, and its queue is full with {} caller. \
         Predict: is the next one refused? Its --connect-timeout is 0.3 s.",
        queue.callers()
    ));
    stage.beat();
    stage.focus(Focus::All);
    stage.when(
        Sign::Calls("client", "poll"),
        "connect itself did not wait (EINPROGRESS): poll waits, for 0.3 s. The SYN has had \
         neither a SYN ACK nor a RST.",
    );
    let addr = queue.addr.to_string();
    let program = Program::side("client").args(["--addr", &addr]);
    let program = program.args(["--connect-timeout", "0.3", "--say", "1"]);
    let caller = stage.start("client", &program)?;
    let said = stage.wait_line(caller, "connect")?;
    stage.wait_exit(caller)?;
    stage.note(if said.contains("timed out") {
        "Not refused: left without an answer. The kernel drops the request and the client's \
         kernel repeats it, in case a place comes free. Without a timeout connect would go on \
         waiting for minutes."
    } else {
        "This system refuses. Linux leaves the caller without an answer."
    });
    stage.beat();
    Ok(())
}

fn one_scale(stage: &mut Stage) -> Result<()> {
    stage.headline("One scale: not at all, for a while, for ever");
    stage.note(
        "The same call in three settings. Where it can, the other end does after 0.4 s what the \
         call waits for. Predict: which call waits how long, and what does it say?",
    );
    stage.beat();
    show(
        stage,
        Experiment::Receive,
        "Three settings of one socket. On Unix a timed receive fails with the error of a \
         non-blocking one, WouldBlock. On Windows it is TimedOut.",
    )?;
    show(
        stage,
        Experiment::Zero,
        "What is zero on this scale? std refuses the question. socket2 hands it to the kernel, \
         where 0 means no timeout: it waited until its peer spoke. In Python settimeout(0) means \
         non-blocking.",
    )?;
    stage.beat();
    show(
        stage,
        Experiment::Connect,
        "Non-blocking is \"in progress\". The blocking connect got in when a place came free and \
         its kernel asked again. A closed port needs no patience: it is refused at once.",
    )?;
    stage.beat();
    show(
        stage,
        Experiment::Send,
        "A blocking send takes all. The others may take a part, report how much, and leave the \
         rest to the program. Nothing is lost, if the program looks at the number.",
    )
}

/// Makes an experiment and explains what it showed.
fn show(stage: &mut Stage, experiment: Experiment, note: &str) -> Result<()> {
    stage.text(experiment.make()?.to_string());
    stage.note(note);
    Ok(())
}

#[derive(Clone, Copy)]
struct Server {
    actor: Actor,
    addr: std::net::SocketAddr,
}

fn server(stage: &mut Stage, args: &[&str]) -> Result<Server> {
    let (actor, addr) = stage.serve(&[&["--addr", "127.0.0.1:0"], args].concat())?;
    Ok(Server { actor, addr })
}

fn dial(stage: &mut Stage, lane: &str, server: Server, args: &[&str]) -> Result<Actor> {
    let addr = server.addr.to_string();
    let program = Program::side("client").args(["--addr", &addr]);
    stage.start(lane, &program.args(args))
}

/// A whole call.
fn client(stage: &mut Stage, server: Server, args: &[&str]) -> Result<()> {
    let actor = dial(stage, "client", server, args)?;
    stage.wait_exit(actor)?;
    Ok(())
}

/// How long it was from one line in a lane to another.
fn took(stage: &Stage, lane: &'static str, from: &'static str, to: &'static str) -> Result<String> {
    between(stage, Sign::Says(lane, from), Sign::Says(lane, to))
}

/// How long it was from one event to another: the last of their kind.
fn between(stage: &Stage, from: Sign, to: Sign) -> Result<String> {
    let last = |sign: Sign| {
        let time = stage.seen(&sign).pop();
        time.with_context(|| format!("{sign:?} did not happen"))
    };
    let time = last(to)?.saturating_sub(last(from)?);
    Ok(format!("{:.3} s", time.as_secs_f64()))
}
