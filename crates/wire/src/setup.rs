//! Two hosts and a cable, made and taken away.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use kernel::device::{any_socket, turn_offloads_off};
use kernel::namespace::{enter, new_network, this_network};
use kernel::packets::ring::Ring;
use kernel::rtnetlink::{Card, Link, Mac};

use crate::cable::{Cable, CableControl, Port};
use crate::hand::{Hand, Settings, Side};
use crate::host::{Host, Namespace};
use crate::traffic::Report;

/// The largest packet, from the IP header on: that of an Ethernet.
pub const MTU: u32 = 1500;

/// The network card of a host. Its name is that of the other end.
const CARD: u32 = 100;
const LOOPBACK: u32 = 1;

/// What a host is to have whatever the machine has, because it shapes what is
/// seen. One that a kernel does not know is left out.
const VALUES: [(&str, &str); 27] = [
    // What a program says to 127.0.0.1 may leave the host, and come in.
    ("net.ipv4.conf.all.route_localnet", "1"),
    ("net.ipv4.conf.default.route_localnet", "1"),
    ("net.ipv4.conf.all.rp_filter", "0"),
    ("net.ipv4.conf.default.rp_filter", "0"),
    // No frame that no program has asked for.
    ("net.ipv6.conf.all.accept_ra", "0"),
    ("net.ipv6.conf.default.accept_ra", "0"),
    ("net.ipv6.conf.default.router_solicitations", "0"),
    ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.default.dad_transmits", "0"),
    ("net.ipv6.conf.default.addr_gen_mode", "1"),
    ("net.ipv6.conf.all.disable_ipv6", "0"),
    ("net.ipv6.conf.default.disable_ipv6", "0"),
    // TCP as the kernel's own documentation has it, and Reno, as in the textbooks.
    ("net.ipv4.tcp_congestion_control", "reno"),
    ("net.ipv4.tcp_syn_retries", "6"),
    ("net.ipv4.tcp_synack_retries", "5"),
    ("net.ipv4.tcp_retries2", "15"),
    ("net.ipv4.tcp_fin_timeout", "60"),
    ("net.ipv4.tcp_sack", "1"),
    ("net.ipv4.tcp_dsack", "1"),
    ("net.ipv4.tcp_timestamps", "1"),
    ("net.ipv4.tcp_window_scaling", "1"),
    ("net.ipv4.tcp_abort_on_overflow", "0"),
    ("net.ipv4.tcp_rmem", "4096 131072 6291456"),
    ("net.ipv4.tcp_wmem", "4096 16384 4194304"),
    ("net.ipv4.tcp_no_metrics_save", "1"),
    ("net.ipv4.ip_unprivileged_port_start", "0"),
    ("net.core.somaxconn", "4096"),
];

/// Small tables of connections are looked through faster. It counts for the
/// networks that are made in one that has it.
const SMALL_TABLES: (&str, &str) = ("net.ipv4.tcp_child_ehash_entries", "64");

/// Why there is no wire, and what to do.
#[derive(Debug)]
pub struct Refused {
    doing: String,
    error: io::Error,
}

impl Refused {
    fn at(doing: &str) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.to_string();
        move |error| Self { doing, error }
    }

    /// The error of the system call.
    pub fn error(&self) -> &io::Error {
        &self.error
    }

    /// The way out, in words of the system that has refused.
    pub fn advice(&self) -> &'static str {
        const EINVAL: i32 = 22;
        match (self.error.kind(), self.error.raw_os_error()) {
            (ErrorKind::StorageFull, _) => {
                "The number of namespaces is limited: sudo sysctl \
                 user.max_user_namespaces=10000 user.max_net_namespaces=10000 allows more."
            }
            (ErrorKind::ReadOnlyFilesystem, _) => {
                "/proc/sys cannot be written here, as in most containers: start the container \
                 with --security-opt systempaths=unconfined, or use the machine outside."
            }
            (ErrorKind::PermissionDenied, _) => {
                "On Ubuntu 23.10 and later, AppArmor forbids it: sudo sysctl \
                 kernel.apparmor_restrict_unprivileged_userns=0 allows it. In Docker, start the \
                 container with --security-opt seccomp=unconfined. As root it is allowed."
            }
            (ErrorKind::Unsupported, _) => {
                "The kernel has no network cards of kind veth: sudo modprobe veth."
            }
            (_, Some(EINVAL)) => {
                "A process can leave for a network of its own only while it has one thread."
            }
            _ => "See network_namespaces(7), user_namespaces(7) and veth(4).",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}: {}. {}", self.doing, self.error, self.advice())
    }
}

