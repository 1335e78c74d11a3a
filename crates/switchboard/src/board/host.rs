//! One host: its sockets, and what its programs say and ask for.

use std::collections::VecDeque;
use std::time::Duration;

use timeline::call::CallId;
use timeline::state::{TcpState, Transition};
use views::reading::{Lane, Meaning, Piece, Row, Subject};
use views::text::printable;
use views::units::fitting;

use super::gate::Gate;

/// How many lines are kept, and how many cells each may have.
const LINES: usize = 200;
const LONGEST: usize = 300;
/// How many sockets are remembered.
const SOCKETS: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Whether more was said than there is room for.
    pub(crate) is_cut: bool,
    pub(crate) meaning: Meaning,
    /// A call that had not ended when this was said.
    call: Option<CallId>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    pub(crate) said: VecDeque<Said>,
    pub(crate) sockets: Vec<Transition>,
    gate: Gate,
    /// Programs that were started here, and those that still run.
    pub(crate) programs: usize,
    pub(crate) running: usize,
}

impl Host {
    /// Some(40): of what the programs say and ask for, 1 of 40 is shown.
    pub(crate) fn one_of(&self, now: Duration) -> Option<u32> {
        self.gate.one_of(now)
    }

    pub(crate) fn start(&mut self) {
        self.programs += 1;
        self.running += 1;
    }

    /// That a program has ended must be seen.
    pub(crate) fn end(&mut self, lane: &Lane, row: &Row) {
        self.running = self.running.saturating_sub(1);
        let pieces = row.words.iter();
        pieces.for_each(|piece| self.push(lane, piece, None));
    }

    pub(crate) fn say(&mut self, lane: &Lane, row: &Row) {
        let call = match &row.about {
            Subject::Begins(it) => Some(it.call),
            _ => None,
        };
        for piece in &row.words {
            if self.gate.lets_through(row.time) {
                self.push(lane, piece, call);
            }
        }
    }

    /// The end of a call: in the same line, if nothing has come between.
    pub(crate) fn returns(&mut self, lane: &Lane, row: &Row, call: CallId, whole: Option<&Piece>) {
        let last = self.said.back();
        match whole.filter(|_| last.is_some_and(|last| last.call == Some(call))) {
            Some(whole) => {
                self.said.pop_back();
                self.push(lane, whole, None);
            }
            None => self.say(lane, row),
        }
    }

    fn push(&mut self, lane: &Lane, piece: &Piece, call: Option<CallId>) {
        let name = lane.name.as_ref().map(|name| format!("{name}: "));
        let text = format!("{}{}", name.unwrap_or_default(), piece.text);
        let first = fitting(&text, LONGEST);
        let is_cut = first.len() < text.len();
        if self.said.len() == LINES {
            self.said.pop_front();
        }
        self.said.push_back(Said {
            text: printable(first),
            is_cut,
            meaning: piece.meaning,
            call,
        });
    }

    pub(crate) fn state(&mut self, change: &Transition) {
        // Several sockets may listen at one address: SO_REUSEPORT.
        let listens = change.peer.port() == 0;
        let same = |other: &Transition| {
            let ends = (other.local, other.peer) == (change.local, change.peer);
            ends && (!listens || other.inode == change.inode)
        };
        let at = self.sockets.iter().position(same);
        match (at, change.to) {
            (Some(at), TcpState::Closed) => drop(self.sockets.remove(at)),
            (Some(at), _) => self.sockets[at] = change.clone(),
            (None, TcpState::Closed) => {}
            (None, _) => {
                if self.sockets.len() == SOCKETS {
                    self.sockets.remove(0);
                }
                self.sockets.push(change.clone());
            }
        }
    }
}
