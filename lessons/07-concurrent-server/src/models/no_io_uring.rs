//! io_uring is a part of Linux. Elsewhere this model says so.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::{Result, bail};

use super::service::Service;

/// Always an error.
pub fn serve(_: TcpListener, _: &Arc<Service>) -> Result<()> {
    bail!("model io-uring: only Linux has io_uring; pass --model event-loop")
}

/// What can be said to the scheduler of Linux, and to no other.
pub mod scheduling {
    /// Does nothing.
    pub fn in_batches() {}
}
