//! Network cards, through any socket of their network: netdevice(7) and ethtool.

#![allow(unsafe_code)]

use std::io;
use std::mem::zeroed;
use std::os::fd::AsRawFd;

use libc::{c_short, c_ulong};
use socket2::{Domain, Socket, Type};

use crate::check;

// linux/ethtool.h: what a card, or the kernel in its place, would do late. Without
// it packets are cut into segments before they are seen, and none are glued
// together: each is what a cable would carry.
const CUTTING: [u32; 4] = [
    0x1f, // ETHTOOL_STSO
    0x24, // ETHTOOL_SGSO
    0x2c, // ETHTOOL_SGRO
    0x22, // ETHTOOL_SUFO, gone in new kernels
];
// And each has its checksum, which needs the packet in one piece.
const CHECKSUMS: [u32; 2] = [
    0x17, // ETHTOOL_STXCSUM
    0x19, // ETHTOOL_SSG
];
const SIOCETHTOOL: c_ulong = 0x8946;

/// `struct ethtool_value`.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// What a card is asked to do.
enum Request {
    TakePacketsOf(i32),
    SwitchOn,
    TurnOff(u32),
}

/// Any socket of the network in which this thread is.
///
/// # Errors
/// EMFILE when no descriptor is left.
pub fn any_socket() -> io::Result<Socket> {
    Socket::new(Domain::IPV4, Type::DGRAM, None)
}

/// The card of this name does nothing by itself any more: each frame is what a
/// cable would carry, no longer than the MTU, checksum and all.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN in the card's network, ENODEV when there is no such
/// card.
pub fn turn_offloads_off(socket: &Socket, card: &str) -> io::Result<()> {
    for command in CHECKSUMS.into_iter().chain(CUTTING) {
        match ask(socket, card, &Request::TurnOff(command)) {
            // What a kernel does not know it does not do either.
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {}
            result => result?,
        }
    }
    Ok(())
}

/// Gives lo this largest packet size, in bytes from the IP header on, and switches
/// it on. Packets are cut to that size. They have no checksums: nothing can be
/// damaged on the way.
///
/// # Errors
/// EPERM without CAP_NET_ADMIN in this network.
pub fn bring_up_loopback(mtu: i32) -> io::Result<()> {
    let socket = any_socket()?;
    ask(&socket, "lo", &Request::TakePacketsOf(mtu))?;
    for command in CUTTING {
        // The loopback cuts or does not; either way it can be watched.
        let _ = ask(&socket, "lo", &Request::TurnOff(command));
    }
    ask(&socket, "lo", &Request::SwitchOn)
}

fn ask(socket: &Socket, card: &str, request: &Request) -> io::Result<()> {
    // SAFETY: an ifreq of zeros is valid.
    let mut asked: libc::ifreq = unsafe { zeroed() };
    // One byte stays zero, as the end of the name.
    let room = asked.ifr_name.len() - 1;
    for (to, from) in asked.ifr_name.iter_mut().zip(card.bytes()).take(room) {
        *to = from as libc::c_char;
    }
    let mut value = EthtoolValue {
        command: 0,
        data: 0,
    };
    let number = match request {
        Request::TakePacketsOf(mtu) => {
            asked.ifr_ifru.ifru_mtu = *mtu;
            libc::SIOCSIFMTU
        }
        Request::SwitchOn => {
            asked.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as c_short;
            libc::SIOCSIFFLAGS
        }
        Request::TurnOff(command) => {
            value.command = *command;
            asked.ifr_ifru.ifru_data = (&raw mut value).cast();
            SIOCETHTOOL
        }
    };
    // SAFETY: the request reads an ifreq, and one of ethtool the value that it
    // points to; both live as long as the call.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), number as _, &raw mut asked) }).map(drop)
}
