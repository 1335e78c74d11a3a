//! Names of the numbers in calls, as the manual pages write them.

use timeline::call::{Flags, Symbol, Text};

/// Numbers and their names.
pub(super) type Names = &'static [(i64, &'static str)];

/// Constants under their own names. Their numbers are libc's, where it has them.
macro_rules! names {
    ($($name:ident $(= $number:literal)?),* $(,)?) => {
        &[$((names!(@ $name $($number)?), stringify!($name))),*]
    };
    (@ $name:ident) => { libc::$name as u32 as i64 };
    (@ $name:ident $number:literal) => { $number };
}

/// The name of a number.
pub(super) fn symbol(names: Names, number: i64) -> Symbol {
    let found = names.iter().find(|(known, _)| *known == number);
    Symbol {
        number,
        name: found.map(|(_, name)| Text::Borrowed(name)),
    }
}

/// The names of bits. A name of several bits comes before its parts.
pub(super) fn flags(names: Names, bits: u64) -> Flags {
    let mut flags = Flags {
        bits,
        names: Vec::new(),
        unnamed: bits,
    };
    for (known, name) in names {
        let known = *known as u64;
        if known != 0 && flags.unnamed & known == known {
            flags.names.push(Text::Borrowed(name));
            flags.unnamed &= !known;
        }
    }
    flags
}

/// Bits of which the lowest are a number of their own, as in `SOCK_STREAM`.
pub(super) fn flags_with_number(numbers: Names, mask: u64, names: Names, bits: u64) -> Flags {
    let mut found = flags(names, bits & !mask);
    found.bits = bits;
    let number = symbol(numbers, (bits & mask) as i64);
    match number.name {
        Some(name) => found.names.insert(0, name),
        None => found.unnamed |= bits & mask,
    }
    found
}

/// The errno of a failed call, or the kernel's note to itself in its place.
pub(super) fn errno(number: i64) -> Symbol {
    symbol(if number < 512 { ERRNO } else { RESTART }, number)
}

/// What the kernel notes for itself when a signal interrupts a call.
pub(super) const RESTART: Names = names! {
    ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516,
};

pub(super) const FAMILY: Names = names! {
    AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_KEY, AF_NETLINK, AF_PACKET, AF_CAN, AF_BLUETOOTH,
    AF_ALG, AF_VSOCK, AF_XDP,
};

pub(super) const SOCKET_TYPE: Names = names! {
    SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET, SOCK_PACKET = 10,
};

pub(super) const SOCKET_FLAGS: Names = names! { SOCK_CLOEXEC, SOCK_NONBLOCK };

pub(super) const PROTOCOL: Names = names! {
    IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_RAW,
    IPPROTO_MPTCP,
};

pub(super) const MESSAGE_FLAGS: Names = names! {
    MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_CTRUNC, MSG_TRUNC, MSG_DONTWAIT, MSG_EOR, MSG_WAITALL,
    MSG_CONFIRM, MSG_ERRQUEUE, MSG_NOSIGNAL, MSG_MORE, MSG_WAITFORONE, MSG_ZEROCOPY, MSG_FASTOPEN,
    MSG_CMSG_CLOEXEC,
};

pub(super) const SHUTDOWN: Names = names! { SHUT_RD, SHUT_WR, SHUT_RDWR };

pub(super) const LEVEL: Names = names! {
    SOL_IP, SOL_SOCKET, SOL_TCP, SOL_UDP, SOL_IPV6, SOL_ICMPV6, SOL_RAW, SOL_PACKET, SOL_NETLINK,
    SOL_MPTCP = 284,
};

/// The names of the options of a level.
pub(super) fn options(level: i64) -> Names {
    match level {
        0 => OPTIONS_IP,
        1 => OPTIONS_SOCKET,
        6 => OPTIONS_TCP,
        41 => OPTIONS_IPV6,
        _ => &[],
    }
}

const OPTIONS_SOCKET: Names = names! {
    SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF,
    SO_KEEPALIVE, SO_OOBINLINE, SO_PRIORITY, SO_LINGER, SO_REUSEPORT, SO_PASSCRED, SO_PEERCRED,
    SO_RCVLOWAT, SO_SNDLOWAT, SO_RCVTIMEO, SO_SNDTIMEO, SO_BINDTODEVICE, SO_ATTACH_FILTER,
    SO_TIMESTAMP, SO_ACCEPTCONN, SO_PEERSEC, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_TIMESTAMPNS,
    SO_MARK, SO_TIMESTAMPING, SO_PROTOCOL, SO_DOMAIN, SO_BUSY_POLL, SO_INCOMING_CPU, SO_COOKIE,
    SO_PEERGROUPS, SO_ZEROCOPY, SO_RCVTIMEO_NEW, SO_SNDTIMEO_NEW,
};

