//! The parts of the scene behind the table.

use std::fs;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use scene::{Actor, Focus, Program, Sign, Stage, TcpState};

use crate::table::{Outcome, fresh_port, one_call, outcome, restart, show_time_wait};

/// How many calls are dealt to the two servers that share a port.
const CALLS: usize = 8;

/// The order of the two closes turned round: nothing is left at the server.
pub fn the_client_closes_first(stage: &mut Stage) -> Result<()> {
    stage.headline("The client closes first");
    stage.note(
        "Now the server waits for the end of the stream, and the client closes first. \
         Nobody sets an option. Predict: can the server start again at once?",
    );
    stage.beat();
    stage.focus(Focus::Words);
    stage.focus_after(Sign::Returns("client", "recv"), Focus::Packets);
    stage.focus_after(Sign::State("client", TcpState::TimeWait), Focus::Words);
    stage.when(
        Sign::State("client", TcpState::TimeWait),
        "TIME-WAIT again, and this time at the client's end.",
    );
    let client_first = ["--close-first", "client"];
    let (server, client, addr) = one_call(stage, &client_first, &client_first)?;
    stage.wait_exit(client)?;
    stage.wait_exit(server)?;
    let restarted = restart(stage, "server", addr, &client_first)?;
    stage.note(match restarted {
        Outcome::Listening => {
            "It can. TIME-WAIT belongs to the side that closes first. Now it is kept at the \
             client's end, on a port that the client needs no more."
        }
        Outcome::InUse => "It cannot, and on Linux it could: something else has the port.",
    });
    show_time_wait(stage, addr)?;
    stage.beat();
    Ok(())
}

/// The kernel closes what a killed process leaves open: the server closes first.
pub fn a_server_that_is_killed(stage: &mut Stage) -> Result<()> {
    stage.headline("A server that is killed");
    stage.note(
        "Each side waits for the other to close. Then the server gets SIGKILL (kill -9). \
         Predict: does that free the port?",
    );
    stage.beat();
    stage.focus(Focus::Words);
    let (server, client, addr) = one_call(
        stage,
        &["--close-first", "client"],
        &["--close-first", "server"],
    )?;
    stage.focus(Focus::All);
    stage.when(
        Sign::Fin,
        "A killed program calls nothing. The kernel closes its sockets, and FIN goes out.",
    );
    let pid = stage.pid(server);
    stage.kill(server)?;
    stage.wait_exit(server)?;
    stage.wait_exit(client)?;
    let restarted = restart(stage, "server", addr, &[])?;
    stage.note(match restarted {
        Outcome::InUse => format!(
            "It does not. Process {pid} is gone, and the kernel has closed its connection for \
             it, as the first of the two. So the server's end is in TIME-WAIT again:"
        ),
        Outcome::Listening => "On this system it does. On Linux bind would say: in use.".into(),
    });
    show_time_wait(stage, addr)?;
    stage.beat();
    Ok(())
}

/// SO_REUSEADDR against a socket in LISTEN.
pub fn a_server_that_still_runs(stage: &mut Stage) -> Result<()> {
    stage.headline("A server that still runs");
    stage.lanes(&["first server", "second server"]);
    stage.focus(Focus::Calls);
    stage.note(
        "The first server listens, with SO_REUSEADDR. A second one with SO_REUSEADDR wants the \
         same port. Predict: who has it then?",
    );
    stage.beat();
    let (first, addr) = server(stage, "first server", fresh_port(), &["--reuse-addr"])?;
    let second = restart(stage, "second server", addr, &["--reuse-addr"])?;
    stage.note(match second {
        Outcome::InUse => {
            "The first. SO_REUSEADDR never takes a port from a socket in LISTEN. The error \
             came from bind, because the first was listening already."
        }
        Outcome::Listening => {
            "This system lets both listen. On Linux the second gets an error from bind."
        }
    });
    stage.beat();
    end(stage, first)
}

/// Two sockets in the same place, and the error that comes from listen.
pub fn two_that_are_bound(stage: &mut Stage) -> Result<()> {
    stage.headline("Two that are bound, and do not listen yet");
    stage.note(
        "Both have SO_REUSEADDR again, but the first stops between bind and listen, until the \
         second listens. Predict: which call fails now, and in which of the two?",
    );
    stage.beat();
    // Only the kernel knows a free port, and it tells it to one that listens.
    // That one plays where nobody looks.
    let mut behind = Stage::rehearsal();
    let (finder, addr) = server(&mut behind, "finder", fresh_port(), &[])?;
    end(&mut behind, finder)?;

    let program = Program::side("server").args(["--addr", &addr.to_string()]);
    let first = stage.start("first server", &program.args(["--reuse-addr", "--hold"]))?;
    stage.wait_line(first, "bound")?;
    let program = Program::side("server").args(["--addr", &addr.to_string(), "--reuse-addr"]);
    let second = stage.start("second server", &program)?;
    let of_second = outcome(stage, second, addr)?;
    stage.tell(first, "")?;
    let of_first = outcome(stage, first, addr)?;
    for (actor, outcome) in [(first, of_first), (second, of_second)] {
        if outcome == Outcome::Listening {
            stage.kill(actor)?;
        }
        stage.wait_exit(actor)?;
    }
    stage.note(match (of_first, of_second) {
        (Outcome::InUse, Outcome::Listening) => {
            "listen fails, in the first. Nobody listened when the second came, so bind let it \
             in. Only one can listen, and the first to call listen is the one."
        }
        _ => "On Linux listen fails in the first, and the second listens. This system differs.",
    });
    stage.beat();
    Ok(())
}

