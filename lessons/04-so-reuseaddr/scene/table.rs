//! The table: first run with or without SO_REUSEADDR, restart with or without.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use scene::{Actor, Focus, Program, Sign, Stage, TcpState};

use crate::time_wait;

/// What a server said that was started on a port with a past.
#[derive(Clone, Copy, PartialEq)]
pub enum Outcome {
    Listening,
    InUse,
}

/// Plays the four cells, the first one slowly, and shows the table.
pub fn play(stage: &mut Stage) -> Result<()> {
    stage.headline("Started again");
    let first = slowly(stage)?;

    stage.headline("With the option and without");
    stage.note(
        "The usual advice is SO_REUSEADDR, set before bind. Predict: who needs it, the first \
         run, the restart, or both? (A restart that gets as far as listening has shown it, and \
         is ended with SIGKILL.)",
    );
    stage.beat();
    let mut cells = [[first; 2]; 2];
    for (first_has, restart_has) in [(false, true), (true, false), (true, true)] {
        stage.note(format!(
            "First run {} SO_REUSEADDR, restart {} it, on a fresh port.",
            with(first_has),
            with(restart_has)
        ));
        stage.focus(Focus::Words);
        let addr = first_run(stage, option(first_has))?;
        stage.focus(Focus::Calls);
        let restarted = restart(stage, "server", addr, option(restart_has))?;
        cells[usize::from(first_has)][usize::from(restart_has)] = restarted;
        stage.beat();
    }

    stage.text(drawn(cells));
    use Outcome::{InUse, Listening};
    stage.note(match cells {
        [[InUse, InUse], [InUse, Listening]] => {
            "Both must have it. The socket in TIME-WAIT has inherited the option, or its \
             absence, from the first run. bind gives a port out twice only if all agreed."
        }
        [[InUse, Listening], [InUse, Listening]] => {
            "On this system the restart must have it, and the first run is not asked. \
             On Linux both must have it."
        }
        [[Listening, Listening], [Listening, Listening]] => {
            "On this system TIME-WAIT is in nobody's way. On Linux both runs must have the option."
        }
        _ => "This is neither what Linux does nor what BSD does. Play again, and look closely.",
    });
    stage.beat();
    Ok(())
}

/// The cell without and without, with predictions and with a look at the kernel.
fn slowly(stage: &mut Stage) -> Result<Outcome> {
    stage.lanes(&["server", "client"]);
    stage.when(
        Sign::Fin,
        "The server's FIN is the first. That decides who will keep the connection.",
    );
    stage.when(
        Sign::State("server", TcpState::TimeWait),
        "This stays. No program has that socket any more: the kernel keeps it for a minute.",
    );
    let addr = first_run(stage, &[])?;
    stage.note(format!(
        "The server answered, closed first, and has ended. No program has port {} now. \
         Predict: can the server start again on it, at once?",
        addr.port()
    ));
    stage.beat();

    stage.when(
        Sign::Fails("server", "bind"),
        "Here the socket in TIME-WAIT stands in the way.",
    );
    let restarted = restart(stage, "server", addr, &[])?;
    stage.note(match restarted {
        Outcome::InUse => {
            "It cannot. The ended call still has the port. Its side that closed first is kept \
             in TIME-WAIT, so that late segments of that call cannot get into a new one."
        }
        Outcome::Listening => "On this system it can. On Linux bind would say: in use.",
    });
    show_time_wait(stage, addr)?;
    stage.beat();
    Ok(restarted)
}

/// One call in which the server closes first; gives back the server's address.
fn first_run(stage: &mut Stage, options: &[&str]) -> Result<SocketAddr> {
    let (server, client, addr) = one_call(stage, options, &[])?;
    for actor in [server, client] {
        let ending = stage.wait_exit(actor)?;
        ensure!(
            ending.success(),
            "the first run failed: {}",
            stage.lines(actor).join("; ")
        );
    }
    Ok(addr)
}

