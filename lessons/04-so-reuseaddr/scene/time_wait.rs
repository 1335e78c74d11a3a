//! What the kernel keeps of ended calls: the rows of /proc/net/tcp.

use std::net::SocketAddr;
use std::time::Duration;

/// One TCP socket of this host, as the kernel lists it.
pub struct Row {
    /// The end that this socket is.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// By its name in the RFC, such as TIME-WAIT.
    pub state: &'static str,
    /// Until the running timer fires; in TIME-WAIT, until the socket is gone.
    pub left: Duration,
}

/// The sockets that have this address at one of their ends, listeners aside.
#[cfg(target_os = "linux")]
pub fn rows(addr: SocketAddr) -> anyhow::Result<Vec<Row>> {
    use anyhow::Context;

    let file = if addr.is_ipv4() {
        "/proc/net/tcp"
    } else {
        "/proc/net/tcp6"
    };
    let table = std::fs::read_to_string(file).with_context(|| format!("read {file}"))?;
    let mut rows: Vec<Row> = Vec::new();
    for row in table.lines().skip(1).filter_map(linux::row) {
        let ours = row.local == addr || row.remote == addr;
        // The kernel writes its list page by page. When other sockets come or
        // go meanwhile, a row can appear twice.
        let twice = rows.iter().any(|old| (old.local, old.remote) == (row.local, row.remote));
        if ours && !twice && row.state != "LISTEN" {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Elsewhere the kernel has other ways to tell, and some need a privilege.
#[cfg(not(target_os = "linux"))]
pub fn rows(_: SocketAddr) -> anyhow::Result<Vec<Row>> {
    anyhow::bail!(
        "the list of sockets is read from /proc/net/tcp, which only Linux has; \
         see \"netstat -an\" in a second terminal"
    )
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    use super::Row;

    /// The kernel's numbers 1 to 12, in its order.
    const STATES: [&str; 12] = [
        "ESTABLISHED",
        "SYN-SENT",
        "SYN-RECV",
        "FIN-WAIT-1",
        "FIN-WAIT-2",
        "TIME-WAIT",
        "CLOSED",
        "CLOSE-WAIT",
        "LAST-ACK",
        "LISTEN",
        "CLOSING",
        "NEW-SYN-RECV",
    ];

    // ANCHOR: row
    /// Columns: sl, local, remote, st, tx_queue:rx_queue, tr:tm->when, …
    pub fn row(line: &str) -> Option<Row> {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, state, _, timer, ..] = columns[..] else {
            return None;
        };
        let state = usize::from_str_radix(state, 16).ok()?;
        // The kernel counts these in hundredths of a second.
        let hundredths = u64::from_str_radix(timer.split_once(':')?.1, 16).ok()?;
        Some(Row {
            local: address(local)?,
            remote: address(remote)?,
            state: STATES.get(state.checked_sub(1)?)?,
            left: Duration::from_millis(10 * hundredths),
        })
    }
    // ANCHOR_END: row

    /// `0100007F:1F92`: the address in words of 32 bits, each printed as the
    /// machine's own number, so its bytes in memory are the address; the port
    /// as it is read.
    fn address(text: &str) -> Option<SocketAddr> {
        let (host, port) = text.split_once(':')?;
        let mut bytes = Vec::new();
        for word in host.as_bytes().chunks(8) {
            let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
            bytes.extend(word.to_ne_bytes());
        }
        let ip = match bytes.len() {
            4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        };
        Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
    }
}