impl std::error::Error for Refused {}

/// Two hosts, and a cable between them that is in nobody's hand yet.
#[derive(Debug)]
pub struct Wire {
    hosts: [Host; 2],
    /// Where the middle of the cable lies. It lives as long as this.
    _middle: Namespace,
    ports: Option<[Port; 2]>,
    cable: Option<Cable>,
}

impl Wire {
    /// Makes both hosts, in a few milliseconds. Nothing crosses the cable before
    /// [`Wire::plug`].
    ///
    /// Without privileges this process has to leave for namespaces of its own
    /// before ([`kernel::network::enter_private`]), and can do so only while it
    /// has one thread: the first wire of a process makes it do so. Further wires
    /// may be made at any time.
    ///
    /// # Errors
    /// When the system forbids it. [`Refused`] says what to do.
    pub fn new() -> Result<Self, Refused> {
        match in_thread(make) {
            Err(refused) if refused.error.kind() == ErrorKind::PermissionDenied => {
                let entered = kernel::network::enter_private();
                entered.map_err(Refused::at("leave for namespaces of our own"))?;
                in_thread(make)
            }
            made => made,
        }
    }

    /// The same two hosts, the server's first, joined directly: no cable of ours
    /// lies between them. It is for comparison.
    ///
    /// # Errors
    /// Those of [`Wire::new`], except that the process must have left for
    /// namespaces of its own before.
    pub fn joined_directly() -> Result<[Host; 2], Refused> {
        in_thread(join)
    }

    /// One of the hosts.
    pub fn host(&self, side: Side) -> &Host {
        &self.hosts[side.index()]
    }

    /// Has frames cross the cable: `hand` decides about each, and `report` is told
    /// of each before it goes on. Both are called in the cable's own thread, and
    /// while they work no frame moves. A cable that is plugged already goes on
    /// with another hand; what waited on it is lost.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn plug(
        &mut self,
        hand: impl Hand + 'static,
        settings: Settings,
        report: impl FnMut(Report) + Send + 'static,
    ) -> io::Result<CableControl> {
        self.unplug();
        let ports = self.ports.take();
        let ports = ports.ok_or_else(|| io::Error::other("the cable has broken"))?;
        let cable = Cable::start(ports, Box::new(hand), settings, report)?;
        let control = cable.control.clone();
        self.cable = Some(cable);
        Ok(control)
    }

    /// No frame crosses any more. What waited on the cable is lost.
    pub fn unplug(&mut self) {
        if let Some(mut cable) = self.cable.take() {
            self.ports = cable.end();
        }
    }
}

fn in_thread<T: Send>(work: impl FnOnce() -> Result<T, Refused> + Send) -> Result<T, Refused> {
    thread::scope(|scope| {
        let worker = scope.spawn(work);
        worker.join().expect("making a wire does not panic")
    })
}

/// A network that this thread has just gone into.
fn own_network() -> io::Result<Namespace> {
    new_network().map(Arc::new)
}

/// Runs in a thread of its own, because it changes networks on its way.
fn make() -> Result<Wire, Refused> {
    let middle = own_network().map_err(Refused::at("make a network of our own"))?;
    set(SMALL_TABLES)?;
    let link = Link::open().map_err(Refused::at("talk to rtnetlink"))?;
    let sides = Side::BOTH.map(|side| {
        let made = make_host(&link, side);
        let back = enter(&middle).map_err(Refused::at("go back to the cable"));
        made.and_then(|made| back.map(|()| made))
    });
    let [server, client] = sides;
    let ((server, at_server), (client, at_client)) = (server?, client?);
    Ok(Wire {
        hosts: [server, client],
        _middle: middle,
        ports: Some([at_server, at_client]),
        cable: None,
    })
}

/// The number of the cable's end at this host.
fn end_of_cable(side: Side) -> u32 {
    CARD + u32::from(side.number())
}

fn mac(side: Side) -> Mac {
    [2, 0, 10, 0, 0, side.number()]
}

