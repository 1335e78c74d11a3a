//! Lesson 6: sticky packets. The scene that plays the server and the client.

#[path = "../checks/checks.rs"]
mod checks;
#[path = "../client.rs"]
mod client;
#[path = "../server.rs"]
mod server;
mod wire_scene;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{self, ExitCode};
use std::{env, fs};

use anyhow::{Context, Result};
use clap::Subcommand;
use lesson_6::ended;
use scene::{Actor, Focus, Program, Sign, Stage};

/// Lesson 6: where does a message end?
#[derive(Subcommand)]
#[command(after_help = "Example:\n  cargo run -p lesson-6 -- --step")]
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
            "Lesson 6 on the wire: pieces and glue",
            wire_scene::script,
        ),
        None => scene::play(&options, "Lesson 6: sticky packets", script),
    }
}

fn script(stage: &mut Stage) -> Result<()> {
    let inbox = Inbox::new()?;
    stage.note(
        "TCP brings all bytes, in their order. It does not say which of them were sent together. \
         The same application three times: a server hands out the files of a folder. What \
         changes is how a message says where it ends.",
    );
    stage.lanes(&["server", "client"]);
    stage.focus(Focus::Words);
    let size = all_is_well(stage, &inbox)?;
    a_long_answer(stage, &inbox, &size)?;
    two_in_one(stage, &inbox)?;
    with_acknowledgement(stage, &inbox)?;
    with_header(stage, &inbox)?;
    stage.next(&[
        "Play both sides yourself: cargo run -p lesson-6 server --framing none, and in a second \
         terminal cargo run -p lesson-6 client --framing none --into target.",
        "Let the client of ack take 2 bytes per receive: --receive 2. What does it take for the \
         length? Then the same with header.",
        "Let only one side speak header, and the other none. Which error comes, and why that one?",
        "Lay framing/none.rs, ack.rs and header.rs side by side.",
        "Go on to lesson 7, where the server talks to many clients at once.",
    ]);
    Ok(())
}

/// The framing that is none.
const NONE: &[&str] = &["--framing", "none"];

/// Short messages, in turn. Gives back the size of long.txt, as the list has it.
fn all_is_well(stage: &mut Stage, inbox: &Inbox) -> Result<String> {
    stage.headline("No framing: short messages");
    let server = start_server(stage, NONE)?;
    let client = start_client(stage, server, inbox, NONE, &["list", "get short.txt"])?;
    stage.wait_line(client, "received")?;
    let entry = stage.wait_line(client, " long.txt")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    stage.note(
        "Each receive brought one message, and the whole of it. That was luck: the messages were \
         short, and nobody spoke out of turn.",
    );
    stage.beat();
    let size = entry.split_whitespace().next().context("the list has no size")?;
    Ok(size.to_string())
}

/// The first face: a receive takes a part, and the rest is taken for something else.
fn a_long_answer(stage: &mut Stage, inbox: &Inbox, size: &str) -> Result<()> {
    stage.headline("No framing: a long answer");
    stage.note(format!(
        "long.txt has {size} bytes. The client receives at most 1,024 at once, and takes what it \
         gets for the answer. Predict: what will the answer to its next question be?"
    ));
    stage.beat();
    let server = start_server(stage, NONE)?;
    stage.focus_after(Sign::Returns("server", "accept"), Focus::All);
    stage.focus_after(Sign::Fails("server", "recv"), Focus::Words);
    stage.when(
        Sign::Data("server"),
        "One send, and the kernel cuts it into segments. Each has a length that fits the network.",
    );
    stage.when(
        Sign::Returns("client", "recv"),
        "One recv takes what its buffer has room for. It cares for no segment, and leaves the \
         rest in Recv-Q.",
    );
    let client = start_client(stage, server, inbox, NONE, &["get long.txt", "list"])?;
    let saved = stage.wait_line(client, "saved")?;
    let no_list = stage.wait_line(client, "that is no list")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    let saved = saved.rsplit(", ").next().unwrap_or_default();
    let line = no_list.split('"').nth(1).unwrap_or_default();
    stage.note(format!(
        "The client saved {saved} of {size} and noticed nothing. Then it asked for the list, and \
         got \"{line}\": the rest of the file had been waiting. From here on every answer \
         belongs to an earlier question."
    ));
    stage.beat();
    Ok(())
}

