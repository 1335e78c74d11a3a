//! Datagrams: what UDP keeps together, what it loses, and what it tells.

use std::net::UdpSocket;

use anyhow::Result;
use claims::{
    case, judge,
    lab::{MOMENT, outcome, udp_socket},
};
use socket2::Socket;

/// How many datagrams are there now, or come within a moment after another.
fn count_datagrams(socket: &UdpSocket) -> std::io::Result<usize> {
    socket.set_read_timeout(Some(MOMENT))?;
    Ok(std::iter::from_fn(|| socket.recv(&mut [0; 2048]).ok()).count())
}

#[test]
fn udp_data_is_never_cut() -> Result<()> {
    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    let message = [b'x'; 1500];
    let whole_into = |space: usize| -> Result<_> {
        sender.send_to(&message, receiver.local_addr()?)?;
        let mut buffer = vec![0; space];
        // Windows reports a cut as an error, other systems not at all.
        let received = receiver.recv(&mut buffer);
        Ok(case!(
            received.as_ref().is_ok_and(|count| *count == message.len()),
            "1500 bytes sent, received into {space}: {received:?}"
        ))
    };
    judge!([whole_into(2048)?, whole_into(1024)?])
}

#[test]
fn udp_has_no_connect() -> Result<()> {
    let (client, server) = (udp_socket()?, udp_socket()?);
    let connected = client.connect(server.local_addr()?);
    let peer = client.peer_addr();
    // No address is given any more.
    client.send(b"hello")?;
    let arrived = server.recv(&mut [0; 16]);
    judge!([case!(
        connected.is_err() || peer.is_err() || arrived.is_err(),
        "connect: {}, peer: {peer:?}",
        outcome(&connected)
    )])
}

#[test]
fn a_connected_udp_socket_hears_only_its_peer() -> Result<()> {
    let (client, server, stranger) = (udp_socket()?, udp_socket()?, udp_socket()?);
    client.connect(server.local_addr()?)?;
    // The stranger is first, so that its datagram would be received first.
    stranger.send_to(b"stranger", client.local_addr()?)?;
    server.send_to(b"peer", client.local_addr()?)?;
    let mut buffer = [0; 16];
    let count = client.recv(&mut buffer)?;
    let others = count_datagrams(&client)?;
    let heard = buffer[..count].escape_ascii();
    judge!([case!(
        &buffer[..count] == b"peer" && others == 0,
        "heard \"{heard}\", and {others} other datagrams"
    )])
}

