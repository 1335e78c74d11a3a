//! The table: first run with or without SO_REUSEADDR, restart with or without.

use anyhow::Result;
use scene::{Focus, Sign, Stage, TcpState};

use crate::runs::{explain, first_run, restart, show_time_wait};

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
    let option = |has| if has { &["--reuse-addr"][..] } else { &[] };
    let mut listens = [[first; 2]; 2];
    for (first_has, restart_has) in [(false, true), (true, false), (true, true)] {
        stage.note(format!(
            "First run {} SO_REUSEADDR, restart {} it, on a fresh port.",
            with(first_has),
            with(restart_has)
        ));
        stage.focus(Focus::Words);
        let addr = first_run(stage, option(first_has), &[])?;
        stage.focus(Focus::Calls);
        let restarted = restart(stage, "server", addr, option(restart_has))?;
        listens[usize::from(first_has)][usize::from(restart_has)] = restarted;
        stage.beat();
    }

    stage.text(drawn(listens));
    explain(
        stage,
        listens == [[false, false], [false, true]],
        "Both must have it. The socket in TIME-WAIT has inherited the option, or its \
         absence, from the first run. bind gives a port out twice only if all agreed.",
        "both runs must have the option",
    );
    stage.beat();
    Ok(())
}

/// The cell without and without, with predictions and with a look at the kernel.
fn slowly(stage: &mut Stage) -> Result<bool> {
    stage.lanes(&["server", "client"]);
    stage.when(
        Sign::Fin,
        "The server's FIN is the first. That decides who will keep the connection.",
    );
    stage.when(
        Sign::State("server", TcpState::TimeWait),
        "This stays. No program has that socket any more: the kernel keeps it for a minute.",
    );
    let addr = first_run(stage, &[], &[])?;
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
    let listens = restart(stage, "server", addr, &[])?;
    explain(
        stage,
        !listens,
        "It cannot. The ended call still has the port. Its side that closed first is kept \
         in TIME-WAIT, so that late segments of that call cannot get into a new one.",
        "bind would say: in use",
    );
    show_time_wait(stage, addr);
    stage.beat();
    Ok(listens)
}

fn with(has: bool) -> &'static str {
    if has { "with" } else { "without" }
}

fn drawn(listens: [[bool; 2]; 2]) -> String {
    let mut table = format!("{:<20}{:<18}restart with", "", "restart without");
    for (first_has, row) in [false, true].into_iter().zip(listens) {
        let [without, with_it] = row.map(|listens| if listens { "listening" } else { "in use" });
        let first = format!("first run {}", with(first_has));
        table += &format!("\n{first:<20}{without:<18}{with_it}");
    }
    table
}
