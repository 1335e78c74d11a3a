//! The scene on two hosts: a datagram that is lost, one that comes twice, and two
//! that change places. Nobody repairs it.

use anyhow::Result;
use scene::{Actor, Focus, Program, Sign, Stage};

const SERVER: &str = "10.0.0.1:7788";

pub fn script(stage: &mut Stage) -> Result<()> {
    stage.note(
        "Server and client are on two hosts now, with a cable between them. UDP sends each \
         datagram once, and keeps no copy. So what the cable does to it, the programs get to \
         feel.",
    );
    stage.lanes(&["server", "client"]);
    stage.focus(Focus::Packets);
    let (server, _) = stage.serve(&["--addr", SERVER, "--reply", "upper"])?;
    lost(stage)?;
    doubled(stage)?;
    stage.end(server)?;
    swapped(stage)?;
    stage.next(&[
        "Lose the answer instead: cargo dial wire --rule \"server→client udp 1 drop\" -- \
         target/debug/lesson-3 server :: target/debug/lesson-3 client --say one. Can the client \
         tell the difference?",
        "How could a client know which answer belongs to which question?",
        "Go on to lesson 4 with --wire, where TCP guards against its own late packets.",
    ]);
    Ok(())
}

/// A client that takes its messages from us, and waits half a second for answers.
fn client(stage: &mut Stage) -> Result<Actor> {
    let client = Program::side("client").args(["--to", SERVER, "--timeout", "0.5"]);
    stage.start("client", &client)
}

fn lost(stage: &mut Stage) -> Result<()> {
    stage.rules("client→server udp 1 drop")?;
    stage.note(
        "Predict: the first datagram is lost. Who notices, how, and what comes again after 0.5 s?",
    );
    stage.beat();
    stage.when(
        Sign::Dropped("client"),
        "It is lost. sendto had succeeded: the datagram had left the host, and that is all that \
         it says.",
    );
    let client = client(stage)?;
    stage.tell(client, "one")?;
    let lost = stage.wait_sign(&Sign::Dropped("client"))?;
    let noticed = stage.wait_sign(&Sign::Says("client", "timed out"))?;
    stage.tell(client, "two")?;
    stage.wait_line(client, "received")?;
    stage.end_input(client);
    stage.wait_exit(client)?;
    let waited = noticed.saturating_sub(lost).as_secs_f64();
    stage.note(format!(
        "Nothing came again. The client gave up {waited:.2} s after the loss, because its \
         programmer had set a time. Its kernel knew of nothing: no copy, no clock. two was a \
         datagram of its own, and its way was free."
    ));
    stage.beat();
    Ok(())
}

fn doubled(stage: &mut Stage) -> Result<()> {
    stage.headline("Twice");
    stage.rules("client→server udp 1 double")?;
    stage.note(
        "A cable, or rather a network, may deliver a datagram twice. Predict: the client asks \
         one, then two, then three. Which answers will it get?",
    );
    stage.beat();
    stage.when(
        Sign::Doubled("client"),
        "Two copies go on, and the server cannot tell them from two questions: it answers both.",
    );
    let client = client(stage)?;
    let mut answers = Vec::new();
    for question in ["one", "two", "three"] {
        stage.tell(client, question)?;
        let heard = stage.wait_line(client, "received")?;
        let answer = heard.split('"').nth(1).unwrap_or_default();
        answers.push(format!("to {question} it was {answer}"));
    }
    stage.end_input(client);
    stage.wait_exit(client)?;
    stage.note(format!(
        "What the client took for its answer: {}. From the second on it is always one behind, \
         and no call reports an error. A number in each question and answer would have shown it.",
        answers.join(", ")
    ));
    stage.beat();
    Ok(())
}

fn swapped(stage: &mut Stage) -> Result<()> {
    stage.headline("In another order");
    stage.rules("client→server udp 1 swap")?;
    stage.note("Predict: the client sends one, two, three. In which order will the server read?");
    stage.beat();
    let silent = ["--addr", SERVER, "--reply", "none"];
    let (server, _) = stage.serve(&silent)?;
    stage.when(
        Sign::Swapped("client"),
        "The cable keeps it back until the next one has gone by.",
    );
    let client = Program::side("client").args(["--to", SERVER, "--no-answer"]);
    let client = stage.start("client", &client)?;
    for word in ["one", "two", "three"] {
        stage.tell(client, word)?;
    }
    for _ in 0..3 {
        stage.wait_sign(&Sign::Says("server", "received"))?;
    }
    stage.end_input(client);
    stage.wait_exit(client)?;
    let lines = stage.lines(server);
    let read = lines.iter().filter(|line| line.contains("received"));
    let read: Vec<&str> = read.filter_map(|line| line.split('"').nth(1)).collect();
    stage.note(format!(
        "It read {}. Each datagram finds its way alone, and nothing in it says which was first. \
         TCP numbers its bytes, so its receiver can put them in order. With UDP that is the \
         program's own work, where it matters.",
        read.join(", ")
    ));
    stage.end(server)?;
    stage.beat();
    Ok(())
}