/// A server on a fresh port, and a client whose call has been answered.
pub fn one_call(
    stage: &mut Stage,
    of_server: &[&str],
    of_client: &[&str],
) -> Result<(Actor, Actor, SocketAddr)> {
    let fresh = fresh_port().to_string();
    let program = Program::side("server").args(["--addr", &fresh]);
    let server = stage.start("server", &program.args(of_server))?;
    let addr = stage.ready(server)?;

    let program = Program::side("client").args(["--addr", &addr.to_string(), "--say", "hello"]);
    let client = stage.start("client", &program.args(of_client))?;
    stage.wait_line(client, "received")?;
    Ok((server, client, addr))
}

/// A server on a port with a past. If it listens, it has shown what it should,
/// and is killed.
pub fn restart(
    stage: &mut Stage,
    lane: &str,
    addr: SocketAddr,
    options: &[&str],
) -> Result<Outcome> {
    let program = Program::side("server").args(["--addr", &addr.to_string()]);
    let server = stage.start(lane, &program.args(options))?;
    let restarted = outcome(stage, server, addr)?;
    if restarted == Outcome::Listening {
        stage.kill(server)?;
    }
    stage.wait_exit(server)?;
    Ok(restarted)
}

/// What a server says about its port: that it listens, or that it is in use.
pub fn outcome(stage: &mut Stage, server: Actor, addr: SocketAddr) -> Result<Outcome> {
    let said = stage.wait_line(server, &addr.to_string())?;
    // Windows has its own words for "in use".
    match said.as_str() {
        _ if said.starts_with("listening on") => Ok(Outcome::Listening),
        _ if said.contains("in use") || said.contains("only one usage") => Ok(Outcome::InUse),
        _ => bail!("neither listening nor in use: {said}"),
    }
}

/// What the kernel keeps of the calls of this address, from its own list.
pub fn show_time_wait(stage: &mut Stage, addr: SocketAddr) -> Result<()> {
    // The last segments may still be under way; no event says that they are in.
    let patience = Instant::now() + Duration::from_secs(2);
    let kept = loop {
        let kept = match time_wait::rows(addr) {
            Ok(rows) => rows,
            Err(error) => {
                stage.note(format!("{error:#}"));
                return Ok(());
            }
        };
        let settled = kept.iter().any(|row| row.state == "TIME-WAIT");
        if settled || Instant::now() > patience {
            break kept;
        }
        thread::yield_now();
    };
    if kept.is_empty() {
        stage.note(format!("The kernel's list has no socket with {addr}."));
        return Ok(());
    }
    let mut rows = format!("{:<12}{:<24}{:<24}left", "state", "kept at", "other end");
    for row in kept {
        rows += &format!(
            "\n{:<12}{:<24}{:<24}{:.1} s",
            row.state,
            row.local,
            row.remote,
            row.left.as_secs_f64()
        );
    }
    stage.text(rows);
    Ok(())
}

/// Port 0, so that the kernel finds a free one. All of 127.0.0.0/8 is this host
/// on Linux, so the scene takes an address of its own there: no other program
/// can get the port between an end and a restart.
pub fn fresh_port() -> SocketAddr {
    let [high, middle, low] = match std::process::id().to_be_bytes() {
        [_, high, middle, low] if cfg!(target_os = "linux") => [1 + high % 254, middle, low],
        _ => [0, 0, 1],
    };
    SocketAddr::new(IpAddr::from(Ipv4Addr::new(127, high, middle, low)), 0)
}

fn option(has: bool) -> &'static [&'static str] {
    if has { &["--reuse-addr"] } else { &[] }
}

fn with(has: bool) -> &'static str {
    if has { "with" } else { "without" }
}

fn drawn(cells: [[Outcome; 2]; 2]) -> String {
    let mut table = format!("{:<20}{:<18}restart with", "", "restart without");
    for (first_has, row) in [false, true].into_iter().zip(cells) {
        let [without, with_it] = row.map(|cell| match cell {
            Outcome::Listening => "listening",
            Outcome::InUse => "in use",
        });
        let first = format!("first run {}", with(first_has));
        table += &format!("\n{first:<20}{without:<18}{with_it}");
    }
    table
}