/// SO_REUSEPORT: both listen, and the kernel deals the calls.
pub fn two_servers_on_one_port(stage: &mut Stage) -> Result<()> {
    stage.headline("Two servers on one port");
    if !cfg!(unix) {
        stage.note("SO_REUSEPORT is a matter of Unix. This system has no such option.");
        return Ok(());
    }
    stage.lanes(&["first server", "second server"]);
    stage.focus(Focus::Words);
    stage.note(format!(
        "SO_REUSEPORT is another option: any number of servers of one user may share a port, \
         if all set it. {CALLS} clients call, one after the other. Predict: who gets which call?",
    ));
    stage.beat();
    // One call more than there will be, so that neither server ends by itself.
    let calls = (CALLS + 1).to_string();
    let shared = ["--reuse-port", "--calls", &calls];
    let (first, addr) = server(stage, "first server", fresh_port(), &shared)?;
    let (second, _) = server(stage, "second server", addr, &shared)?;

    // The clients say nothing new, so they play where nobody looks.
    let mut behind = Stage::rehearsal();
    let dial = Program::side("client").args(["--addr", &addr.to_string()]);
    for call in 1..=CALLS {
        let say = ["--say".to_string(), format!("call {call}")];
        let client = behind.start("client", &dial.clone().args(say))?;
        let ending = behind.wait_exit(client)?;
        let said = behind.lines(client).join("; ");
        ensure!(ending.success(), "call {call} failed: {said}");
    }
    for actor in [first, second] {
        end(stage, actor)?;
    }

    let took = |actor| {
        let lines = stage.lines(actor);
        (1..=CALLS).map(move |call| {
            let wanted = format!("\"call {call}\"");
            lines.iter().any(|line| line.ends_with(&wanted))
        })
    };
    let [of_first, of_second] = [first, second].map(|actor| took(actor).collect::<Vec<bool>>());
    let row = |name: &str, took: &[bool]| {
        let marks = took.iter().map(|took| if *took { "  x" } else { "  ." });
        format!("{name:<14}{}", marks.collect::<String>())
    };
    let numbers: String = (1..=CALLS).map(|call| format!("{call:>3}")).collect();
    stage.text(format!(
        "{:<14}{numbers}\n{}\n{}",
        "call",
        row("first server", &of_first),
        row("second server", &of_second)
    ));
    let [first, second] = [of_first, of_second].map(|took| took.iter().filter(|x| **x).count());
    let how = match (first, second) {
        (0, _) | (_, 0) => "All to one is chance, as eight equal tosses of a coin are.",
        _ => "There are no turns, and no regard to who is busy.",
    };
    stage.note(format!(
        "The first took {first}, the second {second}. On Linux the kernel deals the calls by a \
         hash of both addresses and both ports. {how}"
    ));
    stage.beat();
    Ok(())
}

/// What else bind, and the look-up before it, can say.
pub fn other_errors_of_bind(stage: &mut Stage) -> Result<()> {
    stage.headline("Other errors of bind");
    stage.lanes(&["server"]);
    stage.focus(Focus::Calls);
    stage.note(
        "An address that this host does not have, a name that is none (two dots), and port 1. \
         Predict the three errors.",
    );
    stage.beat();
    try_port(stage, "203.0.113.7:8082")?;
    // How a name is looked up is a story of its own.
    stage.focus(Focus::Words);
    try_port(stage, "local..host:8082")?;
    stage.focus(Focus::Calls);
    let port_1 = SocketAddr::new(fresh_port().ip(), 1).to_string();
    let said = try_port(stage, &port_1)?;
    stage.note(reserved(&said));
    stage.beat();
    Ok(())
}

/// What this run shows of reserved ports. It depends on who runs it.
fn reserved(said: &str) -> String {
    let setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free = fs::read_to_string(setting).ok();
    let first_free: u32 =
        first_free.map_or(Some(1024), |text| text.trim().parse().ok()).unwrap_or(1024);
    if said.contains("denied") {
        format!(
            "Ports below {first_free} (net.ipv4.ip_unprivileged_port_start) are reserved: bind \
             needs a privilege for them, such as root's. Each error names its way out."
        )
    } else if !said.starts_with("listening") {
        "Here port 1 fails for a reason of its own. Each error names its way out.".into()
    } else if first_free > 1 {
        format!(
            "Port 1 is no error in this run, which has the privilege, as root has. Without it, \
             ports below {first_free} (net.ipv4.ip_unprivileged_port_start) are reserved: \
             \"permission denied\"."
        )
    } else {
        "Port 1 is no error here: net.ipv4.ip_unprivileged_port_start is 0, so no port is \
         reserved. Elsewhere the ports below 1024 are: \"permission denied\"."
            .into()
    }
}

/// Starts a server that is expected to fail; gives what it said.
fn try_port(stage: &mut Stage, target: &str) -> Result<String> {
    let server = stage.start("server", &Program::side("server").args(["--addr", target]))?;
    let said = stage.wait_line(server, target)?;
    if said.starts_with("listening on") {
        stage.kill(server)?;
    }
    stage.wait_exit(server)?;
    Ok(said)
}

/// A server that is expected to listen.
fn server(
    stage: &mut Stage,
    lane: &str,
    addr: SocketAddr,
    options: &[&str],
) -> Result<(Actor, SocketAddr)> {
    let program = Program::side("server").args(["--addr", &addr.to_string()]);
    let server = stage.start(lane, &program.args(options))?;
    let addr = stage.ready(server).context(lane.to_string())?;
    Ok((server, addr))
}

/// Ends a server that still listens.
fn end(stage: &mut Stage, server: Actor) -> Result<()> {
    stage.kill(server)?;
    stage.wait_exit(server)?;
    Ok(())
}
