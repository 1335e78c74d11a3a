//! What ends the server, Ctrl-C, and what does not: a panic in one call.

use std::panic::{self, PanicHookInfo};
use std::process;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::complain;
use crate::models::service::Service;

/// The first Ctrl-C asks the service to stop. The second ends the program at
/// once, with the status that a shell gives to an interrupted program.
///
/// # Errors
/// When the handler of the signal cannot be set (sigaction).
pub fn on_ctrl_c(service: &Arc<Service>) -> Result<()> {
    let service = service.clone();
    // The crate runs this in a thread of its own. In a real signal handler
    // almost nothing is allowed: neither a lock nor a print.
    let handler = move || {
        if !service.stop() {
            complain("asked a second time: ending at once");
            process::exit(130);
        }
    };
    ctrlc::set_handler(handler).context("sigaction: cannot take over Ctrl-C")
}

/// From now on a panic takes one line. The default takes several.
pub fn panics_in_one_line() {
    panic::set_hook(Box::new(one_line));
}

fn one_line(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or(payload.downcast_ref::<&str>().copied());
    let reason = text.unwrap_or("no reason given");
    complain(format!("panic at {place}: {reason}"));
}
