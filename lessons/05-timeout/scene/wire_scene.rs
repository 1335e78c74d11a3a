//! The scene on two hosts: a SYN that is never answered, and a cable that is cut.

use std::time::Duration;

use anyhow::Result;
use scene::{Actor, Focus, Program, Side, Sign, Stage, TcpState};

const SERVER: &str = "10.0.0.1:9001";

pub fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Server and client are on two hosts now, with a cable between them. What does a program \
         learn when a packet gets lost, and then all of them?",
    );
    stage.lanes(&["server", "client"]);
    stage.focus(Focus::Words);
    let (server, _) = stage.serve(&["--addr", SERVER, "--timeout", "1.5"])?;
    nobody_answers_the_syn(stage)?;
    an_end_that_is_told(stage, server)?;
    an_end_that_is_not_told(stage, server)?;
    stage.end(server)?;
    stage.next(&[
        "Cut and mend the cable by hand, in mid-talk: cargo dial wire lesson-5.",
        "Mend the cable in time: cargo dial wire --rule \"cut after 1 s for 3 s\" -- \
         target/debug/lesson-5 server :: target/debug/lesson-5 client --say 1. Who notices what?",
        "Go on to lesson 6 with --wire, where the stream comes in other pieces than it was sent.",
    ]);
    Ok(())
}

/// The kernel's own patience, made shorter.
fn nobody_answers_the_syn(stage: &mut Stage) -> Result<()> {
    stage.set(Side::Client, "net.ipv4.tcp_syn_retries", "1")?;
    stage.rules("syn drop")?;
    stage.note(
        "Each SYN gets lost. The client has no --connect-timeout, so its kernel decides when to \
         give up; we have made it less patient than usual (6). Predict: will connect be refused?",
    );
    stage.beat();
    stage.focus(Focus::All);
    stage.focus_after(Sign::Fails("client", "connect"), Focus::Words);
    stage.when(
        Sign::State("client", TcpState::SynSent),
        "SYN-SENT: it has asked, and waits. The server's host never heard of it.",
    );
    stage.when(
        Sign::Again("client"),
        "No answer: the kernel asks again. connect still waits, and its program knows nothing.",
    );
    stage.when(
        Sign::Fails("client", "connect"),
        "The kernel has given up. ETIMEDOUT: silence, where ECONNREFUSED would be an answer.",
    );
    let client = stage.start("client", &client(&["--say", "1"]))?;
    let first = stage.wait_sign(&Sign::Syn)?;
    let failed = stage.wait_sign(&Sign::Fails("client", "connect"))?;
    stage.wait_exit(client)?;
    let again = stage.seen(&Sign::Again("client")).into_iter();
    let times: Vec<String> = again.map(|again| seconds(again.saturating_sub(first))).collect();
    stage.note(format!(
        "The SYN went out again {} after the first. connect failed after {}. These are the \
         kernel's own times; with a tcp_syn_retries of 6 it takes about two minutes. A program \
         that wants less says so: --connect-timeout.",
        times.join(" and "),
        seconds(failed.saturating_sub(first))
    ));
    stage.beat();
    Ok(())
}

/// A killed client on a cable that is whole.
fn an_end_that_is_told(stage: &mut Stage, server: Actor) -> Result<()> {
    stage.headline("The peer is killed");
    stage.focus(Focus::Words);
    stage.rules("")?;
    stage.note(
        "A client is connected and thinks. The server waits in recv, for 1.5 s at most. Now the \
         client is killed, on a cable that is whole.",
    );
    stage.when(
        Sign::Fin,
        "The client's kernel says it for the dead program. recv comes back with 0.",
    );
    let client = thinking_client(stage, server)?;
    stage.focus(Focus::Packets);
    stage.kill(client)?;
    let told = stage.wait_sign(&Sign::Fin)?;
    let noticed = stage.wait_sign(&Sign::Says("server", "end of stream"))?;
    stage.wait_line(server, "closed")?;
    stage.wait_exit(client)?;
    stage.note(format!(
        "The server knew it {:.1} ms after the FIN was on the cable: the end of the stream is a \
         message.",
        noticed.saturating_sub(told).as_secs_f64() * 1000.0
    ));
    stage.beat();
    Ok(())
}

/// The same, and the cable is cut.
fn an_end_that_is_not_told(stage: &mut Stage, server: Actor) -> Result<()> {
    stage.headline("The cable is cut");
    stage.focus(Focus::Words);
    stage.rules("fin cut")?;
    stage.note(
        "The same again, but the FIN gets lost, and the cable is cut from there on. Predict: \
         what does the server's recv learn of it?",
    );
    stage.beat();
    stage.when(
        Sign::Dropped("client"),
        "The FIN is lost. On the server's side all is as before: ESTABLISHED, and silence.",
    );
    stage.when(
        Sign::Again("client"),
        "The client's kernel tries again and again. Nothing gets through.",
    );
    stage.when(
        Sign::Says("server", "time out"),
        "The server's own clock has ended the wait. Without its timeout it would wait for ever: \
         a reader sends nothing, so nothing can fail.",
    );
    let client = thinking_client(stage, server)?;
    let began = stage.wait_sign(&Sign::Says("server", "accepted"))?;
    stage.focus(Focus::Packets);
    stage.focus_after(Sign::Says("server", "time out"), Focus::Words);
    stage.kill(client)?;
    stage.wait_sign(&Sign::Again("client"))?;
    let noticed = stage.wait_sign(&Sign::Says("server", "time out"))?;
    stage.wait_line(server, "closed")?;
    stage.wait_exit(client)?;
    stage.note(format!(
        "After {} it gave up. It does not know whether the peer is slow, stopped, dead, or behind \
         a broken cable. End of stream is news; a timeout is the absence of news.",
        seconds(noticed.saturating_sub(began))
    ));
    stage.beat();
    Ok(())
}

fn client(args: &[&str]) -> Program {
    let client = Program::side("client").args(["--addr", SERVER]);
    client.args(args)
}

/// A client that is connected and says nothing for a long time.
fn thinking_client(stage: &mut Stage, server: Actor) -> Result<Actor> {
    let client = stage.start("client", &client(&["--think", "60", "--say", "1"]))?;
    stage.wait_line(client, "thinking")?;
    stage.wait_line(server, "accepted")?;
    Ok(client)
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
