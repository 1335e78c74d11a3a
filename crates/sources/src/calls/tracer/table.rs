//! Which calls are observed, and what their arguments are. All that differs between
//! machines is in this file, and in the size of an `epoll_event` (`parse.rs`).

use super::names::{self, Names};

/// An observed system call.
pub(super) struct Row {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) when: When,
    /// The arguments, in their order.
    pub(super) parts: &'static [Part],
    /// If it is not empty: only with one of these as the second argument.
    pub(super) commands: &'static [u32],
}

/// When a call is one on sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// Always.
    Always,
    /// When one of its descriptors is a socket.
    OnSocket,
    /// When one of the descriptors that it waits for is a socket.
    Watching,
    /// When a socket is among what its epoll instance watches.
    Epoll,
    /// When there is a socket in the range.
    Range,
    /// When it goes on with a call that was observed.
    Restart,
    /// Never; but it tells what a signal will do to a waiting call.
    Handler,
}

/// One argument for the reader: often two for the machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// A descriptor.
    Descriptor,
    /// A number of 32 bits.
    Number,
    /// A number of 64 bits.
    Count,
    /// A pointer that says nothing to the reader.
    Hidden,
    /// A number with a name.
    Symbol(Names),
    /// Bits with names.
    Flags(Names),
    /// `SOCK_STREAM|SOCK_CLOEXEC`.
    SocketType,
    /// `IPPROTO_TCP`, if the first argument is an Internet family.
    Protocol,
    /// An address that is given: pointer, length.
    Address,
    /// An address that is wanted: pointer, pointer to its length.
    AddressOut,
    /// Data: pointer, length.
    Bytes,
    /// Room for data: pointer, length.
    BytesOut,
    /// Data in buffers: pointer to `iovec`, count.
    Vectors,
    /// Room for data in buffers: pointer to `iovec`, count.
    VectorsOut,
    /// Pointer to `msghdr`.
    Message,
    /// Pointer to `msghdr` to be filled.
    MessageOut,
    /// Pointer to `mmsghdr`, count.
    Messages,
    /// Pointer to `mmsghdr` to be filled, count.
    MessagesOut,
    /// Level, option, pointer, length.
    Setting,
    /// Level, option, pointer, pointer to the length.
    SettingOut,
    /// Pointer to two descriptors to be filled.
    PairOut,
    /// Pointer to `pollfd`, count.
    Poll,
    /// Highest descriptor and 1, pointers to three sets.
    Sets,
    /// Pointer to `epoll_event`.
    EpollEvent,
    /// Pointer to room for `epoll_event`, count.
    EpollOut,
    /// How long: milliseconds.
    Milliseconds,
    /// How long: pointer to seconds and units of so many nanoseconds.
    Time(u64),
    /// Command and argument of `fcntl`.
    FileCommand,
    /// Command and argument of `ioctl`.
    DeviceCommand,
    /// The result is a new descriptor.
    Made,
}

impl Part {
    /// How many arguments of the machine it takes.
    pub(super) fn width(self) -> usize {
        match self {
            Part::Made => 0,
            Part::Address
            | Part::AddressOut
            | Part::Bytes
            | Part::BytesOut
            | Part::Vectors
            | Part::VectorsOut
            | Part::Messages
            | Part::MessagesOut
            | Part::Poll
            | Part::EpollOut
            | Part::FileCommand
            | Part::DeviceCommand => 2,
            Part::Setting | Part::SettingOut | Part::Sets => 4,
            _ => 1,
        }
    }
}

impl Row {
    /// Its parts, each with its arguments of the machine.
    pub(super) fn parts<'a>(
        &self,
        args: &'a [u64; 6],
    ) -> impl Iterator<Item = (Part, &'a [u64])> + use<'a> {
        let mut rest = args.as_slice();
        self.parts.iter().map(move |&part| {
            let (own, others) = rest.split_at(part.width());
            rest = others;
            (part, own)
        })
    }
}

/// `AUDIT_ARCH_X86_64` and `AUDIT_ARCH_AARCH64` of linux/audit.h.
pub(super) const MACHINE: u32 = if cfg!(target_arch = "x86_64") {
    0xc000_003e
} else {
    0xc000_00b7
};

/// The observed call with this number.
pub(super) fn find(number: u64) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.number as u64 == number)
}

const fn row(number: i64, name: &'static str, when: When, parts: &'static [Part]) -> Row {
    Row {
        number,
        name,
        when,
        parts,
        commands: &[],
    }
}

/// The row, if its second argument is one of these.
const fn only(commands: &'static [u32], row: Row) -> Row {
    Row { commands, ..row }
}

use Part::*;
use When::*;

const FAMILY: Part = Symbol(names::FAMILY);
const SOCKET: Part = Flags(names::SOCKET_FLAGS);
const MESSAGE: Part = Flags(names::MESSAGE_FLAGS);
const FILE: Part = Flags(names::FILE_FLAGS);
const SPLICE: Part = Flags(names::SPLICE_FLAGS);
const CHANGE: Part = Symbol(names::EPOLL_COMMAND);
const TIMESPEC: Part = Time(1);
#[cfg(target_arch = "x86_64")]
const TIMEVAL: Part = Time(1000);

