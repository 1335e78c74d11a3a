//! The client's other protocol: one datagram is the message, one is the answer.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::Result;

use crate::{Called, in_time, quoted, say};

/// Open a post office box, and note whom it writes to (lesson 3). An answer that
/// was lost never comes, so the wait for it has an end.
pub fn open(to: SocketAddr, deadline: Duration) -> Result<UdpSocket> {
    let any: SocketAddr = match to {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let post = UdpSocket::bind(any).called("bind", any)?;
    post.connect(to).called("connect", to)?;
    post.set_read_timeout(Some(deadline)).called("setsockopt of", to)?;
    Ok(post)
}

/// Write a letter, and hear the answer.
pub fn exchange(post: &UdpSocket, to: SocketAddr, message: &[u8]) -> Result<()> {
    say(format!(
        "sending {} bytes: {}",
        message.len(),
        quoted(message)
    ));
    post.send(message).called("send to", to)?;
    let mut buffer = [0; 65_535];
    let length = in_time(post.recv(&mut buffer)).called("recv from", to)?;
    let heard = quoted(&buffer[..length]);
    say(format!("received {length} bytes: {heard}"));
    Ok(())
}
