//! A network of our own: fixed ports never collide in it, nobody else talks in
//! it, and its packets may be watched without root. See network_namespaces(7)
//! and user_namespaces(7).

use std::{fs, io};

use crate::device::bring_up_loopback;
use crate::namespace::{New, SameIds, unshare};
use crate::process;

/// The largest packet of an Ethernet, in bytes from the IP header on. The usual
/// loopback takes 65,536, and so shows packets that no cable carries.
const MTU: i32 = 1500;

/// Moves this process into a network of its own, in which there is nothing but
/// a loopback. Its children are born in there. It keeps its user and group: the
/// programs that it starts have the same rights as outside.
///
/// It must be called before the process has a second thread.
///
/// # Errors
/// EPERM or EACCES where namespaces are forbidden, ENOSPC where their number is
/// limited to none, EINVAL when there is a second thread.
pub fn enter_private() -> io::Result<()> {
    let ids = SameIds::new();
    match unshare(New::UserAndNetwork) {
        Ok(()) => ids.map()?,
        // Some containers forbid user namespaces, but leave root the others.
        Err(error) if process::user() == 0 => unshare(New::Network).map_err(|_| error)?,
        Err(error) => return Err(error),
    }
    // A network made from here on has a small table of its own. In the machine's
    // large one a look at the TCP states takes ten times as long. Older kernels
    // have no such setting, and it changes nothing else.
    if fs::write("/proc/sys/net/ipv4/tcp_child_ehash_entries", "512").is_ok() {
        unshare(New::Network)?;
    }
    bring_up_loopback(MTU)
}
