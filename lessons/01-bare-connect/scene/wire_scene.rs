//! The scene on two hosts: the handshake, packet by packet, on a long cable.

use std::time::Duration;

use anyhow::Result;
use scene::{Focus, Program, Sign, Stage, TcpState};

pub fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Server and client are on two hosts now, with a cable between them. A packet needs 100 \
         ms from one end to the other: far enough to see who waits for what.",
    );
    stage.rules("latency 100 ms")?;
    stage.lanes(&["server", "client"]);
    three_packets(stage)?;
    accept_comes_later(stage)?;
    stage.next(&[
        "Hold each packet in your hand: cargo dial wire lesson-1.",
        "Lose the SYN: cargo dial wire --rule \"syn drop 2 times\" -- target/debug/lesson-1 \
         server :: target/debug/lesson-1 client | cat. How long does connect take now?",
        "Go on to lesson 2 with --wire, where a packet of a call gets lost.",
    ]);
    Ok(())
}

/// Which side knows what, and when.
fn three_packets(stage: &mut Stage) -> Result<()> {
    stage.focus(Focus::Words);
    let (server, _) = stage.serve(&["--addr", "10.0.0.1:8081"])?;
    stage.note(
        "The server waits in accept. Predict: a client dials. How long does its connect take, \
         and which side is ESTABLISHED first?",
    );
    stage.beat();

    stage.focus(Focus::All);
    stage.focus_after(Sign::Returns("server", "accept"), Focus::Words);
    stage.when(
        Sign::State("client", TcpState::SynSent),
        "SYN-SENT: the SYN is on its way, and connect waits. The server's host knows nothing of \
         it yet.",
    );
    stage.when(
        Sign::State("server", TcpState::SynReceived),
        "SYN-RECEIVED: the server's kernel has answered by itself. Its program has seen nothing.",
    );
    stage.when(
        Sign::State("client", TcpState::Established),
        "ESTABLISHED on one side. The server's side does not know yet that its answer arrived: \
         the third packet is on its way.",
    );
    stage.when(
        Sign::Returns("server", "accept"),
        "The third packet is there, and accept comes back. The server is the last to know.",
    );
    let client = Program::side("client").args(["--addr", "10.0.0.1:8081", "--until-end"]);
    let client = stage.start("client", &client)?;
    let dialled = stage.wait_sign(&Sign::Syn)?;
    let connected = stage.wait_sign(&Sign::Returns("client", "connect"))?;
    let accepted = stage.wait_sign(&Sign::Returns("server", "accept"))?;
    let answered = stage.wait_sign(&Sign::Says("client", "received"))?;
    stage.wait_exit(server)?;
    stage.wait_exit(client)?;
    let since = |time: Duration| milliseconds(time.saturating_sub(dialled));
    stage.note(format!(
        "Counted from the SYN: connect came back after {}, which is one round trip. accept came \
         back after {}, half a round trip later. The answer was there after {}: two round \
         trips, and the first of them only made the connection.",
        since(connected),
        since(accepted),
        since(answered)
    ));
    stage.beat();
    Ok(())
}

/// The handshake does not wait for accept.
fn accept_comes_later(stage: &mut Stage) -> Result<()> {
    stage.headline("accept comes later");
    stage.note(
        "This server listens, and calls accept when we press Enter for it. Predict: will connect \
         take longer? And how long will accept take, on so long a cable?",
    );
    stage.beat();
    stage.focus(Focus::Words);
    let server = Program::side("server").args(["--addr", "10.0.0.1:8082", "--hold"]);
    let server = stage.start("server", &server)?;
    stage.wait_line(server, "not yet accepting")?;
    stage.focus(Focus::Packets);
    stage.focus_after(Sign::Says("client", "sending"), Focus::Words);
    let client = Program::side("client").args(["--addr", "10.0.0.1:8082", "--until-end"]);
    let client = stage.start("client", &client)?;
    let dialled = stage.wait_sign(&Sign::Syn)?;
    let connected = stage.wait_sign(&Sign::Returns("client", "connect"))?;
    stage.wait_sign(&Sign::State("server", TcpState::Established))?;
    stage.note(
        "Both sides are ESTABLISHED, and accept has not been called. Two kernels have done all \
         of it. Now we press Enter.",
    );
    stage.focus(Focus::Calls);
    stage.focus_after(Sign::Returns("server", "accept"), Focus::Words);
    stage.tell(server, "")?;
    let called = stage.wait_sign(&Sign::Calls("server", "accept"))?;
    let accepted = stage.wait_sign(&Sign::Returns("server", "accept"))?;
    stage.wait_exit(server)?;
    stage.wait_exit(client)?;
    stage.note(format!(
        "connect came back after {}: one round trip again. It waits for a kernel, and not for \
         accept. accept took {}: no packet crosses the cable for it. It takes from a queue what \
         is complete already.",
        milliseconds(connected.saturating_sub(dialled)),
        milliseconds(accepted.saturating_sub(called))
    ));
    stage.beat();
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    let time = time.as_secs_f64() * 1000.0;
    match time < 10.0 {
        true => format!("{time:.2} ms"),
        false => format!("{time:.0} ms"),
    }
}
