//! What bytes of a program's memory mean. A program may put anything there, so
//! each function here takes any bytes and has an answer to them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use timeline::call::{Address, Bytes, Control, Setting, Watch};

use super::names;

const AF_UNIX: u16 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

const SOL_SOCKET: i64 = 1;
const SCM_RIGHTS: i64 = 1;

/// The size of `struct msghdr`.
pub(super) const HEADER: usize = 56;
/// Where in it the count of buffers stands: `msg_iovlen`.
pub(super) const COUNT_IN_HEADER: u64 = 24;
/// The size of `struct mmsghdr`: a header, the count of bytes, 4 bytes unused.
pub(super) const LONG_HEADER: usize = 64;
/// The size of `struct iovec`, `timespec` and `timeval`.
pub(super) const PAIR: usize = 16;
/// The size of `struct pollfd`.
pub(super) const POLL: usize = 8;
/// The size of `struct epoll_event`. On x86-64 it has no gap.
pub(super) const EPOLL_EVENT: usize = if cfg!(target_arch = "x86_64") { 12 } else { 16 };

/// The bytes from `at` on, as many as the number has.
fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    part(bytes, at).map(u16::from_ne_bytes)
}

pub(super) fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    part(bytes, at).map(i32::from_ne_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    part(bytes, at).map(u32::from_ne_bytes)
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    part(bytes, at).map(u64::from_ne_bytes)
}

/// `struct sockaddr`, of whatever family.
pub(super) fn address(bytes: &[u8]) -> Address {
    let family = u16_at(bytes, 0);
    let known = match family {
        Some(AF_INET) => ipv4(bytes),
        Some(AF_INET6) => ipv6(bytes),
        Some(AF_UNIX) => Some(unix(&bytes[2..])),
        _ => None,
    };
    known.unwrap_or_else(|| Address::Other {
        family,
        bytes: bytes.get(2..).unwrap_or_default().to_vec(),
    })
}

fn ipv4(bytes: &[u8]) -> Option<Address> {
    let port = part(bytes, 2).map(u16::from_be_bytes)?;
    let ip = part(bytes, 4).map(|octets: [u8; 4]| Ipv4Addr::from(octets))?;
    Some(Address::Ip(SocketAddr::V4(SocketAddrV4::new(ip, port))))
}

fn ipv6(bytes: &[u8]) -> Option<Address> {
    let port = part(bytes, 2).map(u16::from_be_bytes)?;
    let flow = part(bytes, 4).map(u32::from_be_bytes)?;
    let ip = part(bytes, 8).map(|octets: [u8; 16]| Ipv6Addr::from(octets))?;
    // RFC 2133 had no scope; the kernel takes the short form still.
    let scope = u32_at(bytes, 24).unwrap_or(0);
    let address = SocketAddrV6::new(ip, port, flow, scope);
    Some(Address::Ip(SocketAddr::V6(address)))
}

/// unix(7): a path ends at its NUL, an abstract name begins with one.
fn unix(name: &[u8]) -> Address {
    match name.split_first() {
        None => Address::Unnamed,
        Some((0, name)) => Address::Abstract(name.to_vec()),
        Some(_) => {
            let end = name.iter().position(|&byte| byte == 0);
            Address::Path(name[..end.unwrap_or(name.len())].to_vec())
        }
    }
}

/// An array of `struct iovec`: addresses and lengths.
pub(super) fn vectors(bytes: &[u8]) -> Vec<(u64, u64)> {
    let each = bytes.chunks_exact(PAIR);
    each.filter_map(|pair| Some((u64_at(pair, 0)?, u64_at(pair, 8)?)))
        .collect()
}

/// `struct msghdr`: where everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: u64,
    pub(super) name_length: u32,
    pub(super) vectors: u64,
    pub(super) vector_count: u64,
    pub(super) control: u64,
    pub(super) control_length: u64,
    pub(super) flags: u32,
}

pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    Some(Header {
        name: u64_at(bytes, 0)?,
        name_length: u32_at(bytes, 8)?,
        vectors: u64_at(bytes, 16)?,
        vector_count: u64_at(bytes, 24)?,
        control: u64_at(bytes, 32)?,
        control_length: u64_at(bytes, 40)?,
        flags: u32_at(bytes, 48)?,
    })
}

