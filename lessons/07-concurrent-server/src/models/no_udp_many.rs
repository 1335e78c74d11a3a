//! recvmmsg is Linux's. Elsewhere the server says so.

use std::net::UdpSocket;
use std::sync::Arc;

use anyhow::{Result, bail};

use super::service::Service;

/// Always an error.
pub fn serve(_: UdpSocket, _: &Arc<Service>) -> Result<()> {
    bail!("--many: only Linux has recvmmsg and sendmmsg; leave it out")
}
