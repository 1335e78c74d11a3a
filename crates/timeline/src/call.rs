//! Calls on sockets, as plain values.
//!
//! A call is two values tied by an id: a [`Start`] when the program asks the
//! kernel, and an [`End`] when the kernel has answered. What lies between them
//! is waiting, and waiting is what a program hides. Names are the kernel's:
//! libc's `recv` enters the kernel as `recvfrom` with no address.
//!
//! Read it in this order: [`Start`], [`Arg`], [`End`], [`Outcome`], [`Output`].

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

/// Text that is a constant where a source names it, and not where a file does.
pub type Text = Cow<'static, str>;

/// Ties the start of a call to its end. Each call of a run has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// A program asks the kernel for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The end carries the same.
    pub id: CallId,
    /// The process that calls.
    pub pid: u32,
    /// The thread of it that calls; its first thread has the number of the
    /// process.
    pub tid: u32,
    /// The name of the system call, such as `recvfrom`.
    pub name: Text,
    /// The arguments in the order of the man page. A pointer and the length that
    /// belongs to it are one argument.
    pub args: Vec<Arg>,
    /// The first socket among its descriptors. None where there is none yet
    /// (`socket`), and where the descriptor is no open socket.
    pub socket: Option<Socket>,
    /// The interrupted call that goes on with this one.
    pub resumes: Option<CallId>,
    /// What was done to the call on its way to the kernel, if anything was.
    pub changed: Option<Changed>,
}

/// What the observer did to a call, to see how the program bears it. The
/// arguments of the start are those of the program all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The kernel was asked for at most so many bytes, and not for as many as
    /// the arguments say. A stream loses nothing by that: the rest comes with
    /// the next call.
    CutTo(u64),
    /// The kernel never began with it. The program was told that it failed with
    /// this errno; nothing has happened to the socket.
    Failed(Symbol),
}

/// The kernel has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The start carries the same.
    pub id: CallId,
    /// What the kernel answered.
    pub outcome: Outcome,
    /// What the kernel wrote into the program's memory, in the order of the
    /// arguments.
    pub outputs: Vec<Output>,
    /// The descriptors that the call has made, as `accept` does, or brought, as
    /// `recvmsg` can, with the socket behind each.
    pub sockets: Vec<(i32, Socket)>,
}

/// What came out of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this.
    Returned(i64),
    /// It failed with this errno, such as 111 `ECONNREFUSED`.
    Failed(Symbol),
    /// A signal came before there was a result, and the call starts again; that
    /// start says which call it resumes. The program notices nothing. The symbol
    /// is the kernel's note to itself, such as 512 `ERESTARTSYS`.
    Interrupted(Symbol),
    /// The task was ended in the call: nothing was returned to anybody.
    Died,
}

/// One argument, as the program gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A descriptor.
    Descriptor(i32),
    /// A set of descriptors.
    Descriptors(Vec<i32>),
    /// An address.
    Address(Address),
    /// Bytes to be sent.
    Bytes(Bytes),
    /// Room for at most so many bytes, to be filled by the call.
    Room(u64),
    /// Room for something else, to be filled by the call: see the outputs.
    Wanted,
    /// NULL: the program gives nothing, or does not want to know.
    Null,
    /// A number.
    Number(i64),
    /// A number that has a name.
    Symbol(Symbol),
    /// Bits that have names.
    Flags(Flags),
    /// The value of a socket option.
    Setting(Setting),
    /// What is to be sent, with where it goes and what goes with it.
    Messages(Vec<Message>),
    /// Descriptors, and what is awaited of each.
    Watched(Vec<Watch>),
    /// How long the call may wait; None: for ever.
    Timeout(Option<Duration>),
    /// An address in the program's memory at which there is not what the call
    /// needs: nothing can be read there, or the length is absurd.
    Unreadable(u64),
}

/// Something that a call wrote into the program's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// What was received.
    Bytes(Bytes),
    /// An address: whom a connection came from, or who sent a datagram.
    Address(Address),
    /// Received messages.
    Messages(Vec<Message>),
    /// Descriptors, and what happened on each.
    Watched(Vec<Watch>),
    /// Descriptors: those that are ready, or the pair that was made.
    Descriptors(Vec<i32>),
    /// The value of a socket option.
    Setting(Setting),
    /// A number, such as that of bytes that wait to be received.
    Number(i64),
    /// An address in the program's memory from which it could not be read again.
    Unreadable(u64),
}

/// The identity of a socket, the same in every process that has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Socket {
    /// The inode: the number in `socket:[…]`.
    pub inode: u64,
    /// The kernel's name for what it speaks, such as `TCP`, `UDPv6`,
    /// `UNIX-STREAM`; None when it could not be asked.
    pub protocol: Option<Text>,
}

/// The address of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// IPv4 or IPv6.
    Ip(SocketAddr),
    /// `AF_UNIX` with a path in the file system.
    Path(Vec<u8>),
    /// `AF_UNIX` with a name that is in no file system.
    Abstract(Vec<u8>),
    /// `AF_UNIX` without a name.
    Unnamed,
    /// Any other family, or bytes that are no address of their family.
    Other {
        /// The number of the family; None when there are not even two bytes.
        family: Option<u16>,
        /// What follows it.
        bytes: Vec<u8>,
    },
}

/// Bytes, of which perhaps only the first were kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// The first bytes: as many as were to be kept. If there are fewer, the rest
    /// could not be read from the program's memory.
    pub first: Vec<u8>,
    /// How many there are in all.
    pub length: u64,
}

/// A number and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The number.
    pub number: i64,
    /// The name; None when it is not known here.
    pub name: Option<Text>,
}

/// Bits and their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// All of them.
    pub bits: u64,
    /// The names of those that are known.
    pub names: Vec<Text>,
    /// Those without a known name.
    pub unnamed: u64,
}

/// The value of a socket option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A number, or a yes (not 0) and no (0).
    Number(i64),
    /// A time.
    Time(Duration),
    /// `SO_LINGER`: how long a close waits; None: it does not wait.
    Linger(Option<Duration>),
    /// A name, such as that of a congestion control.
    Text(String),
    /// Anything else.
    Bytes(Bytes),
}

/// What `sendmsg` sends and `recvmsg` receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Where it goes to or came from, if it says so.
    pub address: Option<Address>,
    /// The data, put together from all buffers. Where it is yet to be received,
    /// only the length: that of the buffers.
    pub bytes: Bytes,
    /// What goes with the data, such as descriptors.
    pub control: Vec<Control>,
    /// What the kernel says of a received message, such as `MSG_TRUNC`.
    pub flags: Flags,
}

/// What goes with a message beside its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Whose it is, such as `SOL_SOCKET`.
    pub level: Symbol,
    /// What it is, such as `SCM_RIGHTS`.
    pub kind: Symbol,
    /// The descriptors that are passed to another process, with `SCM_RIGHTS`.
    pub descriptors: Vec<i32>,
    /// The length of its data in bytes.
    pub length: u64,
}

/// A descriptor, and events that are awaited or have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The descriptor. `epoll_wait` tells in its place the number that the
    /// program has chosen; most programs choose the descriptor.
    pub descriptor: i64,
    /// Such as `POLLIN`.
    pub events: Flags,
}
