//! Which calls concern a socket, and which one.

use std::collections::{HashMap, HashSet};

use timeline::call::{Socket, Text};

use super::proc::{self, Descriptors};
use super::reader::{Decoder, descriptors};
use super::table::{Row, When};

/// So many names of protocols are remembered before all are forgotten.
const MOST_PROTOCOLS: usize = 65_536;

/// What is known of sockets and of what watches them.
#[derive(Default)]
pub(super) struct Sockets {
    /// What each socket speaks, by inode: it never changes.
    protocols: HashMap<u64, Option<Text>>,
    descriptors: Descriptors,
    /// Process and descriptor of epoll instances that watch a socket.
    epolls: HashSet<(i32, i32)>,
    /// Sockets that were handed to an epoll instance, by inode.
    watched: HashSet<u64>,
}

/// A call that concerns sockets: the first of its descriptors that is one.
pub(super) type Concern = Option<Socket>;

impl Sockets {
    /// A task has ended, or has become another one.
    pub(super) fn forget(&mut self, tid: i32) {
        self.descriptors.forget(tid);
        self.epolls.retain(|(process, _)| *process != tid);
    }

    /// The socket that a descriptor of a task means.
    pub(super) fn of(&mut self, tid: i32, descriptor: i32) -> Option<Socket> {
        let inode = self.descriptors.socket_inode(tid, descriptor)?;
        if self.protocols.len() >= MOST_PROTOCOLS {
            self.protocols.clear();
        }
        let protocol = self.protocols.entry(inode);
        let protocol = protocol.or_insert_with(|| proc::protocol(tid, descriptor));
        Some(Socket {
            inode,
            protocol: protocol.clone(),
        })
    }

    /// Whether an epoll instance watches this socket, or once did.
    pub(super) fn is_watched(&self, socket: &Socket) -> bool {
        self.watched.contains(&socket.inode)
    }

    /// What a call has to do with sockets; None when nothing.
    pub(super) fn concern(
        &mut self,
        (pid, tid): (i32, i32),
        row: &Row,
        args: &[u64; 6],
        decoder: &Decoder,
    ) -> Option<Concern> {
        let numbers = descriptors(row, args);
        let socket = match row.when {
            When::Always => {
                let first = numbers.first();
                first.and_then(|&number| self.of(tid, number))
            }
            When::OnSocket => {
                if row.name == "close" {
                    self.epolls.remove(&(pid, numbers[0]));
                }
                let mut each = numbers.iter();
                let socket = each.find_map(|&number| self.of(tid, number))?;
                if row.name == "epoll_ctl" {
                    self.epolls.insert((pid, numbers[0]));
                    self.watched.insert(socket.inode);
                }
                Some(socket)
            }
            When::Watching => {
                let watched = decoder.watched(row, args)?;
                let mut each = watched.into_iter();
                Some(each.find_map(|number| self.of(tid, number))?)
            }
            When::Epoll => {
                let instance = (pid, *numbers.first()?);
                if !self.epolls.contains(&instance) {
                    let targets = proc::epoll_targets(tid, instance.1);
                    let mut each = targets.into_iter();
                    if each.any(|number| self.of(tid, number).is_some()) {
                        self.epolls.insert(instance);
                    } else {
                        // A socket in the place of the instance is a mistake.
                        return Some(Some(self.of(tid, instance.1)?));
                    }
                }
                None
            }
            When::Range => {
                let (first, last) = (args[0] as u32, args[1] as u32);
                let mut each = proc::open_in_range(tid, first, last).into_iter();
                Some(each.find_map(|number| self.of(tid, number))?)
            }
            // The caller knows whether it goes on with an observed call.
            When::Restart => None,
            When::Handler => return None,
        };
        Some(socket)
    }
}
