//! Runs of the server: on a fresh port, or on one with a past.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use scene::{Actor, Program, Stage};

use crate::time_wait;

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

/// A server that need not come to listen.
pub fn start(stage: &mut Stage, lane: &str, addr: impl Display, args: &[&str]) -> Result<Actor> {
    let program = Program::side("server").args(["--addr", &addr.to_string()]);
    stage.start(lane, &program.args(args))
}

/// A server that listens on a fresh port.
pub fn server(stage: &mut Stage, lane: &str, args: &[&str]) -> Result<(Actor, SocketAddr)> {
    let server = start(stage, lane, fresh_port(), args)?;
    let addr = stage.ready(server)?;
    Ok((server, addr))
}

/// Ends a server that still listens.
pub fn end(stage: &mut Stage, server: Actor) -> Result<()> {
    stage.end(server)?;
    Ok(())
}

/// A server on a fresh port, and a client whose call has been answered.
pub fn one_call(
    stage: &mut Stage,
    of_server: &[&str],
    of_client: &[&str],
) -> Result<(Actor, Actor, SocketAddr)> {
    let (server, addr) = server(stage, "server", of_server)?;
    let program = Program::side("client").args(["--addr", &addr.to_string(), "--say", "hello"]);
    let client = stage.start("client", &program.args(of_client))?;
    stage.wait_line(client, "received")?;
    Ok((server, client, addr))
}

/// One call to the end of both programs; gives back the server's address.
pub fn first_run(stage: &mut Stage, of_server: &[&str], of_client: &[&str]) -> Result<SocketAddr> {
    let (server, client, addr) = one_call(stage, of_server, of_client)?;
    for actor in [server, client] {
        let ending = stage.wait_exit(actor)?;
        let said = stage.lines(actor).join("; ");
        ensure!(ending.success(), "the first run failed: {said}");
    }
    Ok(addr)
}

/// A server that may find its port in use; gives what it said. If it listens, it
/// has shown what it should, and is killed.
pub fn attempt(stage: &mut Stage, lane: &str, addr: &str, args: &[&str]) -> Result<String> {
    let server = start(stage, lane, addr, args)?;
    let said = stage.wait_line(server, addr)?;
    if said.starts_with("listening on") {
        stage.kill(server)?;
    }
    stage.wait_exit(server)?;
    Ok(said)
}

/// A server on a port with a past: whether it came to listen.
pub fn restart(stage: &mut Stage, lane: &str, addr: SocketAddr, args: &[&str]) -> Result<bool> {
    listens(&attempt(stage, lane, &addr.to_string(), args)?)
}

/// What a server said about its port: that it listens, or that it is in use.
pub fn listens(said: &str) -> Result<bool> {
    // Windows has its own words for "in use".
    match said {
        _ if said.starts_with("listening on") => Ok(true),
        _ if said.contains("in use") || said.contains("only one usage") => Ok(false),
        _ => bail!("neither listening nor in use: {said}"),
    }
}

/// Explains what was seen, when it is what Linux does.
pub fn explain(stage: &mut Stage, as_on_linux: bool, seen: impl Into<String>, on_linux: &str) {
    stage.note(match as_on_linux {
        true => seen.into(),
        false => format!("This system has other rules. On Linux {on_linux}."),
    });
}

/// What the kernel keeps of the calls of this address, from its own list.
pub fn show_time_wait(stage: &mut Stage, addr: SocketAddr) {
    // The last segments may still be under way; no event says that they are in.
    let patience = Instant::now() + Duration::from_secs(2);
    let settled = |rows: &[time_wait::Row]| rows.iter().any(|row| row.state == "TIME-WAIT");
    let mut kept = time_wait::rows(addr);
    while kept.as_ref().is_ok_and(|rows| !settled(rows)) && Instant::now() < patience {
        thread::sleep(Duration::from_millis(1));
        kept = time_wait::rows(addr);
    }
    match kept {
        Err(error) => stage.note(format!("{error:#}")),
        Ok(rows) => {
            let mut table = format!("{:<12}{:<24}{:<24}left", "state", "kept at", "other end");
            for row in rows {
                let ends = format!("{:<24}{:<24}", row.local, row.remote);
                let left = row.left.as_secs_f64();
                table += &format!("\n{:<12}{ends}{left:.1} s", row.state);
            }
            stage.text(table);
        }
    }
}
