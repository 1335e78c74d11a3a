//! Addresses and ports: what an address means to `bind` and to `connect`, and
//! who may have a port.

use std::{
    io::{ErrorKind, Write},
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
};

use anyhow::{Context, Result, ensure};
use claims::{
    case, judge,
    lab::{address_of, any_port, bound_socket, call, outcome, own_address, receive, udp_socket},
};
use socket2::{Domain, SockAddr, Socket, Type};

#[test]
fn the_empty_host_means_127_0_0_1() -> Result<()> {
    // Python turns the empty host into this question to the resolver: no name,
    // an IPv4 address to bind to. The flag AI_PASSIVE is 1 on every system.
    let question = dns_lookup::AddrInfoHints {
        flags: 1,
        address: dns_lookup::AddrFamily::Inet.into(),
        socktype: dns_lookup::SockType::Stream.into(),
        ..Default::default()
    };
    let mut answers = dns_lookup::getaddrinfo(None, Some("0"), Some(question))
        .map_err(std::io::Error::from)
        .context("no answer for the empty host")?;
    let address = answers.next().context("an empty answer")??.sockaddr;

    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?.ip();
    TcpStream::connect((Ipv4Addr::LOCALHOST, listener.local_addr()?.port()))?;

    judge!([case!(
        bound == Ipv4Addr::LOCALHOST,
        "the server is bound to {bound}, and 127.0.0.1 reaches it"
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_is_reached_at_every_address_of_its_host() -> Result<()> {
    // On Linux every address of 127.0.0.0/8 is one of this host.
    let reached_elsewhere = |bound| -> Result<_> {
        let listener = TcpListener::bind((bound, 0))?;
        let target = (own_address(), listener.local_addr()?.port());
        let attempt = TcpStream::connect(target);
        let seen = format!(
            "a server on {bound}, connect to {}: {}",
            target.0,
            outcome(&attempt)
        );
        Ok(case(attempt.is_ok(), seen))
    };
    judge!([
        reached_elsewhere(Ipv4Addr::UNSPECIFIED)?,
        reached_elsewhere(Ipv4Addr::LOCALHOST)?,
    ])
}

#[cfg(target_os = "linux")]
#[test]
fn connecting_to_0_0_0_0_fails() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let port = listener.local_addr()?.port();
    let attempt = TcpStream::connect((Ipv4Addr::UNSPECIFIED, port));
    let peer = match &attempt {
        Ok(stream) => format!("connected with {}", stream.peer_addr()?),
        Err(error) => error.to_string(),
    };
    judge!([case(attempt.is_err(), peer)])
}

#[cfg(target_os = "linux")]
#[test]
fn loopback_is_one_address_127_0_0_1() -> Result<()> {
    let other = own_address();
    let listener = TcpListener::bind((other, 0));
    let reached = match &listener {
        Ok(listener) => call(listener).is_ok(),
        Err(_) => false,
    };
    judge!([case!(
        !reached,
        "bind to {other}: {}, reached: {reached}",
        outcome(&listener)
    )])
}

#[test]
fn bind_takes_only_addresses_of_this_host() -> Result<()> {
    // 192.0.2.0/24 is kept for documentation: no host has such an address.
    let foreign = TcpListener::bind("192.0.2.1:0");
    let own = TcpListener::bind(any_port());
    ensure!(own.is_ok(), "an own address must do: {own:?}");
    let refused = matches!(&foreign, Err(error) if error.kind() == ErrorKind::AddrNotAvailable);
    judge!([case!(refused, "bind to 192.0.2.1: {}", outcome(&foreign))])
}

#[test]
fn bind_is_enough_to_be_reached() -> Result<()> {
    let (_tcp, target) = bound_socket()?;
    let call = TcpStream::connect(target);

    let udp = udp_socket()?;
    udp_socket()?.send_to(b"hello", udp.local_addr()?)?;
    let datagram = udp.recv(&mut [0; 16]);

    judge!([
        case!(call.is_ok(), "TCP, a call: {}", outcome(&call)),
        case!(datagram.is_ok(), "UDP, a datagram: {}", outcome(&datagram)),
    ])
}

#[cfg(target_os = "linux")]
#[test]
fn ports_0_to_1024_belong_to_the_system() -> Result<()> {
    let setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    let first_free: u16 = std::fs::read_to_string(setting)?.trim().parse()?;

    // Port 0 is asked for by everybody. It is a request, not a port.
    let address = own_address();
    let zero = TcpListener::bind((address, 0));
    let given = zero.as_ref().map_or(0, |listener| {
        listener.local_addr().map_or(0, |address| address.port())
    });

    // Whoever runs this test may have the privilege, so a bind that succeeds
    // proves nothing; the kernel's setting tells, and a bind must not contradict.
    let at_1024 = TcpListener::bind((address, 1024));
    let denied = matches!(&at_1024, Err(error) if error.kind() == ErrorKind::PermissionDenied);
    let at_1023 = outcome(&TcpListener::bind((address, 1023)));

    judge!([
        case!(
            given == 0,
            "bind to port 0: {}, port {given}",
            outcome(&zero)
        ),
        case!(
            denied || first_free > 1024,
            "ports from {first_free} on are free for all; bind to 1024: {}, to 1023: {at_1023}",
            outcome(&at_1024)
        ),
    ])
}

#[test]
fn tcp_and_udp_ports_are_different_spaces() -> Result<()> {
    let tcp = TcpListener::bind((own_address(), 0))?;
    let same = tcp.local_addr()?;
    let udp = UdpSocket::bind(same);
    let seen = format!("TCP listens at {same}, UDP bind there: {}", outcome(&udp));

    // Each hears its own callers only.
    let words = match &udp {
        Ok(udp) => {
            let (mut caller, callee) = call(&tcp)?;
            caller.write_all(b"stream")?;
            UdpSocket::bind((own_address(), 0))?.send_to(b"datagram", same)?;
            let mut buffer = [0; 16];
            let count = udp.recv(&mut buffer)?;
            (receive(&callee)?, buffer[..count].to_vec())
        }
        Err(_) => Default::default(),
    };
    let apart = words == (b"stream".to_vec(), b"datagram".to_vec());
    judge!([case(apart, seen)])
}

#[test]
fn a_socket_is_ip_plus_port() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let (_one, first) = call(&listener)?;
    let (_two, second) = call(&listener)?;
    let addresses = [
        listener.local_addr()?,
        first.local_addr()?,
        second.local_addr()?,
    ];
    let same = addresses[0] == addresses[1] || addresses[1] == addresses[2];
    judge!([case!(
        !same,
        "a listener and two accepted sockets: {addresses:?}"
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn ip_and_port_name_one_process() -> Result<()> {
    let listener = TcpListener::bind((own_address(), 0))?;
    let address = listener.local_addr()?;
    let mut other = claims::lab::Keeper::of(listener.try_clone()?, None)?;

    let _guard = claims::lab::no_child_is_born();
    // If the port were this process's alone, it would now be free.
    drop(listener);
    let again = TcpListener::bind(address);
    other.kill()?;
    let after = TcpListener::bind(address);
    ensure!(after.is_ok(), "nobody is left, yet: {}", outcome(&after));

    judge!([case!(
        again.is_ok(),
        "closed here, still open in another process; bind: {}",
        outcome(&again)
    )])
}

#[test]
fn a_client_that_does_not_bind_is_given_a_port() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let ports: Vec<u16> = (0..2)
        .map(|_| call(&listener))
        .map(|pair| Ok(pair?.0.local_addr()?.port()))
        .collect::<Result<_>>()?;

    let server = udp_socket()?;
    let udp = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    udp.send_to(b"hello", &server.local_addr()?.into())?;
    let (_, sender) = server.recv_from(&mut [0; 16])?;

    judge!([
        case!(
            !ports.contains(&0) && ports[0] != ports[1],
            "two TCP clients: ports {ports:?}"
        ),
        case!(sender.port() != 0, "a UDP client that sent: {sender}"),
    ])
}

#[test]
fn only_servers_may_bind() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let (client, chosen) = bound_socket()?;
    client.connect(&listener.local_addr()?.into())?;
    let (_, seen) = listener.accept()?;
    judge!([case!(
        seen != chosen,
        "a client bound itself to {chosen}, the server saw {seen}"
    )])
}

/// An option for sharing a port counts only where both sockets have it.
#[cfg(target_os = "linux")]
fn refused_unless_both_have_set_it(
    open: impl Fn(SockAddr, bool) -> std::io::Result<Socket>,
) -> Result<()> {
    for (first, second) in [(true, false), (false, true)] {
        let first = open(any_port().into(), first)?;
        let alone = open(first.local_addr()?, second);
        ensure!(alone.is_err(), "shared, though one has not set it");
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn so_reuseaddr_lets_two_servers_share_a_port() -> Result<()> {
    let two_on_one_port = |kind: Type| -> Result<_> {
        let open = |address: SockAddr, reuse: bool| -> std::io::Result<Socket> {
            let socket = Socket::new(Domain::IPV4, kind, None)?;
            socket.set_reuse_address(reuse)?;
            socket.bind(&address)?;
            if kind == Type::STREAM {
                socket.listen(5)?;
            }
            Ok(socket)
        };
        refused_unless_both_have_set_it(open)?;
        let first = open(any_port().into(), true)?;
        let second = open(first.local_addr()?, true);
        let name = if kind == Type::STREAM { "TCP" } else { "UDP" };
        Ok(case!(
            second.is_ok(),
            "{name}, the second on the same port: {}",
            outcome(&second)
        ))
    };
    judge!([
        two_on_one_port(Type::STREAM)?,
        two_on_one_port(Type::DGRAM)?,
    ])
}

#[cfg(target_os = "linux")]
#[test]
fn so_reuseport_spreads_the_calls_over_two_servers() -> Result<()> {
    let open = |address: SockAddr, reuse: bool| -> std::io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_port(reuse)?;
        socket.bind(&address)?;
        socket.listen(64)?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    refused_unless_both_have_set_it(open)?;
    let first = open(any_port().into(), true)?;
    let second = open(first.local_addr()?, true);

    // The kernel chooses by a hash of the addresses: with 64 callers, one
    // queue stays empty by chance once in 2^63 runs.
    let address = address_of(&first)?;
    let callers: Vec<TcpStream> = (0..64)
        .map(|_| TcpStream::connect(address))
        .collect::<std::io::Result<_>>()?;
    let waiting = |socket: &Socket| std::iter::from_fn(|| socket.accept().ok()).count();
    let calls = (waiting(&first), second.as_ref().map_or(0, waiting));

    judge!([case!(
        calls.0 > 0 && calls.1 > 0,
        "second server: {}; of {} calls, {} and {} came",
        outcome(&second),
        callers.len(),
        calls.0,
        calls.1
    )])
}
