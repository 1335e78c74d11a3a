//! Whether a scene is played under the X-ray, and if it cannot be, why. This comes
//! first of all, because the process may move into another network, and later
//! there is a second thread.

use anyhow::{Context, Result};
use xray::{Cast, Listened};

use crate::options::{Options, Xray};

/// The programs' watchers; and where the X-ray is wanted and is not to be had,
/// what to say about it.
pub(crate) fn cast(options: &Options) -> Result<(Box<dyn Cast>, Option<String>)> {
    if options.wire {
        return on_wire().map(|cast| (cast, None));
    }
    let mut missing = None;
    if options.xray == Xray::On {
        match observed() {
            Ok(cast) => return Ok((cast, None)),
            Err(reason) => missing = Some(reason),
        }
    }
    let listened = Listened::new().context("make a queue for the programs' output")?;
    Ok((Box::new(listened), missing))
}

#[cfg(target_os = "linux")]
fn observed() -> Result<Box<dyn Cast>, String> {
    // The scene itself has sockets here and there.
    let watching = xray::Watching {
        alone: false,
        ..Default::default()
    };
    match xray::Seen::alone(&watching) {
        Ok(seen) => Ok(Box::new(seen)),
        Err(error) => Err(format!(
            "Without the X-ray: {error:#}. \"cargo dial doctor\" says what to do. This is what \
             the programs say."
        )),
    }
}

/// A person who asks for the wire gets it, or hears why not.
#[cfg(target_os = "linux")]
fn on_wire() -> Result<Box<dyn Cast>> {
    let seen = xray::Seen::on_two_hosts(&xray::Watching::default())?;
    Ok(Box::new(seen))
}

#[cfg(not(target_os = "linux"))]
fn on_wire() -> Result<Box<dyn Cast>> {
    anyhow::bail!("--wire: two hosts on one machine need the namespaces of Linux")
}

#[cfg(not(target_os = "linux"))]
fn observed() -> Result<Box<dyn Cast>, String> {
    Err("Without the X-ray, which needs Linux: this is what the programs say.".to_string())
}
