//! Talks that no program is about: the C library asks the system's services, for
//! a name or an address, through sockets of its own.
//!
//! A reader is told of such a talk in one line, when it ends. It is known by its
//! family where that can only be the system's (`AF_NETLINK`), else by the path to
//! which it connects; the `socket` call before that `connect` tells nothing yet.

use std::collections::HashMap;
use std::mem;
use std::path::Path;

use timeline::call::{Address, Arg, CallId, End, Start};
use timeline::{Event, Kind, Place};

use crate::only::Only;

/// The name service cache of the C library, and of systemd: who has a name, or a
/// number.
const NAME_SERVICES: &[&str] = &[
    "/run/nscd/socket",
    "/run/systemd/machine",
    "/run/systemd/resolve",
    "/run/systemd/userdb",
];

/// The talks that go on.
#[derive(Clone, Debug, Default)]
pub(super) struct Services {
    talks: Vec<Talk>,
    /// The calls of talks that have not ended yet, and what they do to the talk.
    open: HashMap<CallId, Step>,
}

#[derive(Clone, Debug)]
struct Talk {
    inode: u64,
    place: Place,
    what: &'static str,
    calls: u64,
}

/// What the end of a call does to a talk.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It makes the socket.
    Begins(Place),
    GoesOn,
    /// It closes the socket with this inode.
    Ends(u64),
}

impl Services {
    /// Takes the next event. None: it is to be drawn itself. Else it belongs to a
    /// talk, and this is told in its place.
    pub(super) fn instead(&mut self, event: &Event, only: Only) -> Option<Vec<String>> {
        if only.services {
            return None;
        }
        let told = match &event.kind {
            Kind::Call(call) if self.call(event.place, call) => None,
            Kind::Return(end) => {
                let step = self.open.remove(&end.id)?;
                self.back(step, end)
            }
            _ => return None,
        };
        Some(told.filter(|_| only.calls).into_iter().collect())
    }

    /// Whether this call, which has begun and not ended, belongs to a talk.
    pub(super) fn has(&self, call: CallId) -> bool {
        self.open.contains_key(&call)
    }

    /// A program has ended: what is told of its talks that it has not closed.
    pub(super) fn ended(&mut self, place: Place, only: Only) -> Vec<String> {
        let talks = mem::take(&mut self.talks).into_iter();
        let (own, others): (Vec<_>, _) = talks.partition(|talk| talk.place == place);
        self.talks = others;
        let told = own.iter().filter(|_| only.calls);
        told.map(Talk::told).collect()
    }

    /// Whether the call belongs to a talk.
    fn call(&mut self, place: Place, call: &Start) -> bool {
        let step = match &call.socket {
            None if is_netlink(call) => Step::Begins(place),
            None => return false,
            Some(socket) => {
                let inode = socket.inode;
                let known = self.talks.iter_mut().find(|talk| talk.inode == inode);
                match known {
                    Some(talk) => talk.calls += 1,
                    None if asks_for_names(call) => self.talks.push(Talk {
                        inode,
                        place,
                        what: "asks the name service",
                        calls: 1,
                    }),
                    None => return false,
                }
                match call.name.as_ref() {
                    "close" => Step::Ends(inode),
                    _ => Step::GoesOn,
                }
            }
        };
        self.open.insert(call.id, step);
        true
    }

    /// What is told of the talk that ends with this call, if it does.
    fn back(&mut self, step: Step, end: &End) -> Option<String> {
        match step {
            Step::GoesOn => None,
            Step::Begins(place) => {
                let mut talk = Talk {
                    inode: 0,
                    place,
                    what: "asks about the network",
                    calls: 1,
                };
                let Some((_, socket)) = end.sockets.first() else {
                    return Some(talk.told()); // There is no socket to go on with.
                };
                talk.inode = socket.inode;
                self.talks.push(talk);
                None
            }
            Step::Ends(inode) => {
                // Another process that has the socket may have closed it before.
                let at = self.talks.iter().position(|talk| talk.inode == inode)?;
                Some(self.talks.remove(at).told())
            }
        }
    }
}

impl Talk {
    fn told(&self) -> String {
        let calls = match self.calls {
            1 => "1 call".to_string(),
            more => format!("{more} calls"),
        };
        format!("({}: {calls})", self.what)
    }
}

fn is_netlink(call: &Start) -> bool {
    let family = match call.args.first() {
        Some(Arg::Symbol(symbol)) => symbol.name.as_deref(),
        _ => None,
    };
    call.name == "socket" && family == Some("AF_NETLINK")
}

fn asks_for_names(call: &Start) -> bool {
    let path = call.args.iter().find_map(|arg| match arg {
        Arg::Address(Address::Path(path)) => str::from_utf8(path).ok(),
        _ => None,
    });
    // /var/run is /run.
    let path = path.map(|path| Path::new(path.strip_prefix("/var").unwrap_or(path)));
    let is_service = |path: &Path| NAME_SERVICES.iter().any(|name| path.starts_with(name));
    call.name == "connect" && path.is_some_and(is_service)
}
