//! Who plays where.

use std::net::IpAddr;

use timeline::cable::Side;
use timeline::{Actor, Place};

use super::row::Lane;

/// The programs that were started, and the lanes that a scene has named.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    started: Vec<String>,
    /// From left to right.
    named: Vec<String>,
}

impl Lanes {
    pub(super) fn start(&mut self, name: &str) {
        self.started.push(name.to_string());
    }

    pub(super) fn name(&mut self, names: &[String]) {
        self.named = names.to_vec();
    }

    /// Several programs share the right lane; then each row says whose it is.
    pub(super) fn of(&self, actor: Actor) -> Lane {
        let left = self.is_left(actor);
        let lanes = match self.named.is_empty() {
            true => &self.started,
            false => &self.named,
        };
        let shared = !left && lanes.len() > 2;
        Lane {
            actor,
            left,
            name: shared.then(|| self.lane(actor).to_string()),
        }
    }

    fn lane(&self, actor: Actor) -> &str {
        self.started.get(actor.0).map_or("", String::as_str)
    }

    /// As the scene says, or as the first.
    fn is_left(&self, actor: Actor) -> bool {
        match self.named.first() {
            Some(left) => self.lane(actor) == left,
            None => actor == Actor(0),
        }
    }

    /// Whether a packet goes to the right: by its sockets, and where nobody knows
    /// them, by the host on the wire that has sent it.
    pub(super) fn goes_right(&self, place: Place, source: IpAddr) -> bool {
        self.by_sockets(place).unwrap_or(!Side::Client.has(source))
    }

    /// None where no socket is known.
    pub(super) fn by_sockets(&self, place: Place) -> Option<bool> {
        match place {
            Place::Wire {
                from: Some(from), ..
            } => Some(self.is_left(from)),
            Place::Wire { to: Some(to), .. } => Some(!self.is_left(to)),
            _ => None,
        }
    }
}
