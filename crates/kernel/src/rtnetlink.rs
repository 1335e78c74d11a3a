//! rtnetlink(7): network cards, addresses, neighbours and routes, in messages
//! that the kernel answers with an errno.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::netlink::{self, finish, question};

/// Only a new one is made: linux/netlink.h.
const NLM_F_CREATE_EXCL: u16 = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;
/// linux/veth.h: the other end.
const VETH_INFO_PEER: u16 = 1;

/// The hardware address of a network card.
pub type Mac = [u8; 6];

/// One end of a pair of network cards.
#[derive(Clone, Copy, Debug)]
pub struct Card<'a> {
    /// The number that it is to have in its network.
    pub index: u32,
    /// Its name: at most 15 bytes.
    pub name: &'a str,
    /// Its hardware address.
    pub mac: Mac,
}

/// A way to the kernel. It belongs for ever to the network of the thread that
/// has opened it.
#[derive(Debug)]
pub struct Link(netlink::Link);

impl Link {
    /// Opens the way.
    ///
    /// # Errors
    /// EMFILE when no descriptor is left.
    pub fn open() -> io::Result<Self> {
        netlink::Link::open(libc::NETLINK_ROUTE).map(Self)
    }

    /// Makes two network cards that are joined by a cable: one here, and one in
    /// the other network. It is born there, because moving it takes much longer.
    ///
    /// # Errors
    /// EPERM without CAP_NET_ADMIN in both networks, EOPNOTSUPP without veth(4).
    pub fn add_pair(
        &self,
        here: &Card,
        there: &Card,
        network: BorrowedFd,
        mtu: u32,
    ) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWLINK, NLM_F_CREATE_EXCL);
        message.card(here, mtu);
        message.nest(libc::IFLA_LINKINFO, |info| {
            info.attribute(libc::IFLA_INFO_KIND, b"veth");
            info.nest(libc::IFLA_INFO_DATA, |data| {
                data.nest(VETH_INFO_PEER, |peer| {
                    peer.card(there, mtu);
                    peer.attribute(libc::IFLA_NET_NS_FD, &network.as_raw_fd().to_ne_bytes());
                });
            });
        });
        self.ask(message)
    }

    /// Switches a network card on.
    ///
    /// # Errors
    /// ENODEV when there is no such card.
    pub fn switch_on(&self, index: u32) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWLINK, 0);
        message.interface(index, libc::IFF_UP as u32);
        self.ask(message)
    }

    /// Tells a network card that it need not ask for its neighbours. Then IPv6 does
    /// not tell others, by MLD, which questions it would like to hear. It counts for
    /// addresses that are given later.
    ///
    /// # Errors
    /// ENODEV when there is no such card.
    pub fn ask_nobody(&self, index: u32) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWLINK, 0);
        message.interface(index, libc::IFF_NOARP as u32);
        self.ask(message)
    }

    /// Gives a network card an address. It is not asked whether somebody has it.
    ///
    /// # Errors
    /// EEXIST when the card has it already.
    pub fn add_address(&self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWADDR, NLM_F_CREATE_EXCL);
        message.address(index, address, prefix);
        message.attribute(libc::IFA_FLAGS, &libc::IFA_F_NODAD.to_ne_bytes());
        self.ask(message)
    }

    /// Takes an address away from a network card.
    ///
    /// # Errors
    /// EADDRNOTAVAIL when the card does not have it.
    pub fn take_address(&self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_DELADDR, 0);
        message.address(index, address, prefix);
        self.ask(message)
    }

    /// Tells for ever which hardware address belongs to an address.
    ///
    /// # Errors
    /// EEXIST when it is known already.
    pub fn add_neighbour(&self, index: u32, address: IpAddr, mac: Mac) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWNEIGH, NLM_F_CREATE_EXCL);
        // `struct ndmsg`.
        message.put(&[family(address), 0, 0, 0]);
        message.put(&index.to_ne_bytes());
        message.put(&libc::NUD_PERMANENT.to_ne_bytes());
        message.put(&[0, 0]);
        message.attribute(libc::NDA_DST, &octets(address));
        message.attribute(libc::NDA_LLADDR, &mac);
        self.ask(message)
    }

    /// Sends what is for one address to a neighbour; `source` is what such
    /// packets say that they come from.
    ///
    /// # Errors
    /// ENETUNREACH while the card is off.
    pub fn add_route(
        &self,
        index: u32,
        to: Ipv4Addr,
        neighbour: Ipv4Addr,
        source: Ipv4Addr,
    ) -> io::Result<()> {
        let mut message = Message::new(libc::RTM_NEWROUTE, NLM_F_CREATE_EXCL);
        // `struct rtmsg`: family, lengths of destination and source, TOS, table,
        // who says so, how far (0: anywhere), kind, flags.
        let family = family(to.into());
        message.put(&[
            family,
            32,
            0,
            0,
            libc::RT_TABLE_MAIN,
            libc::RTPROT_STATIC,
            0,
            libc::RTN_UNICAST,
        ]);
        message.put(&[0; 4]);
        message.attribute(libc::RTA_DST, &to.octets());
        message.attribute(libc::RTA_OIF, &index.to_ne_bytes());
        message.attribute(libc::RTA_GATEWAY, &neighbour.octets());
        message.attribute(libc::RTA_PREFSRC, &source.octets());
        self.ask(message)
    }

    fn ask(&self, message: Message) -> io::Result<()> {
        // The answer to a question of ours is an errno, and the question again.
        let mut buffer = [0; 4096];
        self.0.ask(&finish(message.0), &mut buffer, |_| {})
    }
}

fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => libc::AF_INET as u8,
        IpAddr::V6(_) => libc::AF_INET6 as u8,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// A question that is being written.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16) -> Self {
        Self(question(kind, flags | libc::NLM_F_ACK as u16))
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// `struct ifinfomsg`: family, kind, number, flags, which flags count.
    fn interface(&mut self, index: u32, flags: u32) {
        self.put(&[0; 4]);
        self.put(&index.to_ne_bytes());
        self.put(&flags.to_ne_bytes());
        self.put(&flags.to_ne_bytes());
    }

    fn card(&mut self, card: &Card, mtu: u32) {
        self.interface(card.index, 0);
        let mut name = card.name.as_bytes().to_vec();
        name.push(0);
        self.attribute(libc::IFLA_IFNAME, &name);
        self.attribute(libc::IFLA_ADDRESS, &card.mac);
        self.attribute(libc::IFLA_MTU, &mtu.to_ne_bytes());
    }

    /// `struct ifaddrmsg`: family, prefix, flags, scope, number of the card.
    fn address(&mut self, index: u32, address: IpAddr, prefix: u8) {
        self.put(&[family(address), prefix, 0, 0]);
        self.put(&index.to_ne_bytes());
        self.attribute(libc::IFA_LOCAL, &octets(address));
        self.attribute(libc::IFA_ADDRESS, &octets(address));
    }

    /// `struct rtattr`: length, kind, value; the next begins at a multiple of 4.
    fn attribute(&mut self, kind: u16, value: &[u8]) {
        self.nest(kind, |inside| inside.put(value));
    }

    fn nest(&mut self, kind: u16, write: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.put(&[0; 4]);
        write(self);
        let length = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.0[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }
}