/// A chain of `struct cmsghdr`, each at a multiple of 8 bytes.
pub(super) fn control(mut bytes: &[u8]) -> Vec<Control> {
    const HEAD: usize = 16;
    let mut found = Vec::new();
    while let (Some(length), Some(level), Some(kind)) =
        (u64_at(bytes, 0), i32_at(bytes, 8), i32_at(bytes, 12))
    {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(data_length) = length.checked_sub(HEAD) else {
            break;
        };
        let (level, kind) = (i64::from(level), i64::from(kind));
        let data = bytes.get(HEAD..length.min(bytes.len())).unwrap_or_default();
        let passes = level == SOL_SOCKET && kind == SCM_RIGHTS;
        let each = data.chunks_exact(4).filter_map(|four| i32_at(four, 0));
        let kinds = if level == SOL_SOCKET {
            names::CONTROL_SOCKET
        } else {
            names::options(level)
        };
        found.push(Control {
            level: names::symbol(names::LEVEL, level),
            kind: names::symbol(kinds, kind),
            descriptors: each.filter(|_| passes).collect(),
            length: data_length as u64,
        });
        let next = length.checked_next_multiple_of(8);
        match next.and_then(|next| bytes.get(next..)) {
            Some(rest) => bytes = rest,
            None => break,
        }
    }
    found
}

/// An array of `struct pollfd`: what is awaited, or what has happened.
pub(super) fn polled(bytes: &[u8], happened: bool) -> Vec<Watch> {
    let at = if happened { 6 } else { 4 };
    let each = bytes.chunks_exact(POLL);
    each.filter_map(|poll| {
        Some(Watch {
            descriptor: i32_at(poll, 0)?.into(),
            events: names::flags(names::POLL, u16_at(poll, at)?.into()),
        })
    })
    .collect()
}

/// An array of `struct epoll_event`.
pub(super) fn epoll_events(bytes: &[u8]) -> Vec<Watch> {
    let each = bytes.chunks_exact(EPOLL_EVENT);
    each.filter_map(|event| {
        Some(Watch {
            descriptor: u64_at(event, EPOLL_EVENT - 8)? as i64,
            events: names::flags(names::EPOLL, u32_at(event, 0)?.into()),
        })
    })
    .collect()
}

/// An `fd_set`: a bit for each descriptor.
pub(super) fn set(bytes: &[u8]) -> Vec<i32> {
    let bits = bytes.iter().enumerate().flat_map(|(index, byte)| {
        (0..8)
            .filter(move |bit| byte & (1 << bit) != 0)
            .map(move |bit| index * 8 + bit)
    });
    bits.filter_map(|number| i32::try_from(number).ok())
        .collect()
}

/// `struct timespec`, or `timeval` when a unit is a microsecond.
pub(super) fn time(bytes: &[u8], nanoseconds_a_unit: u64) -> Option<Duration> {
    let (seconds, units) = (u64_at(bytes, 0)?, u64_at(bytes, 8)?);
    let rest = Duration::from_nanos(units.checked_mul(nanoseconds_a_unit)?);
    Duration::from_secs(seconds).checked_add(rest)
}

/// The value of a socket option; `length` is what the program or the kernel says.
pub(super) fn setting(level: i64, option: i64, bytes: &[u8], length: u64) -> Setting {
    let name = names::symbol(names::options(level), option).name;
    let known = match (name.as_deref().unwrap_or_default(), bytes.len()) {
        ("SO_LINGER", 8..) => i32_at(bytes, 0).zip(i32_at(bytes, 4)).map(|(on, seconds)| {
            let seconds = u64::try_from(seconds).unwrap_or(0);
            Setting::Linger((on != 0).then(|| Duration::from_secs(seconds)))
        }),
        ("SO_RCVTIMEO" | "SO_SNDTIMEO" | "SO_RCVTIMEO_NEW" | "SO_SNDTIMEO_NEW", PAIR..) => {
            time(bytes, 1000).map(Setting::Time)
        }
        ("TCP_CONGESTION" | "TCP_ULP" | "SO_BINDTODEVICE", _) => {
            let end = bytes.iter().position(|&byte| byte == 0);
            let text = &bytes[..end.unwrap_or(bytes.len())];
            Some(Setting::Text(String::from_utf8_lossy(text).into_owned()))
        }
        (_, 1) => Some(Setting::Number(bytes[0].into())),
        (_, 4) => i32_at(bytes, 0).map(|number| Setting::Number(number.into())),
        _ => None,
    };
    known.unwrap_or_else(|| {
        Setting::Bytes(Bytes {
            first: bytes.to_vec(),
            length,
        })
    })
}