fn make_host(middle: &Link, side: Side) -> Result<(Host, Port), Refused> {
    let refused = Refused::at;
    let in_middle = any_socket().map_err(refused("open a socket"))?;
    let back = this_network().map_err(refused("open a network"))?;
    let (network, link) = empty_host()?;
    let here = Card {
        index: end_of_cable(side),
        name: side.name(),
        mac: [2, 0, 10, 0, 1, side.number()],
    };
    let there = own_card(side);
    let pair = middle.add_pair(&here, &there, network.as_fd(), MTU);
    pair.map_err(refused("make a pair of network cards (veth)"))?;
    let host = Host::new(side, network);
    let prepared = prepare(&link, &host);
    prepared.map_err(refused("give a host its address"))?;
    enter(&back).map_err(refused("go back to the cable"))?;
    turn_offloads_off(&in_middle, side.name()).map_err(refused("turn offloads off"))?;
    let on = middle.switch_on(end_of_cable(side));
    on.map_err(refused("switch the cable on"))?;
    let port = Ring::open(end_of_cable(side)).map_err(refused("open a packet socket"))?;
    let (socket, ring) = port;
    let socket = Arc::new(socket);
    Ok((host, Port { socket, ring }))
}

/// Without a network card. This thread stays in its network.
fn empty_host() -> Result<(Namespace, Link), Refused> {
    let network = own_network().map_err(Refused::at("make a network for a host"))?;
    VALUES.into_iter().try_for_each(set)?;
    let link = Link::open().map_err(Refused::at("talk to rtnetlink"))?;
    Ok((network, link))
}

fn own_card(side: Side) -> Card<'static> {
    Card {
        index: CARD,
        name: "wire",
        mac: mac(side),
    }
}

/// Runs in a thread of its own, because it changes networks on its way.
fn join() -> Result<[Host; 2], Refused> {
    let refused = Refused::at;
    let before = own_network().map_err(refused("make a network of our own"))?;
    set(SMALL_TABLES)?;
    let (at_server, server_link) = empty_host()?;
    enter(&before).map_err(refused("go back"))?;
    let (at_client, client_link) = empty_host()?;
    let [here, there] = Side::BOTH.map(own_card);
    let pair = server_link.add_pair(&here, &there, at_client.as_fd(), MTU);
    pair.map_err(refused("make a pair of network cards (veth)"))?;
    let client = Host::new(Side::Client, at_client);
    prepare(&client_link, &client).map_err(refused("give a host its address"))?;
    enter(&at_server).map_err(refused("go to the other host"))?;
    let server = Host::new(Side::Server, at_server);
    prepare(&server_link, &server).map_err(refused("give a host its address"))?;
    // The route to 127.0.0.1 needs a card that is on, and a card is on when both
    // ends are; it is not needed here.
    Ok([server, client])
}

/// In the network of the host, before its card is switched on: so no frame is
/// sent that no program has asked for.
fn prepare(link: &Link, host: &Host) -> io::Result<()> {
    turn_offloads_off(&any_socket()?, "wire")?;
    link.switch_on(LOOPBACK)?;
    link.ask_nobody(CARD)?;
    let (own, other) = (host.side, host.side.other());
    let addresses: [(IpAddr, IpAddr, u8); 2] = [
        (own.v4().into(), other.v4().into(), 24),
        (own.v6().into(), other.v6().into(), 64),
    ];
    let has_v6 = Path::new("/proc/sys/net/ipv6").exists();
    let addresses = addresses
        .into_iter()
        .filter(|(own, ..)| own.is_ipv4() || has_v6);
    let mac = mac(other);
    for (own, _, prefix) in addresses.clone() {
        link.add_address(CARD, own, prefix)?;
    }
    link.switch_on(CARD)?;
    for (_, other, _) in addresses {
        link.add_neighbour(CARD, other, mac)?;
    }
    if own == Side::Client {
        // A program that calls 127.0.0.1 reaches the server, unchanged.
        let localhost = Ipv4Addr::LOCALHOST;
        link.take_address(LOOPBACK, localhost.into(), 8)?;
        link.add_route(CARD, localhost, other.v4(), own.v4())?;
    }
    Ok(())
}

fn set((name, value): (&str, &str)) -> Result<(), Refused> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    match fs::write(path, value) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.map_err(Refused::at(&format!("set {name} to {value}"))),
    }
}
