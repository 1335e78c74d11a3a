//! How a thread that waits in accept learns that it shall stop.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use socket2::{Domain, Socket, Type};

use super::service::Service;
use crate::Called;

/// accept waits until a caller comes, and nothing else ends the wait on every
/// system. So the program calls itself when it shall stop: accept returns, and
/// the model sees that this is no caller. Gives back the listener's address.
pub fn call_yourself_when_stopped(
    listener: &TcpListener,
    service: &Arc<Service>,
) -> Result<SocketAddr> {
    let own = listener.local_addr().called("getsockname of", "the listener")?;
    // The phone for this call is bought now. When the stop comes, the program
    // may have run out of descriptors.
    let phone =
        Socket::new(Domain::for_address(own), Type::STREAM, None).called("socket for", own)?;
    service.when_stopped(move |service| {
        // It fails if the accept queue is full. Then accept does not wait.
        let _ = phone.connect_timeout(&callable(own).into(), Duration::from_secs(1));
        service.cut_off_late_calls();
    })?;
    Ok(own)
}

/// A listener on 0.0.0.0 or `[::]` takes calls for every address of this host.
/// The loopback address is one of them.
pub fn callable(mut own: SocketAddr) -> SocketAddr {
    if own.ip().is_unspecified() {
        own.set_ip(match own {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    own
}
