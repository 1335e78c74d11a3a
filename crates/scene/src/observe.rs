//! Whether a scene is played under the X-ray, and if it cannot be, why.

use anyhow::{Context, Result};

use crate::Options;
use crate::cast::{Cast, Listened};

/// The programs' watchers; and where the X-ray is wanted and is not to be had,
/// what to say about it.
pub(crate) fn cast(options: &Options) -> Result<(Box<dyn Cast>, Option<String>)> {
    let mut missing = None;
    if options.wants_xray() {
        match observed() {
            Ok(cast) => return Ok((cast, None)),
            Err(reason) => missing = Some(reason),
        }
    }
    let listened = Listened::new().context("make a queue for the programs' output")?;
    Ok((Box::new(listened), missing))
}

/// The whole process moves into a network of its own, so that nobody else talks
/// in it. This comes first of all, because later there is a second thread.
#[cfg(target_os = "linux")]
fn observed() -> Result<Box<dyn Cast>, String> {
    let session = sources::network::enter_private()
        .context("no network of their own for the programs")
        .and_then(|()| sources::probe::tracing().context("calls cannot be watched"))
        .and_then(|()| {
            crate::xray::Session::new(&crate::xray::Options {
                step: false,
                keep: 4096,
                // The scene itself has sockets here and there.
                alone: false,
            })
        });
    match session {
        Ok(session) => Ok(Box::new(session)),
        Err(error) => Err(format!(
            "Without the X-ray: {error:#}. \"cargo dial doctor\" says what to do. This is what \
             the programs say."
        )),
    }
}

#[cfg(not(target_os = "linux"))]
fn observed() -> Result<Box<dyn Cast>, String> {
    Err("Without the X-ray, which needs Linux: this is what the programs say.".to_string())
}
