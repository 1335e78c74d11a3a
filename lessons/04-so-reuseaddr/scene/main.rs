//! Lesson 4: `SO_REUSEADDR`. The scene that restarts the server in all ways.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
mod parts;
mod runs;
#[path = "../server.rs"]
mod server;
mod table;
mod time_wait;
mod wire_scene;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use lesson_4::ended;
use scene::Stage;

/// Lesson 4: why a restarted server finds its own port in use
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-4 -- --step")]
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
            "Lesson 4 on the wire: what TIME-WAIT is for",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 4: SO_REUSEADDR", script),
    }
}

fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "A server that is started again often finds its own port in use. Here one is started \
         again in every way, and each time we look at what the kernel keeps of the call before.",
    );
    table::play(stage)?;
    parts::the_client_closes_first(stage)?;
    parts::a_server_that_is_killed(stage)?;
    parts::a_server_that_still_runs(stage)?;
    parts::two_that_are_bound(stage)?;
    parts::two_servers_on_one_port(stage)?;
    parts::other_errors_of_bind(stage)?;
    stage.next(&[
        "Restart by hand: cargo run -p lesson-4 server, then in a second terminal \
         cargo run -p lesson-4 client --say hello, then the server again.",
        "Watch the minute pass in a second terminal: watch -n 1 ss -tano state time-wait.",
        "Let both sides wait: the server with --close-first client, the client with \
         --close-first server. Who hangs up?",
        "Go on to lesson 5, where waiting has an end.",
    ]);
    Ok(())
}