const OPTIONS_TCP: Names = names! {
    TCP_NODELAY, TCP_MAXSEG, TCP_CORK, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT,
    TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP, TCP_INFO, TCP_QUICKACK, TCP_CONGESTION,
    TCP_USER_TIMEOUT, TCP_FASTOPEN, TCP_NOTSENT_LOWAT, TCP_FASTOPEN_CONNECT, TCP_ULP, TCP_INQ,
};

const OPTIONS_IP: Names = names! {
    IP_TOS, IP_TTL, IP_HDRINCL, IP_PKTINFO, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL, IP_RECVTOS,
    IP_MTU, IP_FREEBIND, IP_TRANSPARENT, IP_BIND_ADDRESS_NO_PORT, IP_MULTICAST_IF, IP_MULTICAST_TTL,
    IP_MULTICAST_LOOP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, IP_LOCAL_PORT_RANGE = 51,
};

const OPTIONS_IPV6: Names = names! {
    IPV6_UNICAST_HOPS, IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP,
    IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP, IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR,
    IPV6_V6ONLY, IPV6_RECVPKTINFO, IPV6_TCLASS,
};

pub(super) const CONTROL_SOCKET: Names = names! {
    SCM_RIGHTS, SCM_CREDENTIALS, SCM_TIMESTAMP, SCM_TIMESTAMPNS,
};

pub(super) const FILE_COMMAND: Names = names! { F_DUPFD, F_SETFL, F_DUPFD_CLOEXEC };

pub(super) const ACCESS: Names = names! { O_RDONLY, O_WRONLY, O_RDWR };

pub(super) const FILE_FLAGS: Names = names! { O_APPEND, O_NONBLOCK, O_ASYNC, O_CLOEXEC };

pub(super) const DEVICE_COMMAND: Names = names! { FIONREAD, FIONBIO };

pub(super) const RANGE_FLAGS: Names = names! { CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC };

pub(super) const SPLICE_FLAGS: Names = names! { SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE };

pub(super) const POLL: Names = names! {
    POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL, POLLRDNORM, POLLRDBAND, POLLWRNORM,
    POLLWRBAND, POLLRDHUP,
};

pub(super) const EPOLL: Names = names! {
    EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLERR, EPOLLHUP, EPOLLRDNORM, EPOLLRDBAND, EPOLLWRNORM,
    EPOLLWRBAND, EPOLLRDHUP, EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET,
};

pub(super) const EPOLL_COMMAND: Names = names! { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD };

const ERRNO: Names = names! {
    EPERM, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES,
    EFAULT, ENOTBLK, EBUSY, EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE, EMFILE, ENOTTY,
    ETXTBSY, EFBIG, ENOSPC, ESPIPE, EROFS, EMLINK, EPIPE, EDOM, ERANGE, EDEADLK, ENAMETOOLONG,
    ENOLCK, ENOSYS, ENOTEMPTY, ELOOP, ENOMSG, EIDRM, ECHRNG, EL2NSYNC, EL3HLT, EL3RST, ELNRNG,
    EUNATCH, ENOCSI, EL2HLT, EBADE, EBADR, EXFULL, ENOANO, EBADRQC, EBADSLT, EBFONT, ENOSTR,
    ENODATA, ETIME, ENOSR, ENONET, ENOPKG, EREMOTE, ENOLINK, EADV, ESRMNT, ECOMM, EPROTO, EMULTIHOP,
    EDOTDOT, EBADMSG, EOVERFLOW, ENOTUNIQ, EBADFD, EREMCHG, ELIBACC, ELIBBAD, ELIBSCN, ELIBMAX,
    ELIBEXEC, EILSEQ, ERESTART, ESTRPIPE, EUSERS, ENOTSOCK, EDESTADDRREQ, EMSGSIZE, EPROTOTYPE,
    ENOPROTOOPT, EPROTONOSUPPORT, ESOCKTNOSUPPORT, EOPNOTSUPP, EPFNOSUPPORT, EAFNOSUPPORT,
    EADDRINUSE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH, ENETRESET, ECONNABORTED, ECONNRESET, ENOBUFS,
    EISCONN, ENOTCONN, ESHUTDOWN, ETOOMANYREFS, ETIMEDOUT, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH,
    EALREADY, EINPROGRESS, ESTALE, EUCLEAN, ENOTNAM, ENAVAIL, EISNAM, EREMOTEIO, EDQUOT, ENOMEDIUM,
    EMEDIUMTYPE, ECANCELED, ENOKEY, EKEYEXPIRED, EKEYREVOKED, EKEYREJECTED, EOWNERDEAD,
    ENOTRECOVERABLE, ERFKILL, EHWPOISON,
};
