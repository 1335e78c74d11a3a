//! The scene on two hosts: the last ACK gets lost, and TIME-WAIT is there for it.

use std::time::Duration;

use anyhow::Result;
use scene::{Focus, Program, Side, Sign, Stage};

/// Far enough that the rule for the last ACK is there before it.
const LATENCY: &str = "client→server latency 400 ms";

pub fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Server and client are on two hosts now, with a cable between them. What the \
         client sends takes 400 ms. The client closes first, so TIME-WAIT will be at its end. \
         The server closes second, and waits for the last ACK of the call.",
    );
    stage.rules(LATENCY)?;
    stage.lanes(&["server", "client"]);
    time_wait_answers(stage)?;
    nobody_answers(stage)?;
    stage.next(&[
        "Lose each FIN of the server: cargo dial wire --rule \"server→client fin drop\" -- \
         target/debug/lesson-4 server --close-first client :: target/debug/lesson-4 client \
         --close-first client --say hello. In which states do the two sides wait?",
        "Go on to lesson 5 with --wire, where nothing is answered any more.",
    ]);
    Ok(())
}

/// A call whose last ACK is dropped: of all that the client sends, only this is
/// still to come after its FIN. The server's FIN comes again, and meets an answer.
/// Gives the times of the loss, of the second FIN, and of the answer's arrival.
fn without_its_last_ack(
    stage: &mut Stage,
    (server, shown_from): (&str, &'static str),
    answer: Sign,
    [lost, again, met]: [&'static str; 3],
) -> Result<[Duration; 3]> {
    stage.focus(Focus::Words);
    let order = ["--close-first", "client", "--addr", server];
    let (server, _) = stage.serve(&order)?;
    stage.focus_after(Sign::Says("server", shown_from), Focus::Packets);
    let client = Program::side("client").args(order).args(["--say", "hello"]);
    let client = stage.start("client", &client)?;
    stage.wait_sign(&Sign::Fin)?;
    stage.rules(&format!("{LATENCY}; client→server ack 1 drop"))?;

    stage.when(Sign::Dropped("client"), lost);
    stage.when(Sign::Again("server"), again);
    stage.when(answer.clone(), met);
    let lost = stage.wait_sign(&Sign::Dropped("client"))?;
    let again = stage.wait_sign(&Sign::Again("server"))?;
    stage.wait_sign(&answer)?;
    let arrived = stage.wait_sign(&Sign::Arrives("client"))?;
    stage.wait_exit(client)?;
    stage.wait_exit(server)?;
    Ok([lost, again, arrived])
}

fn time_wait_answers(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Predict: the last ACK gets lost. The client's program has ended by then. Who tells the \
         server's kernel that its FIN arrived?",
    );
    stage.beat();
    let told = [
        "The last ACK is lost. The client's program has ended, and its kernel keeps the call in \
         TIME-WAIT. The server's kernel is in LAST-ACK: has its FIN arrived?",
        "No ACK came, so the server's kernel sends its FIN again.",
        "TIME-WAIT answers: it still knows the call, and sends the ACK once more.",
    ];
    let shown = ("10.0.0.1:8082", "sending");
    let [lost, again, closed] = without_its_last_ack(stage, shown, Sign::Ack("client"), told)?;
    stage.note(format!(
        "The FIN came again {} after the ACK was lost, and {} later the server's side had its \
         ACK. Both programs had ended long before. That is the first reason for TIME-WAIT: \
         whoever sends the last ACK cannot know that it arrived.",
        seconds(again.saturating_sub(lost)),
        seconds(closed.saturating_sub(again))
    ));
    stage.beat();
    Ok(())
}

/// The same with a kernel that keeps no TIME-WAIT.
fn nobody_answers(stage: &mut Stage) -> Result<()> {
    stage.headline("Without TIME-WAIT");
    stage.rules(LATENCY)?;
    stage.set(Side::Client, "net.ipv4.tcp_max_tw_buckets", "0")?;
    stage.note(
        "Now the client's kernel may keep no TIME-WAIT at all. Predict: what will the FIN that \
         comes again meet?",
    );
    stage.beat();
    let told = [
        "The same loss. But the client's kernel has forgotten the call: no TIME-WAIT.",
        "The FIN comes again, for a call that nobody knows any more.",
        "So it gets a RST. For the server's kernel, a call that had ended well was broken off.",
    ];
    without_its_last_ack(stage, ("10.0.0.1:8083", "end of stream"), Sign::Reset, told)?;
    stage.note(
        "A peer that has closed and forgotten answers like one that has crashed. This server's \
         program had ended already; one that waits for the end of its close (SO_LINGER) would be \
         told of a reset, although every byte had arrived.",
    );
    stage.beat();
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
