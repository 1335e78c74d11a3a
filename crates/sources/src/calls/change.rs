//! What may be changed in the calls of a program, for whoever tests how it bears
//! that: the kernel may do each of these things at any time, and seldom does.
//!
//! - **Short reads and writes**: the kernel is asked for fewer bytes than the
//!   program wants to send or receive. On a stream nothing is lost by it, as the
//!   rest comes with the next call; so a program that loops notices nothing. On
//!   datagrams the rest would be lost; they are never cut.
//! - **Failures**: the kernel never begins with the call, and the program is told
//!   an errno. Nothing happens to the socket: what waits to be received or
//!   accepted still waits, and the next call finds it.
//!
//! Which calls are changed depends on their count alone, not on time, so a
//! program that does the same meets the same.

use std::io;

use timeline::Actor;

/// The numbers of errno(3) that a program is mostly to be tested with.
pub mod errno {
    /// A signal came: the call is to be made again.
    pub const EINTR: i32 = 4;
    /// The process has no descriptor left.
    pub const EMFILE: i32 = 24;
    /// The connection was gone before it could be accepted.
    pub const ECONNABORTED: i32 = 103;
    /// The other side has reset the connection.
    pub const ECONNRESET: i32 = 104;
    /// Nobody listens there.
    pub const ECONNREFUSED: i32 = 111;

    pub(super) const EAGAIN: i32 = 11;
}

/// A change: to which calls, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of which program, with all that it starts; None: of each.
    pub actor: Option<Actor>,
    /// To which kind of calls.
    pub calls: Calls,
    /// What is counted together.
    pub counted: Counted,
    /// Which of them, by the count.
    pub which: Which,
    /// What is done to them.
    pub how: How,
}

/// A kind of calls. All of them are on sockets, never on files or pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// `recv`, `recvfrom`, `recvmsg`, `read`, `readv`.
    Receive,
    /// `send`, `sendto`, `sendmsg`, `write`, `writev`.
    Send,
    /// `accept`, `accept4`.
    Accept,
    /// `connect`.
    Connect,
    /// `poll`, `select`, `epoll_wait` and their relatives.
    Wait,
}

/// What is counted together. A call that says EAGAIN does not count, nor does one
/// that goes on after a signal: how often they come depends on time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The calls on one socket; those of [`Calls::Wait`], which have many, in one
    /// process.
    OnEachSocket,
    /// The calls of one program, with all that it starts.
    InTheProgram,
}

/// Which calls, by their count. The first one is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// This one alone.
    Nth(u64),
    /// This one and all after it.
    From(u64),
    /// Each one whose count is a multiple of this.
    Every(u64),
}

/// What is done to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// At most so many bytes are sent or received: on TCP, MPTCP, and streams of
    /// `AF_UNIX`.
    ///
    /// Left alone is what would be more than a short read or write: with MSG_PEEK
    /// (a program that waits for more to peek at would wait for ever), with
    /// MSG_WAITALL (the kernel promises all of it), with urgent data, and a
    /// message that passes descriptors. So is a socket that was ever handed to
    /// epoll: by epoll(7), a program may conclude from a short read that nothing is
    /// left, and from a short write that there is no room, and wait for more.
    /// libuv (Node.js) does so, and Go has all its sockets there. A peer that sends
    /// and receives little at a time tests these.
    CutTo(u64),
    /// The call is skipped and fails with this errno: on TCP, MPTCP and UDP. Not
    /// on `AF_UNIX`, through which libraries talk with themselves and with the
    /// system.
    ///
    /// Only the call fails: after ECONNRESET the socket is as good as before, and
    /// the peer knows nothing. For a socket that stays broken, say
    /// [`Which::From`]. EPIPE comes without SIGPIPE. After EMFILE, and after
    /// ECONNABORTED too, the connection still waits to be accepted.
    Fail(i32),
}

impl Change {
    /// Cuts all calls of a kind to so many bytes.
    pub fn cut(calls: Calls, most: u64) -> Self {
        Self {
            actor: None,
            calls,
            counted: Counted::OnEachSocket,
            which: Which::All,
            how: How::CutTo(most),
        }
    }

