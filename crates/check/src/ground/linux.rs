//! Linux: namespaces, sock_diag(7), proc(5).

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use std::{fs, process};

pub(crate) use kernel::network::enter_private;
use kernel::process::{adopt_orphans, clock_ticks_per_second, page_size, thread_id, wait_for};
use kernel::signal::{SIGKILL, send};
use kernel::states::{SocketInfo, States};
use timeline::state::TcpState;

use super::{Activity, Bound, Taken};

/// Looks at the sockets of the network in which it was opened.
#[derive(Debug)]
pub(crate) struct Sight(Option<States>);

impl Sight {
    pub(crate) fn open() -> Self {
        // Orphans of a program come to us, so that they can be found and ended.
        let _ = adopt_orphans();
        Self(States::open().ok())
    }

    /// As where there is no sock_diag.
    #[cfg(test)]
    pub(crate) fn blind() -> Self {
        Self(None)
    }

    /// Where this program, or a child of it, waits for others.
    pub(crate) fn bound(&mut self, pid: u32) -> Option<Vec<Bound>> {
        let states = self.0.as_mut()?;
        let tcp = states.tcp_sockets().ok()?;
        let udp = states.udp_sockets().ok()?;
        let listens = |socket: &&SocketInfo| socket.state == TcpState::Listen;
        let free = |socket: &&SocketInfo| socket.peer.port() == 0 && socket.local.port() != 0;
        let bound = |datagrams| move |socket: &SocketInfo| (socket.inode, socket.local, datagrams);
        let found = tcp.iter().filter(listens).map(bound(false));
        let found: Vec<_> = found
            .chain(udp.iter().filter(free).map(bound(true)))
            .collect();
        if found.is_empty() {
            return Some(Vec::new());
        }
        let inodes = inodes(pid);
        let own = found
            .into_iter()
            .filter(|(inode, ..)| inode.is_some_and(|inode| inodes.contains(&inode)));
        let own = own.map(|(_, address, datagrams)| Bound { address, datagrams });
        Some(own.collect())
    }

    /// Whether the end of a connection that is not ours has taken all bytes.
    pub(crate) fn taken(&mut self, ours: SocketAddr, theirs: SocketAddr) -> Taken {
        let Some(Ok(sockets)) = self.0.as_mut().map(States::tcp_sockets) else {
            return Taken::Unknown;
        };
        let end = |local, peer| {
            sockets
                .iter()
                .find(move |socket| (socket.local, socket.peer) == (local, peer))
        };
        match (end(theirs, ours), end(ours, theirs)) {
            (None, _) => Taken::Gone,
            // It waits at the other end, or is still on its way.
            (Some(theirs), _) if theirs.queues.receive > 0 || theirs.inode.is_none() => {
                Taken::NotYet
            }
            (_, Some(ours)) if ours.queues.send > 0 => Taken::NotYet,
            _ => Taken::All,
        }
    }
}

/// The sockets that a program and its children have.
fn inodes(pid: u32) -> HashSet<u64> {
    let mut inodes = HashSet::new();
    for pid in with_descendants(pid) {
        let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            continue;
        };
        for entry in entries.flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            let inode = target
                .to_str()
                .and_then(|name| name.strip_prefix("socket:["));
            let inode = inode.and_then(|name| name.strip_suffix(']'));
            inodes.extend(inode.and_then(|number| number.parse::<u64>().ok()));
        }
    }
    inodes
}

/// A process, its children, their children, and so on.
fn with_descendants(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(pid) = all.get(at).copied() {
        at += 1;
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children"));
            let children = children.unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
    }
    all
}

/// What the programs do, and our own threads for them: proc(5), `stat`.
pub(crate) fn activity() -> Activity {
    // A thread of ours may not have had the time to tell what a program did.
    let own = thread_id().to_string();
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    let others = threads.flatten().filter(|task| task.file_name() != *own);
    let mut all = Activity::default();
    for (busy, time) in others.filter_map(|task| stat(&task.path())) {
        all.busy |= busy;
        all.ours += time;
    }
    for pid in ours() {
        let folder = format!("/proc/{pid}");
        all.processor += stat(Path::new(&folder)).map_or(Duration::ZERO, |(_, time)| time);
        let tasks = fs::read_dir(folder + "/task");
        let mut tasks = tasks.into_iter().flatten().flatten();
        all.busy |= tasks.any(|task| stat(&task.path()).is_some_and(|(busy, _)| busy));
    }
    all
}

/// Whether a task runs, wants to, waits for a disk, or for us, who trace it; and
/// how long its process had a processor.
fn stat(folder: &Path) -> Option<(bool, Duration)> {
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The name before it can hold anything, a parenthesis too.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let per_second = clock_ticks_per_second();
    let busy = matches!(*fields.first()?, "R" | "D" | "t");
    Some((busy, Duration::from_millis(ticks * 1000 / per_second)))
}

/// The memory of all programs that we have started: pages in RAM, in bytes.
pub(crate) fn memory() -> u64 {
    let pages = ours().filter_map(|pid| {
        let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        statm.split(' ').nth(1)?.parse::<u64>().ok()
    });
    pages.sum::<u64>() * page_size()
}

/// Whether a process still runs that we, or programs of ours, have started.
pub(crate) fn somebody_is_left() -> bool {
    ours().any(runs)
}

/// Whether it has not ended: of one that has, an entry is left until it is waited for.
fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// All programs that we have started, and all that they have started.
fn ours() -> impl Iterator<Item = u32> {
    with_descendants(process::id()).into_iter().skip(1)
}

/// Ends all programs that we have started, and all that they have started. What
/// a program left behind is waited for, so that it is gone.
pub(crate) fn end_all() {
    let mut nobody = 0;
    // One may be starting another one in this moment.
    for _ in 0..10 {
        let mut alive = false;
        for pid in ours() {
            alive |= runs(pid);
            let _ = send(pid, SIGKILL);
        }
        // One whose parent ends comes to us, and may be missed on its way.
        nobody = if alive { 0 } else { nobody + 1 };
        if nobody == 2 {
            return;
        }
    }
}

/// Takes away what is left of programs that were started by programs: nobody
/// else asks how they ended.
pub(crate) fn reap_orphans() {
    loop {
        let mut left = ours().peekable();
        if left.peek().is_none() {
            return;
        }
        for pid in left {
            // One that still runs would be waited for in vain.
            let _ = send(pid, SIGKILL);
            let _ = wait_for(pid);
        }
    }
}
