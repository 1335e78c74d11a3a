//! Which calls are changed, how, and how that is put right again.
//!
//! The kernel reads the arguments of a call from the registers of the stopped
//! task, and from its memory where there are several buffers. There the length
//! is lowered before the call begins. When it has ended, the program finds all as
//! it was.

use std::collections::HashMap;

use kernel::trace::registers;
use timeline::Actor;
use timeline::call::{Changed, Socket};

use crate::calls::{Calls, Change, Counted, How, Which};

use super::names;
use super::parse;
use super::reader::{Decoder, MOST_VECTORS};
use super::table::Row;

/// What speaks in streams, by the kernel's names.
const STREAMS: &[&str] = &["TCP", "TCPv6", "MPTCP", "MPTCPv6", "UNIX-STREAM"];
/// What speaks with other hosts.
const INTERNET: &[&str] = &["TCP", "TCPv6", "MPTCP", "MPTCPv6", "UDP", "UDPv6"];

/// Flags with which a short read or write is still the same call.
const HARMLESS: u64 =
    (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL | libc::MSG_MORE | libc::MSG_CMSG_CLOEXEC) as u64;

/// The argument with the length or the count of buffers, of each call that can be
/// cut, where it is in a register.
const LENGTH: usize = 2;

/// All changes, and what they have counted.
pub(super) struct Changes {
    list: Vec<Change>,
    counts: HashMap<Counter, u64>,
}

/// The place of a change in the list, and whose calls it counts.
type Counter = (usize, Whose);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// By its inode.
    Socket(u64),
    Process(i32),
    Program(Actor),
}

/// What is planned for a call.
#[derive(Default)]
pub(super) struct Plan {
    how: Option<How>,
    counted: Vec<Counter>,
}

/// What is to be done when the call has ended.
#[derive(Default)]
pub(super) enum Undo {
    #[default]
    Nothing,
    /// Give these values back.
    PutBack(Vec<Value>),
    /// The call was skipped: tell the program of this errno.
    Fail(i32),
}

/// A value of the program, and where it belongs.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Argument(usize, u64),
    Word(u64, u64),
}

/// A call that is about to begin.
pub(super) struct Call<'a> {
    pub(super) tid: i32,
    pub(super) pid: i32,
    pub(super) actor: Actor,
    pub(super) row: &'a Row,
    pub(super) args: &'a [u64; 6],
    pub(super) socket: Option<&'a Socket>,
    /// Whether epoll tells the program about the socket.
    pub(super) is_watched: bool,
}

impl Changes {
    pub(super) fn new(list: Vec<Change>) -> Self {
        Self {
            list,
            counts: HashMap::new(),
        }
    }

    /// Counts the call, and says what is to be done with it.
    pub(super) fn plan(&mut self, call: &Call, decoder: &Decoder) -> Plan {
        let mut plan = Plan::default();
        for (place, change) in self.list.iter().enumerate() {
            let Some(whose) = call.counts_for(change, decoder) else {
                continue;
            };
            let count = self.counts.entry((place, whose)).or_default();
            *count += 1;
            plan.counted.push((place, whose));
            if plan.how.is_none() && change.which.is(*count) {
                plan.how = Some(change.how);
            }
        }
        plan
    }