    /// Lets some calls of a kind fail, counted on each socket.
    pub fn fail(calls: Calls, which: Which, errno: i32) -> Self {
        Self {
            which,
            how: How::Fail(errno),
            ..Self::cut(calls, 0)
        }
    }

    /// The same in this program alone.
    #[must_use]
    pub fn of(self, actor: Actor) -> Self {
        let actor = Some(actor);
        Self { actor, ..self }
    }

    /// The same for calls counted in the whole program.
    #[must_use]
    pub fn in_the_program(self) -> Self {
        let counted = Counted::InTheProgram;
        Self { counted, ..self }
    }
}

/// Whether all of them make sense.
pub(super) fn check(changes: &[Change]) -> io::Result<()> {
    match changes.iter().find_map(mistake) {
        None => Ok(()),
        Some(what) => Err(io::Error::new(io::ErrorKind::InvalidInput, what)),
    }
}

/// What is wrong with it, and what would be right.
fn mistake(change: &Change) -> Option<&'static str> {
    /// What the kernel takes for an errno.
    const ERRNO: std::ops::RangeInclusive<i32> = 1..=4095;
    /// Notes of the kernel to itself: the call would start again by itself.
    const RESTART: std::ops::RangeInclusive<i32> = 512..=530;
    if matches!(
        change.which,
        Which::Nth(0) | Which::From(0) | Which::Every(0)
    ) {
        return Some("change calls: the first one has the number 1, not 0");
    }
    match change.how {
        How::CutTo(0) => Some("cut calls to 0 bytes: that is the end of a stream; cut them to 1"),
        How::CutTo(_) if !matches!(change.calls, Calls::Receive | Calls::Send) => {
            Some("cut calls: only those that send or receive can be cut")
        }
        How::CutTo(_) => None,
        How::Fail(errno) if !ERRNO.contains(&errno) || RESTART.contains(&errno) => {
            Some("fail calls: this number is no errno; it is one like 104, ECONNRESET")
        }
        How::Fail(errno::EINTR) if change.calls == Calls::Connect => Some(
            "interrupt connect: the kernel would go on with it, and the program would ask how it \
             went; the call is skipped here, so that would be a lie",
        ),
        How::Fail(errno::EINTR | errno::EAGAIN)
            if !matches!(change.which, Which::Nth(_) | Which::Every(2..)) =>
        {
            Some("interrupt calls: a program that tries again must get on; say Nth, or Every(2)")
        }
        How::Fail(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::errno::{ECONNRESET, EINTR, EMFILE};
    use super::*;

    #[rstest]
    #[case::reads(Change::cut(Calls::Receive, 1))]
    #[case::a_reset(Change::fail(Calls::Send, Which::From(2), ECONNRESET))]
    #[case::no_descriptor(Change::fail(Calls::Accept, Which::All, EMFILE))]
    #[case::a_signal(Change::fail(Calls::Wait, Which::Every(2), EINTR))]
    fn what_the_kernel_may_do_can_be_done(#[case] change: Change) {
        check(&[change]).expect("it makes sense");
    }

    #[rstest]
    #[case::the_end_of_a_stream(Change::cut(Calls::Receive, 0))]
    #[case::no_bytes_to_cut(Change::cut(Calls::Accept, 1))]
    #[case::number_zero(Change::fail(Calls::Send, Which::Nth(0), ECONNRESET))]
    #[case::no_errno(Change::fail(Calls::Send, Which::Nth(1), 0))]
    #[case::negative(Change::fail(Calls::Send, Which::Nth(1), -104))]
    #[case::a_note_of_the_kernel(Change::fail(Calls::Send, Which::Nth(1), 512))]
    #[case::connect_goes_on(Change::fail(Calls::Connect, Which::Nth(1), EINTR))]
    #[case::for_ever(Change::fail(Calls::Receive, Which::From(3), EINTR))]
    #[case::each_single_one(Change::fail(Calls::Receive, Which::Every(1), EINTR))]
    fn what_no_kernel_does_is_refused(#[case] change: Change) {
        let fine = Change::cut(Calls::Send, 1);
        let error = check(&[fine, change]).expect_err("it makes no sense");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