#[test]
fn a_udp_server_listens() -> Result<()> {
    let server = udp_socket()?;
    let listens = Socket::from(server.try_clone()?).listen(5);
    // It serves without.
    udp_socket()?.send_to(b"hello", server.local_addr()?)?;
    let served = server.recv(&mut [0; 16]);
    judge!([case!(
        listens.is_ok() || served.is_err(),
        "listen: {}, without it recv: {}",
        outcome(&listens),
        outcome(&served)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn a_datagram_holds_up_to_65535_bytes() -> Result<()> {
    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    let target = receiver.local_addr()?;
    let data = vec![b'x'; 65_535];
    let largest = sender.send_to(&data[..65_507], target);
    let full = sender.send_to(&data, target);
    let next = sender.send_to(&data[..65_508], target);
    judge!([case!(
        largest.is_err() || next.is_ok() || full.is_ok(),
        "65,507 bytes: {}, 65,508: {}, 65,535: {}",
        outcome(&largest),
        outcome(&next),
        outcome(&full)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn a_datagram_to_nobody_is_lost_in_silence() -> Result<()> {
    // This socket keeps the port, so that nobody else can take it. It hears
    // its peer only: for all others nobody is there.
    let (deaf, peer) = (udp_socket()?, udp_socket()?);
    deaf.connect(peer.local_addr()?)?;
    let nobody = deaf.local_addr()?;

    let unconnected = udp_socket()?;
    unconnected.send_to(b"hello", nobody)?;
    unconnected.set_read_timeout(Some(MOMENT))?;
    let silence = unconnected.recv(&mut [0; 16]);

    let connected = udp_socket()?;
    connected.connect(nobody)?;
    connected.send(b"hello")?;
    let told = connected.recv(&mut [0; 16]);

    let silent = |outcome: &std::io::Result<usize>| matches!(outcome, Err(error) if claims::lab::is_timeout(error));
    judge!([
        case!(silent(&silence), "unconnected: {}", outcome(&silence)),
        case!(silent(&told), "connected: {}", outcome(&told)),
    ])
}

#[test]
fn within_one_machine_udp_loses_nothing() -> Result<()> {
    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    Socket::from(receiver.try_clone()?).set_recv_buffer_size(8 << 10)?;
    let target = receiver.local_addr()?;
    let mut sent = 0;
    for _ in 0..200 {
        // The receiver is busy elsewhere for that long.
        sent += usize::from(sender.send_to(&[b'x'; 1000], target)? == 1000);
    }
    let arrived = count_datagrams(&receiver)?;
    judge!([case!(
        arrived == sent,
        "{sent} datagrams sent without an error, {arrived} received"
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn sock_rdm_is_a_reliable_udp() -> Result<()> {
    use socket2::{Domain, Type};

    // SOCK_RDM is 4 on Linux. socket2 has no name for it.
    let socket = Socket::new(Domain::IPV4, Type::from(4), None);
    judge!([case!(
        socket.is_ok(),
        "socket(AF_INET, SOCK_RDM): {}",
        outcome(&socket)
    )])
}

/// UDP and TCP in a race over the loopback, where nothing but the system
/// itself costs time.
#[cfg(target_os = "linux")]
mod race {
    use std::{
        io::{Read, Write},
        net::{TcpListener, UdpSocket},
        thread,
        time::{Duration, Instant},
    };

    use anyhow::Result;
    use claims::lab::{MOMENT, call, tcp_pair, udp_socket};

    /// What fits an Ethernet frame, with room for the headers.
    const DATAGRAM: usize = 1400;
    const BULK: usize = 16 << 20;

    // One thread plays both sides of a question. So the time is that of the
    // protocol, and not that of a scheduler which wakes the one and the other.

    /// One short question from a new socket, until the answer is here.
    pub fn udp_question(server: &UdpSocket) -> Result<Duration> {
        let start = Instant::now();
        let client = udp_socket()?;
        client.send_to(b"question", server.local_addr()?)?;
        let (_, sender) = server.recv_from(&mut [0; 64])?;
        server.send_to(b"answer", sender)?;
        client.recv(&mut [0; 64])?;
        Ok(start.elapsed())
    }

    /// The same question over TCP.
    pub fn tcp_question(server: &TcpListener) -> Result<Duration> {
        let start = Instant::now();
        let (mut client, mut accepted) = call(server)?;
        client.write_all(b"question")?;
        accepted.read_exact(&mut [0; 8])?;
        accepted.write_all(b"answer")?;
        client.read_exact(&mut [0; 6])?;
        Ok(start.elapsed())
    }

    /// Bytes per second that arrive when datagrams are sent as fast as can be.
    pub fn udp_bulk() -> Result<f64> {
        let (sender, receiver) = (udp_socket()?, udp_socket()?);
        let target = receiver.local_addr()?;
        receiver.set_read_timeout(Some(MOMENT))?;
        let start = Instant::now();
        let reader = thread::spawn(move || {
            let (mut bytes, mut last) = (0, start);
            // What was lost cannot be waited for, so silence is the end.
            while let Ok(count) = receiver.recv(&mut [0; DATAGRAM]) {
                bytes += count;
                last = Instant::now();
            }
            bytes as f64 / (last - start).as_secs_f64()
        });
        for _ in 0..BULK / DATAGRAM {
            sender.send_to(&[b'x'; DATAGRAM], target)?;
        }
        Ok(reader.join().expect("the reader ends"))
    }

    /// Bytes per second that arrive over TCP.
    pub fn tcp_bulk() -> Result<f64> {
        let (mut sender, mut receiver) = tcp_pair()?;
        let start = Instant::now();
        let reader = thread::spawn(move || -> std::io::Result<usize> {
            let (mut bytes, mut buffer) = (0, vec![0; 64 << 10]);
            loop {
                match receiver.read(&mut buffer)? {
                    0 => return Ok(bytes),
                    count => bytes += count,
                }
            }
        });
        sender.write_all(&vec![b'x'; BULK])?;
        drop(sender);
        let bytes = reader.join().expect("the reader ends")?;
        Ok(bytes as f64 / start.elapsed().as_secs_f64())
    }
}

#[cfg(target_os = "linux")]
#[test]
fn udp_is_faster() -> Result<()> {
    // A busy machine disturbs both sides alike when they run in turn, so pairs
    // are compared, and for the bulk the best of several runs.
    const PAIRS: usize = 500;
    let (udp, tcp) = (
        udp_socket()?,
        std::net::TcpListener::bind(claims::lab::any_port())?,
    );
    let mut wins = 0;
    for _ in 0..PAIRS {
        wins += usize::from(race::udp_question(&udp)? < race::tcp_question(&tcp)?);
    }
    let (mut udp_rate, mut tcp_rate) = (0.0, 0.0);
    for _ in 0..5 {
        udp_rate = race::udp_bulk()?.max(udp_rate);
        tcp_rate = race::tcp_bulk()?.max(tcp_rate);
    }
    judge!([
        case!(
            wins > PAIRS / 2,
            "one question on a new socket: UDP first in {wins} of {PAIRS}"
        ),
        case!(
            udp_rate > tcp_rate,
            "16 MiB: UDP {:.0} MB/s that arrived, TCP {:.0} MB/s",
            udp_rate / 1e6,
            tcp_rate / 1e6
        ),
    ])
}
