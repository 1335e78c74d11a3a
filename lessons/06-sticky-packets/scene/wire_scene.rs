//! The scene on two hosts: an answer that arrives in pieces, and requests that
//! arrive glued together.

use anyhow::Result;
use scene::{Actor, Focus, Sign, Stage};

use crate::{Inbox, end_server, start_client};

pub fn script(stage: &mut Stage) -> Result<()> {
    let inbox = Inbox::new()?;
    stage.note(
        "Server and client are on two hosts now, with a cable between them. No packet on it has \
         more than 1,500 bytes. Both programs speak with the header, which says how long a \
         message is.",
    );
    stage.lanes(&["server", "client"]);
    pieces(stage, &inbox)?;
    glued(stage, &inbox)?;
    stage.next(&[
        "The same without a header: cargo dial wire --rule \"server→client rate 100 kbit/s\" -- \
         target/debug/lesson-6 server --framing none :: target/debug/lesson-6 client --framing \
         none --into target --say \"get long.txt\". What is saved?",
        "Go on to lesson 7 with --wire, where one client has a slow path.",
    ]);
    Ok(())
}

fn server(stage: &mut Stage) -> Result<Actor> {
    let (server, _) = stage.serve(&["--addr", "10.0.0.1:8083", "--nodelay"])?;
    Ok(server)
}

/// One message in several segments, on a cable that is slow enough to see them.
fn pieces(stage: &mut Stage, inbox: &Inbox) -> Result<()> {
    stage.focus(Focus::Words);
    // With so much latency, nobody takes a packet that waits for its turn for lost.
    stage.rules("server→client latency 150 ms; server→client rate 500 kbit/s")?;
    let server = server(stage)?;
    stage.note(
        "The client asks for long.txt. On this cable, full packets arrive 24 ms apart. Predict: \
         will the client's recv wait for the whole file?",
    );
    stage.beat();
    stage.focus_after(Sign::Says("client", "sending"), Focus::Packets);
    stage.focus_after(Sign::Says("server", "sending"), Focus::All);
    stage.focus_after(Sign::Says("client", "saved"), Focus::Words);
    stage.when(
        Sign::Data("server"),
        "One send, and the kernel cuts it into segments that fit onto the cable. Where the \
         header ends is nothing to it.",
    );
    stage.when(
        Sign::Says("client", "received"),
        "The header is complete: it says how many bytes the file has. They are still on their \
         way.",
    );
    let client = start_client(stage, server, inbox, &[], &["get long.txt"])?;
    let saved = stage.wait_line(client, "saved")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    let (sent, again) = (Sign::Data("server"), Sign::Again("server"));
    let segments = stage.seen(&sent).len() - stage.seen(&again).len();
    let receives = stage.seen(&Sign::Returns("client", "recv")).len();
    stage.note(format!(
        "One send, {segments} segments, {receives} receives, and the client says: \"{saved}\". A \
         recv gives what has arrived, and only the header tells the client when to stop asking.",
    ));
    stage.beat();
    Ok(())
}

/// Several sends that the cable delivers at one moment.
fn glued(stage: &mut Stage, inbox: &Inbox) -> Result<()> {
    stage.headline("Glued");
    stage.focus(Focus::Words);
    stage.rules("server→client latency 150 ms; client→server data 1 hold 100 ms")?;
    let server = server(stage)?;
    stage.note(
        "This client sends two requests without waiting (--at-once), and the first is held up on \
         the cable. Predict: what will lie in the server's Recv-Q when it arrives?",
    );
    stage.beat();
    stage.focus_after(Sign::Says("client", "sending"), Focus::Packets);
    stage.focus_after(Sign::Arrives("client"), Focus::All);
    stage.focus_after(Sign::Says("server", "received"), Focus::Words);
    stage.when(
        Sign::Data("client"),
        "It waits on the cable. What is sent behind it must not overtake it, and waits, too.",
    );
    stage.when(
        Sign::Returns("server", "recv"),
        "All is in one Recv-Q, with no border in it. This recv asked for the 4 bytes that every \
         header begins with, and leaves the rest where it is.",
    );
    let (flags, ask) = (["--nodelay", "--at-once"], "get short.txt");
    let client = start_client(stage, server, inbox, &flags, &[ask, ask])?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    let sends = stage.seen(&Sign::Says("client", "sending")).len();
    let requests = stage.seen(&Sign::Says("server", "received")).len();
    let files = stage.seen(&Sign::Says("client", "saved")).len();
    stage.note(format!(
        "{sends} requests were sent, {requests} were read, {files} files were saved. The server \
         took from the queue what the header said, and the next request began where the last \
         one ended.",
    ));
    stage.beat();
    Ok(())
}
