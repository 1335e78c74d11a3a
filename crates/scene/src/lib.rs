//! Puts programs on stage, waits until they are ready, lets them speak in turn,
//! ends them, and keeps the timeline of it.
//!
//! A scene is a function over a [`Stage`]; [`play`] shows it to a person. The
//! same stage without an audience, [`Stage::rehearsal`], is how tests watch
//! programs. A stage knows no lesson and no language: an actor is a process
//! with any command line.
//!
//! How programs are listened to or seen is the matter of [`xray`]. Read this in
//! the order `stage.rs`, `stage/wait.rs`, `story.rs`, `sign.rs`, `spectator.rs`.

mod focus;
mod observe;
mod options;
mod sign;
mod spectator;
mod stage;
mod story;

pub use focus::Focus;
pub use options::{Options, Speed, Xray, asked};
pub use sign::Sign;
pub use stage::Stage;
pub use timeline::state::TcpState;
pub use timeline::{Actor, Ending};
pub use xray::{Program, Side, find};

use std::process::ExitCode;

/// Plays a scene to the terminal: the title, then what the script does.
/// Status 0 when the script came to its end, 1 when something in it failed.
pub fn play(
    options: &Options,
    title: &str,
    script: impl FnOnce(&mut Stage) -> anyhow::Result<()>,
) -> ExitCode {
    let played = Stage::with_audience(options).and_then(|mut stage| {
        stage.headline(title);
        script(&mut stage)
    });
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !nobody_listens(&error) {
                eprintln!("\nThe scene cannot go on: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

/// A reader that went away, as in `| head`, needs no error message.
fn nobody_listens(error: &anyhow::Error) -> bool {
    error
        .downcast_ref()
        .is_some_and(kernel::terminal::is_reader_gone)
}
