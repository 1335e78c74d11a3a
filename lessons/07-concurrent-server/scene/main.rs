//! Lesson 7: concurrent server. The scene with a slow caller, and a small race.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
#[path = "../server.rs"]
mod server;
mod wire_scene;

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use lesson_7::{ended, moved};
use scene::{Actor, Focus, Program, Sign, Stage};

/// Lesson 7: one slow caller must not keep the others waiting
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-7 -- --step")]
enum Side {
    Server(server::Args),
    Client(client::Args),
    /// Check a server or a client that you wrote, in any language
    Check(check::Args),
    #[command(hide = true, disable_help_flag = true)]
    Race(Elsewhere),
}

/// Arguments of a program that is not here any more.
#[derive(clap::Args)]
struct Elsewhere {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _all: Vec<String>,
}

fn main() -> ExitCode {
    let (options, side) = scene::asked::<Side>();
    match side {
        Some(Side::Server(args)) => ended(server::run(&args)),
        Some(Side::Client(args)) => ended(client::run(&args)),
        Some(Side::Check(args)) => check::main(&checks::LESSON, &args),
        Some(Side::Race(_)) => moved::to_the_race(),
        None if options.wire => scene::play(
            &options,
            "Lesson 7 on the wire: one slow path",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 7: concurrent server", script),
    }
}

/// The lane of the callers who do not keep anybody waiting.
const QUICK: &str = "quick";

/// How long the slow caller thinks before it speaks, in seconds.
const THINKS: &str = "1.2";

fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "The server of lesson 2 takes one call at a time. Here come three callers, and the \
         second of them is slow. Then the same three call a server that has a thread for each.",
    );
    one_at_a_time(stage)?;
    a_thread_for_each(stage)?;
    race(stage)?;
    stage.next(&[
        "Be the slow caller yourself: cargo run -p lesson-7 server --model one-at-a-time, then \
         cargo run -p lesson-7 client in two terminals. Type into the second first.",
        "Read two models side by side, in the folder models of this lesson: one_at_a_time.rs and \
         thread_per_client.rs, then each with its neighbour.",
        "Call a crowd: cargo run -p lesson-7 client --clients 1000 (the server with --quiet).",
        "Press Ctrl-C in the server while somebody is connected. Press it again.",
    ]);
    Ok(())
}

fn one_at_a_time(stage: &mut Stage) -> Result<()> {
    stage.headline("One at a time");
    stage.note(format!(
        "Predict: the slow caller is connected and thinks for {THINKS} s. The third caller says \
         hello in that time. When does it get its answer?"
    ));
    stage.beat();
    let (server, slow, third) = three_callers(
        stage,
        "one-at-a-time",
        "The only thread of the server waits in this recv, for the slow caller.",
    )?;
    stage.when(
        Sign::Returns("server", "accept"),
        "Only now: the third has waited in the accept queue, and its bytes with it.",
    );
    stage.wait_exit(third)?;
    stage.wait_exit(slow)?;
    stage.focus(Focus::Words);
    stage.interrupt(server)?;
    stage.wait_exit(server)?;
    let waited = wait_of_the_third(stage)?;
    ensure!(
        moment(stage, "slow", "received")? < moment(stage, QUICK, "received")?,
        "the third caller was answered before the slow one: this server is not one-at-a-time"
    );
    ensure!(
        moment(stage, QUICK, "connected")? < moment(stage, "slow", "sending")?,
        "the third caller was not connected while the slow one was thinking"
    );
    stage.note(format!(
        "The third caller was connected at once, by the kernel. But the server sat in recv and \
         waited for the slow one. The answer to hello took {}.",
        waited
    ));
    stage.beat();
    Ok(())
}

fn a_thread_for_each(stage: &mut Stage) -> Result<()> {
    stage.headline("A thread for each caller");
    stage.note("Predict: the same three callers. How long does the third wait now?");
    stage.beat();
    let (server, slow, third) = three_callers(
        stage,
        "thread-per-client",
        "A thread of its own waits for the slow caller. The first thread goes back to accept.",
    )?;
    stage.wait_exit(third)?;
    stage.wait_line(server, "#3 closed")?;
    stage.focus(Focus::Words);
    // The slow one still thinks. Meanwhile the server is asked to stop.
    stage.interrupt(server)?;
    let asked = stage.wait_line(server, "asked to stop")?;
    stage.wait_exit(slow)?;
    let ending = stage.wait_exit(server)?;
    ensure!(ending.success(), "the server ended with {ending:?}");
    let waited = wait_of_the_third(stage)?;
    ensure!(
        moment(stage, QUICK, "received")? < moment(stage, "slow", "sending")?,
        "the third caller waited for the slow one: this server is not concurrent"
    );
    stage.note(format!(
        "The slow caller holds up its own thread, and nobody else: the answer to hello took {}.",
        waited
    ));
    stage.note(format!(
        "Then came Ctrl-C, and the server said \"{asked}\". It closed its listener, so that \
         nobody new could call. What was running was not cut: the slow caller got its answer."
    ));
    stage.beat();
    Ok(())
}