/// The second face: one receive takes two messages.
fn two_in_one(stage: &mut Stage, inbox: &Inbox) -> Result<()> {
    stage.headline("No framing: two requests at once");
    let requests = ["list", "get long.txt"];
    let length = requests.concat().len().to_string();
    stage.note(format!(
        "The client sends two requests before it receives, {} and {} bytes. The server is busy, \
         and looks only when {length} bytes are there. Predict: what will it receive?",
        requests[0].len(),
        requests[1].len()
    ));
    stage.beat();
    let late = [NONE, &["--wait-for", &length]].concat();
    let plain = [NONE, &["--timeout", "0.5", "--at-once"]].concat();
    stage.focus(Focus::Words);
    let server = start_server(stage, &late)?;
    stage.focus_after(Sign::Returns("server", "accept"), Focus::All);
    stage.focus_after(Sign::Fails("client", "recv"), Focus::Words);
    stage.when(
        Sign::Calls("server", "send"),
        format!("The server answers one request, of {length} bytes: two sends have no border."),
    );
    let client = start_client(stage, server, inbox, &plain, &requests)?;
    let received = stage.wait_line(server, "received")?;
    stage.wait_line(client, "timed out")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    let glued = received.split_once(": ").map_or("", |(_, text)| text);
    stage.note(format!(
        "Two sends, one receive: {glued}. It is no request at all. And the client waits for a \
         second answer that nobody will send."
    ));
    stage.note(
        "A widespread cure is TCP_NODELAY: it forbids the kernel to hold back a small piece \
         until the last one is acknowledged. Predict: does it help?",
    );
    stage.beat();

    stage.focus_after(Sign::Returns("server", "accept"), Focus::Packets);
    stage.focus_after(Sign::Data("server"), Focus::Words);
    let server = start_server(stage, &late)?;
    let nodelay = [&plain[..], &["--nodelay"]].concat();
    let client = start_client(stage, server, inbox, &nodelay, &requests)?;
    let again = stage.wait_line(server, "received")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    stage.note(if again == received {
        "The same. However the pieces travel: they meet in the server's receive buffer, and \
         there they are bytes like all others. No packets stuck together. There never were \
         packets in the stream, only bytes."
    } else {
        "This time the server did not receive both at once. Nothing promises that it stays so."
    });
    stage.beat();
    Ok(())
}

/// The length first, and a wait before the body.
fn with_acknowledgement(stage: &mut Stage, inbox: &Inbox) -> Result<()> {
    stage.headline("Framing ack: the length, \"ready\", the answer");
    stage.focus(Focus::Words);
    let ack = ["--framing", "ack"];
    let server = start_server(stage, &ack)?;
    let client = start_client(stage, server, inbox, &ack, &["get long.txt", "list"])?;
    let saved = stage.wait_line(client, "saved")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    let turns = |line: &&String| line.starts_with("received");
    let turns = stage.lines(server).iter().filter(turns).count();
    stage.note(format!(
        "The client {saved}: all of them, and the list is a list. It costs a round trip for each \
         answer: for two requests the server had to receive {turns} times. And only the answers \
         are framed: two requests at once would stick together as before."
    ));
    stage.beat();
    Ok(())
}

/// Each message says how long it is.
fn with_header(stage: &mut Stage, inbox: &Inbox) -> Result<()> {
    stage.headline("Framing header: each message says how long it is");
    stage.note(
        "Now the worst of it: two requests at once, a server that looks only when both are \
         there, and a client that takes no more than 7 bytes in one receive.",
    );
    stage.beat();
    // Each request is 4 bytes and its header.
    let headers = [
        r#"{"request":"get","name":"long.txt"}"#,
        r#"{"request":"list"}"#,
    ];
    let length = (2 * 4 + headers.concat().len()).to_string();
    let server = start_server(stage, &["--framing", "header", "--wait-for", &length])?;
    let pieces = ["--framing", "header", "--receive", "7", "--at-once"];
    let client = start_client(stage, server, inbox, &pieces, &["get long.txt", "list"])?;
    let saved = stage.wait_line(client, "saved")?;
    stage.wait_line(client, "  ")?;
    stage.wait_exit(client)?;
    end_server(stage, server)?;
    stage.note(format!(
        "The client {saved}. The {length} bytes of both requests lay in one buffer, and the \
         server took them apart: 4 bytes say how long the header is, the header says how long \
         the body is, and the next message begins right behind it."
    ));
    stage.beat();
    Ok(())
}

fn start_server(stage: &mut Stage, args: &[&str]) -> Result<Actor> {
    let (server, _) = stage.serve(&[&["--addr", "127.0.0.1:0"], args].concat())?;
    Ok(server)
}

fn start_client(
    stage: &mut Stage,
    server: Actor,
    inbox: &Inbox,
    flags: &[&str],
    requests: &[&str],
) -> Result<Actor> {
    let listening = stage.lines(server).into_iter().next().unwrap_or_default();
    let addr = listening.rsplit(' ').next().unwrap_or_default();
    let client = Program::side("client").args(["--addr", addr, "--force", "--into"]);
    let says = requests.iter().flat_map(|request| ["--say", request]);
    let client = client.args([&inbox.0]).args(flags).args(says);
    stage.start("client", &client)
}

/// The server has nothing more to do in this part.
fn end_server(stage: &mut Stage, server: Actor) -> Result<()> {
    stage.wait_line(server, "closed the connection")?;
    stage.end(server)?;
    Ok(())
}

/// A folder for what the clients save. It goes with the scene.
struct Inbox(PathBuf);

impl Inbox {
    fn new() -> Result<Self> {
        let mut number = 0;
        loop {
            let path = env::temp_dir().join(format!("lesson-6-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                // A scene that ends at Ctrl-C leaves its folder, and process ids come again.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                created => {
                    created.with_context(|| format!("create {}", path.display()))?;
                    return Ok(Self(path));
                }
            }
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
