//! The scene on two hosts: a segment that gets lost, and one that comes twice.

use std::time::Duration;

use anyhow::Result;
use scene::{Actor, Focus, Program, Sign, Stage};

const SERVER: &str = "10.0.0.1:8080";

pub fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Server and client are on two hosts now, with a cable between them. The cable loses \
         packets, and delivers some twice. Server and client are the same programs as before.",
    );
    stage.lanes(&["server", "client"]);
    stage.focus(Focus::Words);
    let (server, _) = stage.serve(&["--addr", SERVER])?;
    a_lost_segment(stage, server)?;
    a_doubled_segment(stage, server)?;
    stage.end(server)?;
    stage.next(&[
        "Choose packets by hand, and drop them: cargo dial wire lesson-2.",
        "Lose it more often: cargo dial wire --rule \"client→server data drop 4 times\" -- \
         target/debug/lesson-2 server :: target/debug/lesson-2 client --say hello | cat. How do \
         the times between the attempts grow?",
        "Go on to lesson 3 with --wire, where nobody repairs what the cable does.",
    ]);
    Ok(())
}

/// A client that takes its messages from us, connected and greeted.
fn connect(stage: &mut Stage) -> Result<Actor> {
    let client = Program::side("client").args(["--addr", SERVER]);
    let client = stage.start("client", &client)?;
    stage.wait_line(client, "from")?;
    Ok(client)
}

fn hang_up(stage: &mut Stage, server: Actor, client: Actor) -> Result<()> {
    stage.focus(Focus::Words);
    stage.end_input(client);
    stage.wait_exit(client)?;
    stage.wait_line(server, "closed")?;
    Ok(())
}

/// TCP repairs it, and costs time.
fn a_lost_segment(stage: &mut Stage, server: Actor) -> Result<()> {
    let client = connect(stage)?;
    stage.note(
        "The second segment with data will get lost. Predict: what will the two programs notice, \
         and who sends it again?",
    );
    stage.beat();
    stage.focus(Focus::Packets);
    stage.tell(client, "hello")?;
    let first = round_trip(stage)?;
    // Only now: on a slow machine hello may be sent again, and would count as the
    // second. After its answer it is not.
    stage.rules("client→server data 1 drop")?;
    stage.when(
        Sign::Dropped("client"),
        "It is lost, and nobody is told. The client's kernel keeps the bytes in its Send-Q until \
         they are acknowledged, and its clock runs.",
    );
    stage.when(
        Sign::Again("client"),
        "The time was up without an acknowledgement: the kernel sends the same bytes again, \
         under the same numbers. The program has done nothing.",
    );
    stage.tell(client, "hello again")?;
    let sent = stage.wait_sign(&Sign::Dropped("client"))?;
    let again = stage.wait_sign(&Sign::Again("client"))?;
    let heard = stage.wait_sign(&Sign::Says("client", "received"))?;
    stage.note(format!(
        "The retransmission came {} after the loss. hello had its answer {} after it was on the \
         cable, hello again after {}. That is all that a program can notice of a lost segment: \
         time.",
        milliseconds(again.saturating_sub(sent)),
        milliseconds(first),
        milliseconds(heard.saturating_sub(sent))
    ));
    stage.beat();
    hang_up(stage, server, client)
}

/// A segment with numbers that the receiver has already.
fn a_doubled_segment(stage: &mut Stage, server: Actor) -> Result<()> {
    stage.headline("A segment that comes twice");
    let client = connect(stage)?;
    stage.rules("client→server data 1 double")?;
    stage.note(
        "Whoever repeats may repeat what had arrived after all. Here the cable delivers one \
         segment twice. Predict: how often will the server receive hello?",
    );
    stage.beat();
    stage.focus(Focus::All);
    stage.when(
        Sign::Doubled("client"),
        "Two copies, with the same numbers. The server's kernel has room in its stream for one.",
    );
    stage.when(
        Sign::Duplicate("server"),
        "The second copy brings bytes that are there already. The kernel throws it away, and \
         says so in this acknowledgement (D-SACK).",
    );
    stage.tell(client, "hello")?;
    round_trip(stage)?;
    hang_up(stage, server, client)?;
    let copies = 1 + stage.seen(&Sign::Doubled("client")).len();
    let received = stage.seen(&Sign::Says("server", "\"hello\"")).len();
    let times = if received == 1 {
        "once"
    } else {
        "several times"
    };
    stage.note(format!(
        "{copies} copies arrived, and the server received hello {times}. The numbers in each \
         segment make it possible: of each byte the stream takes one.",
    ));
    stage.beat();
    Ok(())
}

/// From the client's next segment on the cable to the answer in its program.
fn round_trip(stage: &mut Stage) -> Result<Duration> {
    let sent = stage.wait_sign(&Sign::Data("client"))?;
    let heard = stage.wait_sign(&Sign::Says("client", "received"))?;
    Ok(heard.saturating_sub(sent))
}

fn milliseconds(time: Duration) -> String {
    let time = time.as_secs_f64() * 1000.0;
    match time < 10.0 {
        true => format!("{time:.2} ms"),
        false => format!("{time:.0} ms"),
    }
}
