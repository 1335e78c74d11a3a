//! One host: its sockets, and what its programs say and ask for.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use timeline::call::{CallId, End, Start};
use timeline::state::{Change, TcpState};
use views::ladder::INQUIRIES;
use views::said;
use views::text::printable;
use views::units::fitting;
use views::words::Words;

use super::gate::Gate;

/// How many lines are kept, and how many cells each may have.
const LINES: usize = 200;
const LONGEST: usize = 300;
/// How many sockets and open calls are remembered.
const SOCKETS: usize = 256;
const CALLS: usize = 1024;
/// How many lines are shown in a quarter of a second.
const ROOM: u32 = 25;
/// A call that took longer is told again at its end, with its time.
const SHORT: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What a program says.
    Output,
    /// What it says on stderr.
    Error,
    /// A call.
    Call,
    /// A call that failed.
    Failed,
    /// What is less important.
    Faint,
}

impl Ink {
    pub(crate) fn is_output(self) -> bool {
        matches!(self, Ink::Output | Ink::Error)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Whether more was said than there is room for.
    pub(crate) is_cut: bool,
    pub(crate) ink: Ink,
    call: Option<CallId>,
}

#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) said: VecDeque<Said>,
    pub(crate) sockets: Vec<Change>,
    calls: HashMap<CallId, (Start, Duration)>,
    gate: Gate,
    /// Programs that were started here, and those that still run.
    pub(crate) programs: usize,
    pub(crate) running: usize,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self {
            said: VecDeque::new(),
            sockets: Vec::new(),
            calls: HashMap::new(),
            gate: Gate::new(ROOM),
            programs: 0,
            running: 0,
        }
    }

    /// Some(40): of what the programs say and ask for, 1 of 40 is shown.
    pub(crate) fn one_of(&self, now: Duration) -> Option<u32> {
        self.gate.one_of(now)
    }

    pub(crate) fn say(&mut self, time: Duration, text: &str, ink: Ink) {
        if self.gate.lets_through(time) {
            self.push(text, ink, None);
        }
    }

    /// What must be seen, such as the end of a program.
    pub(crate) fn say_always(&mut self, text: &str, ink: Ink) {
        self.push(text, ink, None);
    }

    fn push(&mut self, text: &str, ink: Ink, call: Option<CallId>) {
        let first = fitting(text, LONGEST);
        let is_cut = first.len() < text.len();
        if self.said.len() == LINES {
            self.said.pop_front();
        }
        self.said.push_back(Said {
            text: printable(first),
            is_cut,
            ink,
            call,
        });
    }

    /// A call begins; in a host with several programs, `who` says which.
    pub(crate) fn call(&mut self, time: Duration, who: &str, call: &Start, words: Words) {
        if self.calls.len() == CALLS {
            self.calls.clear();
        }
        self.calls.insert(call.id, (call.clone(), time));
        if !only_asks(call) && self.gate.lets_through(time) {
            let more = if words.ascii { "..." } else { "…" };
            let text = format!("{who}{} {more}", words.start(call));
            self.push(&text, Ink::Call, Some(call.id));
        }
    }

    /// Its end: in the same line, if nothing has come between.
    pub(crate) fn end(&mut self, time: Duration, who: &str, end: &End, words: Words) {
        let Some((call, since)) = self.calls.remove(&end.id) else {
            return;
        };
        let bad = said::is_bad(&end.outcome);
        if only_asks(&call) && !bad {
            return;
        }
        let ink = if bad { Ink::Failed } else { Ink::Call };
        let took = time.saturating_sub(since);
        let result = words.end(&call, end);
        if self
            .said
            .back()
            .is_some_and(|last| last.call == Some(end.id))
        {
            self.said.pop_back();
            let text = format!("{who}{} {result}", words.start(&call));
            return self.push(text.trim_end(), ink, None);
        }
        let waited = took >= SHORT;
        if (waited || !result.is_empty()) && self.gate.lets_through(time) {
            let text = format!("{who}{} {result}", words.again(&call));
            let took = said::milliseconds(took);
            self.push(&format!("{}, {took} ms", text.trim_end()), ink, None);
        }
    }

    pub(crate) fn state(&mut self, change: &Change) {
        // Several sockets may listen at one address: SO_REUSEPORT.
        let listens = change.peer.port() == 0;
        let same = |other: &Change| {
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

/// A program that asks how things are changes nothing.
fn only_asks(call: &Start) -> bool {
    INQUIRIES.contains(&call.name.as_ref())
}