    /// The call has ended: it does not count when it would have had to wait. One
    /// that was skipped counts.
    pub(super) fn ended(&mut self, plan: &Plan, undo: &Undo, result: i64) {
        let skipped = matches!(undo, Undo::Fail(_));
        if result != -i64::from(libc::EAGAIN) || skipped {
            return;
        }
        for counter in &plan.counted {
            // Nothing is there when the changes are new ones since.
            if let Some(count) = self.counts.get_mut(counter) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

impl Which {
    fn is(self, count: u64) -> bool {
        match self {
            Self::All => true,
            Self::Nth(number) => count == number,
            Self::From(number) => count >= number,
            Self::Every(number) => count.is_multiple_of(number),
        }
    }
}

impl Call<'_> {
    /// Whose count this call is part of; None when the change is not for it.
    fn counts_for(&self, change: &Change, decoder: &Decoder) -> Option<Whose> {
        let is_of = change.actor.is_none_or(|actor| actor == self.actor);
        if !is_of || kind(self.row.name) != Some(change.calls) {
            return None;
        }
        let protocol = self.socket.and_then(|socket| socket.protocol.as_deref());
        let speaks = |these: &[&str]| protocol.is_some_and(|name| these.contains(&name));
        let fits = match change.how {
            How::CutTo(_) => speaks(STREAMS) && !self.is_watched && self.can_be_cut(decoder),
            How::Fail(_) => change.calls == Calls::Wait || speaks(INTERNET),
        };
        if !fits {
            return None;
        }
        Some(match (change.counted, change.calls, self.socket) {
            (Counted::InTheProgram, _, _) => Whose::Program(self.actor),
            (_, Calls::Wait, _) | (_, _, None) => Whose::Process(self.pid),
            (_, _, Some(socket)) => Whose::Socket(socket.inode),
        })
    }

    fn can_be_cut(&self, decoder: &Decoder) -> bool {
        let harmless = |flags: u64| (flags as u32 as u64) & !HARMLESS == 0;
        match self.row.name {
            "recvfrom" | "sendto" => harmless(self.args[3]),
            "recvmsg" => harmless(self.args[2]),
            "sendmsg" => {
                let header = decoder.header(self.args[1]);
                harmless(self.args[2]) && header.is_some_and(|header| header.control_length == 0)
            }
            _ => true,
        }
    }

    /// Changes the call as planned: what the reader is told of it, and what is to
    /// be done at its end. It is left alone where it is small enough, and where the
    /// kernel does not let us (a task that is being killed).
    pub(super) fn carry_out(&self, plan: &Plan, decoder: &Decoder) -> Option<(Changed, Undo)> {
        match plan.how? {
            How::CutTo(most) => {
                let values = self.cut(most, decoder)?;
                let back = replace(self.tid, &values)?;
                Some((Changed::CutTo(most), Undo::PutBack(back)))
            }
            How::Fail(errno) => {
                registers::skip_call(self.tid).ok()?;
                let told = names::errno(errno.into());
                Some((Changed::Failed(told), Undo::Fail(errno)))
            }
        }
    }

    /// The values to be replaced, each as it is and as it is to be.
    fn cut(&self, most: u64, decoder: &Decoder) -> Option<Vec<(Value, u64)>> {
        let count = (
            Value::Argument(LENGTH, self.args[LENGTH]),
            self.args[LENGTH],
        );
        match self.row.name {
            "recvfrom" | "sendto" | "read" | "write" => {
                (count.1 > most).then(|| vec![(count.0, most)])
            }
            "readv" | "writev" => cut_buffers(self.args[1], count, most, decoder),
            "recvmsg" | "sendmsg" => {
                let header = decoder.header(self.args[1])?;
                let place = self.args[1] + parse::COUNT_IN_HEADER;
                let count = (Value::Word(place, header.vector_count), header.vector_count);
                cut_buffers(header.vectors, count, most, decoder)
            }
            _ => None,
        }
    }
}

/// As many buffers as are filled by so many bytes, the last one made shorter.
fn cut_buffers(
    address: u64,
    (place, count): (Value, u64),
    most: u64,
    decoder: &Decoder,
) -> Option<Vec<(Value, u64)>> {
    if count > MOST_VECTORS {
        return None; // The kernel refuses it.
    }
    let mut left = most;
    for (index, (_, length)) in (0..).zip(decoder.vectors(address, count)?) {
        if length > left {
            let at = address + index * parse::PAIR as u64 + 8;
            return Some(vec![(Value::Word(at, length), left), (place, index + 1)]);
        }
        left -= length;
    }
    None
}

/// Replaces all values, or none: what was there.
fn replace(tid: i32, values: &[(Value, u64)]) -> Option<Vec<Value>> {
    let mut back = Vec::new();
    for &(was, new) in values {
        let written = match was {
            Value::Argument(index, _) => registers::set_argument(tid, index, new),
            Value::Word(address, _) => registers::write_word(tid, address, new),
        };
        if written.is_err() {
            put_back(tid, &back);
            return None;
        }
        back.push(was);
    }
    Some(back)
}

fn put_back(tid: i32, values: &[Value]) {
    for &value in values {
        // It fails only for a task that was killed.
        let _ = match value {
            Value::Argument(index, was) => registers::set_argument(tid, index, was),
            Value::Word(address, was) => registers::write_word(tid, address, was),
        };
    }
}

impl Undo {
    /// Puts all right at the end of the call: the result that the program sees.
    pub(super) fn carry_out(&self, tid: i32, result: i64) -> i64 {
        match self {
            Self::Nothing => result,
            Self::PutBack(values) => {
                put_back(tid, values);
                result
            }
            Self::Fail(errno) => {
                let result = -i64::from(*errno);
                let _ = registers::set_result(tid, result);
                result
            }
        }
    }
}

fn kind(name: &str) -> Option<Calls> {
    Some(match name {
        "recvfrom" | "recvmsg" | "read" | "readv" => Calls::Receive,
        "sendto" | "sendmsg" | "write" | "writev" => Calls::Send,
        "accept" | "accept4" => Calls::Accept,
        "connect" => Calls::Connect,
        "poll" | "ppoll" | "select" | "pselect6" => Calls::Wait,
        "epoll_wait" | "epoll_pwait" | "epoll_pwait2" => Calls::Wait,
        _ => return None,
    })
}
