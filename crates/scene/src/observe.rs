//! Whether a scene is played under the X-ray, and if it cannot be, why.

use anyhow::{Context, Result};
use xray::{Cast, Listened};

use crate::options::Options;

/// The programs' watchers; and where the X-ray is wanted and is not to be had,
/// what to say about it.
pub(crate) fn cast(options: &Options) -> Result<(Box<dyn Cast>, Option<String>)> {
    if options.wire {
        return on_wire().map(|cast| (cast, None));
    }
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
    let seen = sources::network::enter_private()
        .context("no network of their own for the programs")
        .and_then(|()| sources::probe::tracing().context("calls cannot be watched"))
        .and_then(|()| {
            xray::Seen::new(&xray::Watching {
                // The scene itself has sockets here and there.
                alone: false,
                ..Default::default()
            })
        });
    match seen {
        Ok(seen) => Ok(Box::new(seen)),
        Err(error) => Err(format!(
            "Without the X-ray: {error:#}. \"cargo dial doctor\" says what to do. This is what \
             the programs say."
        )),
    }
}

/// Whoever asks for the wire is to have it, or to be told why not.
#[cfg(target_os = "linux")]
fn on_wire() -> Result<Box<dyn Cast>> {
    // In namespaces of our own also as root, so that nothing outside can change.
    // Where they are forbidden, `Wire::new` says so, or does without.
    let _ = sources::network::enter_private();
    let wire = wire::Wire::new().map_err(|refused| {
        anyhow::anyhow!("no wire here: {refused} \"cargo dial doctor\" says more.")
    })?;
    let (hand, settings) = (Box::new(wire::Open), wire::Settings::default());
    let seen = xray::Seen::on_wire(&xray::Watching::default(), wire, hand, settings)?;
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
