//! What the kernel keeps of ended calls: the rows of /proc/net/tcp.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

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

/// The kernel's numbers 1 to 11, in its order.
const STATES: &str = "ESTABLISHED SYN-SENT SYN-RECEIVED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED \
                      CLOSE-WAIT LAST-ACK LISTEN CLOSING";

/// The IPv4 sockets that have this address at one of their ends, listeners aside.
pub fn rows(addr: SocketAddr) -> Result<Vec<Row>> {
    let table = fs::read_to_string("/proc/net/tcp").context(
        "the list of sockets is read from /proc/net/tcp, which only Linux has; \
         see \"netstat -an\" in a second terminal",
    )?;
    let mut rows: Vec<Row> = Vec::new();
    for row in table.lines().skip(1).filter_map(row) {
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

/// Columns: sl, local, remote, st, tx_queue:rx_queue, tr:tm->when, …
fn row(line: &str) -> Option<Row> {
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
        state: STATES.split(' ').nth(state.checked_sub(1)?)?,
        left: Duration::from_millis(10 * hundredths),
    })
}

/// `0100007F:1F92`: the address as the machine's own number, so its bytes in
/// memory are the address; the port as it is read.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let host = u32::from_str_radix(host, 16).ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some(SocketAddr::from((host.to_ne_bytes(), port)))
}
