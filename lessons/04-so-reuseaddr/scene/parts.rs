//! The parts of the scene behind the table.

use std::fs;
use std::net::{SocketAddr, TcpListener};

use anyhow::{Result, ensure};
use scene::{Focus, Program, Sign, Stage, TcpState};

use crate::runs::{
    attempt, end, explain, first_run, fresh_port, listens, one_call, restart, server,
    show_time_wait, start,
};

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
    let addr = first_run(stage, &client_first, &client_first)?;
    let listens = restart(stage, "server", addr, &client_first)?;
    explain(
        stage,
        listens,
        "It can. TIME-WAIT belongs to the side that closes first. Now it is kept at the \
         client's end, on a port that the client needs no more.",
        "it can",
    );
    show_time_wait(stage, addr);
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
    let (server, client, addr) = one_call(stage, &["--close-first", "client"], &[])?;
    stage.focus(Focus::All);
    stage.when(
        Sign::Fin,
        "A killed program calls nothing. The kernel closes its sockets, and FIN goes out.",
    );
    let pid = stage.pid(server);
    end(stage, server)?;
    stage.wait_exit(client)?;
    let listens = restart(stage, "server", addr, &[])?;
    let seen = format!(
        "It does not. Process {pid} is gone, and the kernel has closed its connection for \
         it, as the first of the two. So the server's end is in TIME-WAIT again:"
    );
    explain(stage, !listens, seen, "it does not: bind would say: in use");
    show_time_wait(stage, addr);
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
    let (first, addr) = server(stage, "first server", &["--reuse-addr"])?;
    let listens = restart(stage, "second server", addr, &["--reuse-addr"])?;
    explain(
        stage,
        !listens,
        "The first. SO_REUSEADDR never takes a port from a socket in LISTEN. The error \
         came from bind, because the first was listening already.",
        "the second gets an error from bind",
    );
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
    // Only the kernel knows a free port.
    let addr = TcpListener::bind(fresh_port())?.local_addr()?;
    let first = start(stage, "first server", addr, &["--reuse-addr", "--hold"])?;
    stage.wait_line(first, "bound")?;
    let second = start(stage, "second server", addr, &["--reuse-addr"])?;
    let of_second = stage.wait_line(second, &addr.to_string())?;
    stage.tell(first, "")?;
    let of_first = stage.wait_line(first, &addr.to_string())?;
    for (actor, said) in [(first, &of_first), (second, &of_second)] {
        if listens(said)? {
            stage.kill(actor)?;
        }
        stage.wait_exit(actor)?;
    }
    explain(
        stage,
        listens(&of_second)? && !listens(&of_first)?,
        "listen fails, in the first. Nobody listened when the second came, so bind let it \
         in. Only one can listen, and the first to call listen is the one.",
        "listen fails in the first, and the second listens",
    );
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
    let (first, addr) = server(stage, "first server", &shared)?;
    let second = start(stage, "second server", addr, &shared)?;
    stage.ready(second)?;

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

    let took = [first, second].map(|actor| {
        let lines = stage.lines(actor);
        let has = |call| lines.iter().any(|line| line.ends_with(&format!("\"call {call}\"")));
        (1..=CALLS).map(has).collect::<Vec<bool>>()
    });
    let numbers: String = (1..=CALLS).map(|call| format!("{call:>3}")).collect();
    let [of_first, of_second] = took.each_ref().map(|took| {
        let marks = took.iter().map(|took| if *took { "  x" } else { "  ." });
        marks.collect::<String>()
    });
    stage.text(format!(
        "call          {numbers}\nfirst server  {of_first}\nsecond server {of_second}"
    ));
    let [first, second] = took.map(|took| took.iter().filter(|x| **x).count());
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
    attempt(stage, "server", "203.0.113.7:8082", &[])?;
    // How a name is looked up is a story of its own.
    stage.focus(Focus::Words);
    attempt(stage, "server", "local..host:8082", &[])?;
    stage.focus(Focus::Calls);
    let port_1 = SocketAddr::new(fresh_port().ip(), 1).to_string();
    let said = attempt(stage, "server", &port_1, &[])?;
    stage.note(reserved(&said));
    stage.beat();
    Ok(())
}

/// What this run shows of reserved ports. It depends on who runs it.
fn reserved(said: &str) -> String {
    let setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free = fs::read_to_string(setting).ok();
    let first_free = first_free.and_then(|text| text.trim().parse().ok()).unwrap_or(1024);
    let below = format!("below {first_free} (net.ipv4.ip_unprivileged_port_start)");
    match said.starts_with("listening") {
        false if said.contains("denied") => format!(
            "Ports {below} are reserved: bind needs a privilege for them, such as root's. Each \
             error names its way out."
        ),
        false => "Here port 1 fails for a reason of its own. Each error names its way out.".into(),
        true if first_free > 1 => format!(
            "Port 1 is no error in this run, which has the privilege, as root has. Without it, \
             ports {below} are reserved: \"permission denied\"."
        ),
        true => "Port 1 is no error here: no port is reserved. Elsewhere the ports below 1024 \
                 are: \"permission denied\"."
            .into(),
    }
}
