//! `cargo dial xray`: runs programs and shows all that passes between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::Args;
use xray::Program;

use crate::files::Files;
use crate::look::Look;
use crate::screen::Screen;

#[derive(Args, Debug)]
pub(crate) struct XrayArgs {
    #[command(flatten)]
    look: Look,

    /// Both programs stop before each socket call and go on at Enter; after Ctrl-D
    /// nobody is asked any more
    #[arg(long)]
    step: bool,

    /// On the machine's own loopback instead of a network of their own
    #[arg(long)]
    here: bool,

    /// The server, then :: and a client, then :: and further clients
    #[arg(last = true, required = true, value_name = "SERVER … :: CLIENT …")]
    programs: Vec<String>,
}

/// Runs the programs and shows what passes between them.
pub(crate) fn run(args: &XrayArgs) -> Result<()> {
    let programs = programs(&args.programs)?;
    let files = Files::create(&args.look)?;
    let alone = !args.here && enter_private_network();
    let enough = enough()?;
    let mut screen = Screen::new(&args.look, args.step, &programs, files, enough);
    let options = xray::Watching {
        step: args.step,
        alone,
        keyboard: false,
        keep: args.look.bytes.max(4096),
    };
    let recording = xray::Recording::new(&options);
    let recorded = recording.and_then(|recording| recording.play(&programs, &mut screen));
    screen.finish()?;
    recorded
}

/// Becomes true at Ctrl-C.
pub(crate) fn enough() -> Result<Arc<AtomicBool>> {
    let enough = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&enough);
    ctrlc::set_handler(move || stop.store(true, Ordering::Relaxed)).context("catch Ctrl-C")?;
    Ok(enough)
}

/// `SERVER … :: CLIENT … :: CLIENT …`, each with a name for its lane.
pub(crate) fn programs(words: &[String]) -> Result<Vec<(String, Program)>> {
    let sides: Vec<&[String]> = words.split(|word| word == "::").collect();
    let count = sides.len();
    let mut programs = Vec::new();
    for (index, side) in sides.into_iter().enumerate() {
        let Some((executable, args)) = side.split_first() else {
            bail!("\"::\" stands between two programs, and one of them is missing");
        };
        let name = match (index, count) {
            (_, 1) => "program".to_string(),
            (0, _) => "server".to_string(),
            (_, 2) => "client".to_string(),
            _ => format!("client{index}"),
        };
        xray::find(executable).with_context(|| format!("start {executable}"))?;
        programs.push((name, Program::new(executable).args(args)));
    }
    Ok(programs)
}

/// Whether it was possible; where it was not, the reason is said.
fn enter_private_network() -> bool {
    let entered = kernel::network::enter_private();
    if let Err(error) = &entered {
        eprintln!(
            "no network of their own: {}; going on with the machine's loopback, where packets \
             are seen by root alone: see \"cargo dial doctor\"",
            error.to_string().to_lowercase()
        );
    }
    entered.is_ok()
}