/// All observed calls.
#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row(libc::SYS_socket, "socket", Always, &[FAMILY, SocketType, Protocol, Made]),
    row(libc::SYS_socketpair, "socketpair", Always, &[FAMILY, SocketType, Protocol, PairOut]),
    row(libc::SYS_bind, "bind", Always, &[Descriptor, Address]),
    row(libc::SYS_listen, "listen", Always, &[Descriptor, Number]),
    row(libc::SYS_accept, "accept", Always, &[Descriptor, AddressOut, Made]),
    row(libc::SYS_accept4, "accept4", Always, &[Descriptor, AddressOut, SOCKET, Made]),
    row(libc::SYS_connect, "connect", Always, &[Descriptor, Address]),
    row(libc::SYS_shutdown, "shutdown", Always, &[Descriptor, Symbol(names::SHUTDOWN)]),
    row(libc::SYS_getsockname, "getsockname", Always, &[Descriptor, AddressOut]),
    row(libc::SYS_getpeername, "getpeername", Always, &[Descriptor, AddressOut]),
    row(libc::SYS_setsockopt, "setsockopt", Always, &[Descriptor, Setting]),
    row(libc::SYS_getsockopt, "getsockopt", Always, &[Descriptor, SettingOut]),
    row(libc::SYS_sendto, "sendto", Always, &[Descriptor, Bytes, MESSAGE, Address]),
    row(libc::SYS_recvfrom, "recvfrom", Always, &[Descriptor, BytesOut, MESSAGE, AddressOut]),
    row(libc::SYS_sendmsg, "sendmsg", Always, &[Descriptor, Message, MESSAGE]),
    row(libc::SYS_recvmsg, "recvmsg", Always, &[Descriptor, MessageOut, MESSAGE]),
    row(libc::SYS_sendmmsg, "sendmmsg", Always, &[Descriptor, Messages, MESSAGE]),
    row(libc::SYS_recvmmsg, "recvmmsg", Always, &[Descriptor, MessagesOut, MESSAGE, TIMESPEC]),
    row(libc::SYS_read, "read", OnSocket, &[Descriptor, BytesOut]),
    row(libc::SYS_write, "write", OnSocket, &[Descriptor, Bytes]),
    row(libc::SYS_readv, "readv", OnSocket, &[Descriptor, VectorsOut]),
    row(libc::SYS_writev, "writev", OnSocket, &[Descriptor, Vectors]),
    row(libc::SYS_close, "close", OnSocket, &[Descriptor]),
    row(libc::SYS_close_range, "close_range", Range, &[Number, Number, Flags(names::RANGE_FLAGS)]),
    row(libc::SYS_dup, "dup", OnSocket, &[Descriptor, Made]),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_dup2, "dup2", OnSocket, &[Descriptor, Descriptor, Made]),
    row(libc::SYS_dup3, "dup3", OnSocket, &[Descriptor, Descriptor, FILE, Made]),
    only(&[0, 1030, 4], row(libc::SYS_fcntl, "fcntl", OnSocket, &[Descriptor, FileCommand])),
    only(&[0x5421, 0x541b], row(libc::SYS_ioctl, "ioctl", OnSocket, &[Descriptor, DeviceCommand])),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_poll, "poll", Watching, &[Poll, Milliseconds]),
    row(libc::SYS_ppoll, "ppoll", Watching, &[Poll, TIMESPEC]),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_select, "select", Watching, &[Sets, TIMEVAL]),
    row(libc::SYS_pselect6, "pselect6", Watching, &[Sets, TIMESPEC]),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_epoll_wait, "epoll_wait", Epoll, &[Descriptor, EpollOut, Milliseconds]),
    row(libc::SYS_epoll_pwait, "epoll_pwait", Epoll, &[Descriptor, EpollOut, Milliseconds]),
    row(libc::SYS_epoll_pwait2, "epoll_pwait2", Epoll, &[Descriptor, EpollOut, TIMESPEC]),
    row(libc::SYS_epoll_ctl, "epoll_ctl", OnSocket, &[Descriptor, CHANGE, Descriptor, EpollEvent]),
    row(libc::SYS_restart_syscall, "restart_syscall", Restart, &[]),
    row(libc::SYS_sendfile, "sendfile", OnSocket, &[Descriptor, Descriptor, Hidden, Count]),
    row(libc::SYS_splice, "splice", OnSocket, &[Descriptor, Hidden, Descriptor, Hidden, Count, SPLICE]),
    row(libc::SYS_io_uring_enter, "io_uring_enter", Always, &[Descriptor, Number, Number]),
    row(libc::SYS_rt_sigaction, "rt_sigaction", Handler, &[Number, Hidden]),
];
