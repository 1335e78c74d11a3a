//! Lesson 3: UDP bind. The scene that plays the server and the clients.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
mod parts;
#[path = "../server.rs"]
mod server;
mod wire_scene;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use lesson_3::ended;
use scene::Stage;

/// Lesson 3: datagrams, and the port that names a program
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-3 -- --step")]
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
            "Lesson 3 on the wire: nobody repairs it",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 3: UDP bind", script),
    }
}

fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Lessons 1 and 2 were telephone calls: TCP. UDP is the post. A program sends single \
         letters, datagrams, each with the sender's address on it. There is no call to take.",
    );
    stage.lanes(&["server", "client"]);
    parts::whose_port(stage)?;
    parts::one_send_is_one_receive(stage)?;
    parts::what_does_not_fit(stage)?;
    parts::too_large(stage)?;
    parts::nobody_there(stage)?;
    parts::two_encodings(stage)?;
    parts::recv_and_strangers(stage)?;
    parts::the_same_number(stage)?;
    stage.next(&[
        "Play both sides yourself: cargo run -p lesson-3 server, and in a second terminal \
         cargo run -p lesson-3 client.",
        "Stop the server with Ctrl-C while the client runs, and go on writing. What changes when \
         the client has --connected?",
        "Say bye to the server. Who may do that?",
        "Go on to lesson 4, which asks what keeps a port in use.",
    ]);
    Ok(())
}