/// Starts a server and its callers, until the third has spoken. Under the X-ray,
/// the explanation stands where the server waits for the slow one.
fn three_callers(stage: &mut Stage, model: &str, waits: &str) -> Result<(Actor, Actor, Actor)> {
    // The third may have the lane of the first, who has hung up by then.
    stage.lanes(&["server", QUICK, "slow"]);
    stage.focus(Focus::Words);
    let args = ["--addr", "127.0.0.1:0", "--model", model];
    let (server, addr) = stage.serve(&args)?;
    let addr = addr.to_string();
    let call = |words: &[&str]| {
        let client = Program::side("client").args(["--addr", &addr]);
        client.args(words)
    };
    let first = stage.start(QUICK, &call(&["--say", "hi"]))?;
    stage.wait_exit(first)?;
    stage.wait_line(server, "#1 closed")?;
    stage.focus(Focus::Calls);
    stage.when(Sign::Calls("server", "recv"), waits);
    let slow = stage.start("slow", &call(&["--think", THINKS, "--say", "well"]))?;
    stage.wait_line(slow, "from")?;
    stage.wait_line(server, "#2 accepted")?;
    let third = stage.start(QUICK, &call(&["--say", "hello"]))?;
    stage.wait_line(third, "sending")?;
    Ok((server, slow, third))
}

/// All models, as the flag names them.
const MODELS: [&str; 5] = [
    "one-at-a-time",
    "thread-per-client",
    "thread-pool",
    "event-loop",
    "async",
];

/// The longest bar, in characters.
const LONGEST: usize = 36;

fn race(stage: &mut Stage) -> Result<()> {
    stage.headline("A race");
    stage.note(
        "24 callers at once. Each has 6 messages, and thinks for 10 ms before each. The pool has \
         4 threads. Predict: which model is last, and which is second to last?",
    );
    stage.beat();
    let thinking = race_of(&["--think", "0.01"])?;
    stage.text(bars(&thinking));
    let last = thinking.iter().min_by(|one, other| one.1.total_cmp(&other.1));
    let last = last.map(|(model, _)| *model);
    ensure!(last == Some("one-at-a-time"), "{last:?} was the last");
    stage.note(
        "Whoever waits for one caller at a time adds up all the thinking. A pool of 4 threads \
         adds up a quarter of it. The others let all callers think at the same time.",
    );
    stage.beat();
    stage.note("Predict: the same race with callers that never think. What remains?");
    stage.beat();
    let restless = race_of(&[])?;
    stage.text(bars(&restless));
    let build = match cfg!(debug_assertions) {
        true => "this is a debug build, ",
        false => "",
    };
    stage.note(format!(
        "With thinking, the best had {} times the rate of one-at-a-time. Without, it has {} times: \
         nobody makes the server wait. These bars are no measurement: {build}the run is short, \
         and the crowd shares this machine with the server.",
        lead(&thinking),
        lead(&restless)
    ));
    stage.beat();
    Ok(())
}

/// The messages per second of each model, out of a run of its own, off stage.
fn race_of(more: &[&str]) -> Result<Vec<(&'static str, f64)>> {
    let mut rates = Vec::new();
    for model in MODELS {
        let mut stage = Stage::rehearsal();
        let args = ["--addr", "127.0.0.1:0", "--quiet", "--workers", "4"];
        let (_, addr) = stage.serve(&[&args[..], &["--model", model]].concat())?;
        let addr = addr.to_string();
        let crowd = ["--addr", &addr, "--clients", "24", "--messages", "6"];
        let crowd = Program::side("client").args(crowd).args(more);
        let crowd = stage.start("crowd", &crowd)?;
        let rate = stage.wait_line(crowd, "messages per second")?;
        let rate = rate.split(' ').nth(1).and_then(|rate| rate.parse().ok());
        let rate = rate.with_context(|| format!("{model}: the crowd tells no rate"))?;
        let ending = stage.wait_exit(crowd)?;
        ensure!(
            ending.success(),
            "{model}: {}",
            stage.lines(crowd).join("\n")
        );
        rates.push((model, rate));
    }
    Ok(rates)
}

/// How many times the rate of the first model the best one has.
fn lead(rates: &[(&str, f64)]) -> String {
    let best = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    format!("{:.1}", best / rates[0].1)
}

fn bars(rates: &[(&str, f64)]) -> String {
    let best = rates.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let mut rows = String::from("model              messages per second\n");
    for (model, rate) in rates {
        let length = (rate / best * LONGEST as f64).round() as usize;
        let bar = "#".repeat(length.max(1));
        let _ = writeln!(rows, "{model:<18} {rate:>8.0}  {bar}");
    }
    rows
}

/// When this was last said in a lane.
fn moment(stage: &Stage, lane: &'static str, words: &'static str) -> Result<Duration> {
    let said = stage.seen(&Sign::Says(lane, words)).pop();
    said.with_context(|| format!("{lane} never said {words:?}"))
}

/// How long the third caller waited for the answer to its message.
fn wait_of_the_third(stage: &Stage) -> Result<String> {
    let sent = moment(stage, QUICK, "sending")?;
    let received = moment(stage, QUICK, "received")?;
    let seconds = received.saturating_sub(sent).as_secs_f64();
    Ok(match seconds < 1.0 {
        true => format!("{:.2} ms", seconds * 1000.0),
        false => format!("{seconds:.2} s"),
    })
}
