//! The scene on two hosts: one caller on a slow path, and who has to wait for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use scene::{Focus, Program, Sign, Stage};

pub fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "The clients are on one host, the server is on another, with a cable between them. Each \
         packet of the slow caller is 400 ms on its way; those of the quick one are not. Both \
         run the same program, and neither of them thinks.",
    );
    // The first and the third connection are those of the slow callers.
    stage.rules("connection 1 delay 400 ms; connection 3 delay 400 ms")?;
    let alone = one_at_a_time(stage)?;
    let together = an_event_loop(stage)?;
    stage.note(format!(
        "The quick caller's answer took {} from the server that serves one at a time, and {} from \
         the event loop. The slow one's two answers took {} and {}: its path is as long as ever. \
         A server cannot make a path shorter. It can refuse to let others wait for it.",
        milliseconds(alone.quick),
        milliseconds(together.quick),
        milliseconds(alone.slow),
        milliseconds(together.slow)
    ));
    stage.beat();
    stage.next(&[
        "A slow path for all, and a crowd: cargo dial wire --rule \"latency 20 ms\" -- \
         target/debug/lesson-7 server --quiet :: target/debug/lesson-7 client --clients 20.",
    ]);
    Ok(())
}

fn one_at_a_time(stage: &mut Stage) -> Result<Waits> {
    stage.note(
        "The first server serves one caller at a time. Predict: the slow caller has two words to \
         say. When does the quick one get its answer?",
    );
    stage.beat();
    stage.focus(Focus::Words);
    stage.focus_after(Sign::Says("server", "#1 received"), Focus::Packets);
    stage.focus_after(Sign::Says("quick", "sending"), Focus::Words);
    stage.when(
        Sign::Says("server", "#1 sending"),
        "The server has answered the first word, and waits in recv for the second. The answer \
         has 400 ms to go, and the next word another 400.",
    );
    stage.when(
        Sign::Says("quick", "sending"),
        "The quick caller is connected, by the server's kernel. Its word arrives at once, and \
         lies there: the server waits for somebody else.",
    );
    let waits = both_callers(stage, "one-at-a-time", "10.0.0.1:8084")?;
    let (quick, slow) = (waits.quick_answered, waits.slow_answered);
    ensure!(slow < quick, "the quick caller was answered first");
    Ok(waits)
}

fn an_event_loop(stage: &mut Stage) -> Result<Waits> {
    stage.headline("An event loop");
    stage.note(
        "The same callers on the same paths. This server waits for all of them at once. Predict: \
         what changes for the quick caller, and what for the slow one?",
    );
    stage.beat();
    stage.focus(Focus::Words);
    stage.when(
        Sign::Says("server", "#2 received"),
        "The answer to the slow caller is still on its way. The server was told of what is here.",
    );
    let waits = both_callers(stage, "event-loop", "10.0.0.1:8085")?;
    let (quick, slow) = (waits.quick_answered, waits.slow_answered);
    ensure!(quick < slow, "the quick caller waited for the slow one");
    Ok(waits)
}

/// How long the callers waited for their answers, and when they had the last.
struct Waits {
    slow: Duration,
    quick: Duration,
    slow_answered: Duration,
    quick_answered: Duration,
}

/// The slow caller first; the quick one as soon as the slow one is being served.
fn both_callers(stage: &mut Stage, model: &str, addr: &str) -> Result<Waits> {
    stage.lanes(&["server", "quick", "slow"]);
    let (server, _) = stage.serve(&["--addr", addr, "--model", model])?;
    let call = Program::side("client").args(["--addr", addr]);
    let words = ["--say", "slow", "--say", "path"];
    let slow = stage.start("slow", &call.clone().args(words))?;
    stage.wait_line(server, "#1 sending")?;
    let quick = stage.start("quick", &call.args(["--say", "hello"]))?;
    stage.wait_exit(quick)?;
    stage.wait_exit(slow)?;
    stage.wait_line(server, "#1 closed")?;
    stage.focus(Focus::Words);
    stage.interrupt(server)?;
    stage.wait_exit(server)?;
    let of = |lane, words| stage.seen(&Sign::Says(lane, words)).into_iter();
    let wait = |lane| {
        let pairs = of(lane, "sending").zip(of(lane, "received"));
        pairs.map(|(sent, heard)| heard.saturating_sub(sent)).sum()
    };
    Ok(Waits {
        slow: wait("slow"),
        quick: wait("quick"),
        slow_answered: of("slow", "received").last().unwrap_or_default(),
        quick_answered: of("quick", "received").last().unwrap_or_default(),
    })
}

fn milliseconds(time: Duration) -> String {
    let time = time.as_secs_f64() * 1000.0;
    match time < 10.0 {
        true => format!("{time:.2} ms"),
        false => format!("{time:.0} ms"),
    }
}
