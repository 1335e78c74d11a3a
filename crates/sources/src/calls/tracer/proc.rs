//! What /proc tells of a task: which of its descriptors are sockets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kernel::file::{Links, socket_protocol};
use kernel::trace;
use timeline::call::Text;

use super::reader::Memory;

/// So many folders of tasks are kept open: more would use up our descriptors.
const MOST_FOLDERS: usize = 64;

/// The descriptors of tasks, asked anew each time: they can change at any time.
#[derive(Default)]
pub(super) struct Descriptors {
    /// The folder /proc/…/fd of a task. Its links are found in half the time.
    folders: HashMap<i32, Links>,
}

impl Descriptors {
    /// The inode of the socket that a descriptor means; None when it means
    /// something else, or nothing.
    pub(super) fn socket_inode(&mut self, tid: i32, descriptor: i32) -> Option<u64> {
        let descriptor = u32::try_from(descriptor).ok()?;
        if self.folders.len() >= MOST_FOLDERS {
            self.folders.clear();
        }
        let folder = match self.folders.entry(tid) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let path = format!("/proc/{tid}/fd");
                place.insert(Links::open(Path::new(&path)).ok()?)
            }
        };
        let mut buffer = [0; 64];
        let link = folder.read(descriptor, &mut buffer).ok()?;
        inode_in(link)
    }

    /// The task is gone, or its number belongs to another one.
    pub(super) fn forget(&mut self, tid: i32) {
        self.folders.remove(&tid);
    }
}

/// `socket:[1234]` → 1234
fn inode_in(link: &[u8]) -> Option<u64> {
    let digits = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The kernel's name for what a socket speaks, such as `TCP`.
pub(super) fn protocol(tid: i32, descriptor: i32) -> Option<Text> {
    let path = format!("/proc/{tid}/fd/{descriptor}");
    socket_protocol(Path::new(&path)).map(Text::from)
}

/// The open descriptors of a task from `first` to `last`, lowest first.
pub(super) fn open_in_range(tid: i32, first: u32, last: u32) -> Vec<i32> {
    let entries = fs::read_dir(format!("/proc/{tid}/fd"))
        .into_iter()
        .flatten();
    let names = entries.flatten().map(|entry| entry.file_name());
    let numbers = names.filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let in_range = numbers.filter(|number| (first..=last).contains(number));
    let mut found: Vec<i32> = in_range.map(|number| number as i32).collect();
    found.sort_unstable();
    found
}

/// The descriptors that an epoll instance watches.
pub(super) fn epoll_targets(tid: i32, descriptor: i32) -> Vec<i32> {
    let text = fs::read_to_string(format!("/proc/{tid}/fdinfo/{descriptor}"));
    let text = text.unwrap_or_default();
    let targets = text.lines().filter_map(|line| {
        let number = line.strip_prefix("tfd:")?;
        number.split_whitespace().next()?.parse().ok()
    });
    targets.collect()
}

/// The process to which a task belongs, and the parent of that process; None
/// when it is gone.
pub(super) fn family(tid: i32) -> Option<(i32, i32)> {
    let text = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Some((field("Tgid:")?, field("PPid:")?))
}

/// The program that a process runs.
pub(super) fn executable(pid: i32) -> String {
    let path = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    path.to_string_lossy().into_owned()
}

/// The memory of a stopped task.
pub(super) struct TaskMemory(pub(super) i32);

impl Memory for TaskMemory {
    fn read(&self, address: u64, length: usize) -> Vec<u8> {
        if length == 0 {
            return Vec::new();
        }
        let mut bytes = vec![0; length];
        let read = trace::read_memory(self.0, address, &mut bytes);
        let read = read.or_else(|error| match error.raw_os_error() {
            // Some sandboxes forbid the call, but not the file.
            Some(libc::ENOSYS | libc::EPERM) => {
                let file = fs::File::open(format!("/proc/{}/mem", self.0))?;
                file.read_at(&mut bytes, address)
            }
            _ => Err(error),
        });
        bytes.truncate(read.unwrap_or(0));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::inode_in;

    #[test]
    fn only_a_link_to_a_socket_has_an_inode() {
        assert_eq!(inode_in(b"socket:[501088]"), Some(501_088));
        for other in ["pipe:[7]", "/tmp/socket:[7]", "socket:[]", "socket:[7", ""] {
            assert_eq!(inode_in(other.as_bytes()), None, "{other}");
        }
    }
}
