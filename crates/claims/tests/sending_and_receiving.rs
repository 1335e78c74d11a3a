//! Sending and receiving: what the two calls promise, and what a stream is.

use std::{
    io::{ErrorKind, Read, Write},
    mem::MaybeUninit,
    net::{TcpListener, TcpStream},
    thread,
};

use anyhow::{Result, ensure};
use claims::{
    case, judge,
    lab::{
        MOMENT, PATIENCE, any_port, nothing_comes, outcome, receive, tcp_pair, udp_socket, wait_for,
    },
};
use socket2::{Domain, Socket, Type};

/// More than [`narrow_pair`] can hold.
const MUCH: usize = 4 << 20;

/// A connection with small buffers at both ends, so that they are full soon.
fn narrow_pair() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_recv_buffer_size(16 << 10)?;
    listener.bind(&any_port().into())?;
    listener.listen(1)?;
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    client.set_send_buffer_size(16 << 10)?;
    client.connect(&listener.local_addr()?)?;
    let server: TcpStream = listener.accept()?.0.into();
    server.set_read_timeout(Some(PATIENCE))?;
    Ok((client.into(), server))
}

/// Bytes whose order can be checked: each differs from the one before.
fn pattern(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

/// Reads until the end of the stream, in a thread of its own.
fn read_all(mut stream: TcpStream) -> thread::JoinHandle<std::io::Result<Vec<u8>>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        Ok(all)
    })
}

#[test]
fn a_full_send_buffer_makes_send_lose_data() -> Result<()> {
    let (mut client, server) = narrow_pair()?;
    client.set_nonblocking(true)?;
    let data = pattern(MUCH);
    let mut taken = 0;
    let full = loop {
        match client.write(&data[taken..]) {
            Ok(count) => taken += count,
            Err(error) => break error,
        }
    };
    ensure!(full.kind() == ErrorKind::WouldBlock, "buffer full: {full}");

    // The sender knows how much was taken. Whether that much arrives is asked
    // only now, when the buffer was as full as can be.
    drop(client);
    let arrived = read_all(server).join().expect("the reader ends")?;
    judge!([case!(
        arrived != data[..taken],
        "send took {taken} of {MUCH} bytes and then said \"{full}\"; {} arrived",
        arrived.len()
    )])
}

#[test]
fn send_takes_only_a_part_when_the_buffer_is_full() -> Result<()> {
    let data = pattern(MUCH);

    let (mut client, server) = narrow_pair()?;
    let reader = read_all(server);
    let blocking = client.write(&data)?;
    drop(client);
    reader.join().expect("the reader ends")?;

    let (mut client, _server) = narrow_pair()?;
    client.set_nonblocking(true)?;
    let non_blocking = client.write(&data)?;

    let (mut client, _server) = narrow_pair()?;
    client.set_write_timeout(Some(MOMENT))?;
    let timed = client.write(&data)?;

    let part = |name, count| {
        case!(
            count < MUCH,
            "{name}: one send of {MUCH} bytes took {count}"
        )
    };
    judge!([
        part("blocking", blocking),
        part("non-blocking", non_blocking),
        part("with a timeout", timed),
    ])
}

/// Counts the sends that took something.
struct Counted<'a> {
    stream: &'a TcpStream,
    sends: usize,
}

impl Write for Counted<'_> {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        let count = self.stream.write(data)?;
        self.sends += 1;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn sendall_loops() -> Result<()> {
    let data = pattern(MUCH);

    let (client, server) = narrow_pair()?;
    let reader = read_all(server);
    let mut blocking = Counted {
        stream: &client,
        sends: 0,
    };
    blocking.write_all(&data)?;
    let once = blocking.sends;
    drop(client);
    ensure!(reader.join().expect("the reader ends")?.len() == MUCH);

    // Non-blocking, whoever wants all to be sent has to come back. Here the
    // same thread makes room by reading at the other end.
    let (client, mut server) = narrow_pair()?;
    client.set_nonblocking(true)?;
    server.set_nonblocking(true)?;
    let mut non_blocking = Counted {
        stream: &client,
        sends: 0,
    };
    let mut sent = 0;
    let mut room = vec![0; 64 << 10];
    wait_for("all bytes taken", || {
        loop {
            match non_blocking.write(&data[sent..]) {
                Ok(0) | Err(_) => break,
                Ok(count) => sent += count,
            }
        }
        while server.read(&mut room).is_ok() {}
        (sent == MUCH).then_some(())
    })?;

    let loops = |name, sends| case!(sends > 1, "{name}: {MUCH} bytes in {sends} send(s)");
    judge!([
        loops("blocking", once),
        loops("non-blocking", non_blocking.sends),
    ])
}

/// What a receiver gets that is late: both words are there before it reads.
fn after_two_words(client: &mut TcpStream, server: &TcpStream) -> std::io::Result<Vec<u8>> {
    client.write_all(b"hello")?;
    client.write_all(b"world")?;
    wait_for("ten bytes", || {
        (server.peek(&mut [0; 10]).ok()? == 10).then_some(())
    })?;
    receive(server)
}

#[test]
fn one_send_is_one_receive() -> Result<()> {
    let (mut client, server) = tcp_pair()?;
    let stream = after_two_words(&mut client, &server)?;

    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    let target = receiver.local_addr()?;
    sender.send_to(b"hello", target)?;
    sender.send_to(b"world", target)?;
    let mut buffer = [0; 1024];
    let count = receiver.recv(&mut buffer)?;

    judge!([
        case!(
            stream == b"hello",
            "TCP, first receive: {}",
            stream.escape_ascii()
        ),
        case!(
            &buffer[..count] == b"hello",
            "UDP, first receive: {}",
            buffer[..count].escape_ascii()
        ),
    ])
}

#[test]
fn nagle_makes_packets_sticky() -> Result<()> {
    let (mut client, server) = tcp_pair()?;
    // Without Nagle's algorithm each send leaves at once, in a segment of its
    // own. If the algorithm were the cause, the words would now stay apart.
    client.set_nodelay(true)?;
    let received = after_two_words(&mut client, &server)?;
    judge!([case!(
        received == b"hello",
        "with TCP_NODELAY, one receive: {}",
        received.escape_ascii()
    )])
}

#[test]
fn send_having_returned_means_the_peer_has_the_data() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.set_read_timeout(Some(PATIENCE))?;
    let sent = client.write(b"hello");
    // No program has accepted this call, let alone read from it, and none will.
    // The reset says that the kernel threw the data away.
    drop(listener);
    let after = receive(&client);
    let thrown_away = matches!(&after, Err(error) if error.kind() == ErrorKind::ConnectionReset);
    judge!([case!(
        sent.is_err() || !thrown_away,
        "send: {}; the server never accepted; then recv: {}",
        outcome(&sent),
        outcome(&after)
    )])
}

#[test]
fn send_returns_the_number_of_characters() -> Result<()> {
    let (mut client, _server) = tcp_pair()?;
    let text = "你好";
    let taken = client.write(text.as_bytes())?;
    let characters = text.chars().count();
    judge!([case!(
        taken == characters,
        "{characters} characters, send returned {taken}"
    )])
}

#[test]
fn recv_waits_until_its_buffer_is_full() -> Result<()> {
    let (mut client, mut server) = tcp_pair()?;
    client.write_all(b"hello")?;
    let mut buffer = [0; 1024];
    let received = server.read(&mut buffer);
    // The client is still there and could send more.
    drop(client);
    judge!([case!(
        !matches!(received, Ok(5)),
        "5 bytes sent, recv(1024): {received:?}"
    )])
}

#[test]
fn recv_leaves_the_rest_of_a_longer_message_for_later() -> Result<()> {
    let message = pattern(1500);

    let (mut client, mut server) = tcp_pair()?;
    client.write_all(&message)?;
    let mut start = [0; 1024];
    server.read_exact(&mut start)?;
    let rest = receive(&server)?;

    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    sender.send_to(&message, receiver.local_addr()?)?;
    // Windows reports the cut as an error; the rest is gone there, too.
    let first = receiver.recv(&mut start);
    receiver.set_nonblocking(true)?;
    let second = receiver.recv(&mut start);

    judge!([
        case!(
            rest == message[1024..],
            "TCP: 1024 bytes, then {}",
            rest.len()
        ),
        case!(second.is_ok(), "UDP: {first:?}, then {}", outcome(&second)),
    ])
}

#[test]
fn an_empty_message_ends_a_connection() -> Result<()> {
    let (mut client, server) = tcp_pair()?;
    ensure!(client.write(b"")? == 0);
    let silence = nothing_comes(&server)?;
    client.write_all(b"hello")?;
    let stream = receive(&server)?;

    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    for message in [&b""[..], b"hello"] {
        sender.send_to(message, receiver.local_addr()?)?;
    }
    let mut buffer = [0; 16];
    let lengths = (receiver.recv(&mut buffer)?, receiver.recv(&mut buffer)?);

    judge!([
        case!(
            !silence || stream != b"hello",
            "TCP: after an empty send nothing came: {silence}; then \"{}\"",
            stream.escape_ascii()
        ),
        case!(
            lengths != (0, 5),
            "UDP: datagrams of {lengths:?} bytes came"
        ),
    ])
}

#[test]
fn recv_is_for_tcp_and_recvfrom_for_udp() -> Result<()> {
    let (mut client, server) = tcp_pair()?;
    client.write_all(b"hello")?;
    let (count, _) = Socket::from(server).recv_from(&mut [MaybeUninit::uninit(); 16])?;

    // A UDP socket without connect, and the receive that names no sender.
    let (sender, receiver) = (udp_socket()?, udp_socket()?);
    sender.send_to(b"hello", receiver.local_addr()?)?;
    let datagram = receiver.recv(&mut [0; 16])?;

    judge!([
        case!(count != 5, "recvfrom on TCP: {count} bytes"),
        case!(datagram != 5, "recv on UDP: {datagram} bytes"),
    ])
}

#[cfg(target_os = "linux")]
#[test]
fn tcp_is_a_best_effort_protocol() -> Result<()> {
    use claims::lab::{SYN_SENT, accept, bound_socket, full_listener, wait_for_state};
    use std::sync::mpsc;

    // A loss that needs no privilege: the SYN meets a full queue and is dropped.
    let (listener, _first) = full_listener()?;
    let target = listener.local_addr()?;
    let (client, local) = bound_socket()?;
    let (tell, connected) = mpsc::channel();
    thread::spawn(move || {
        let attempt = client.connect_timeout(&target.into(), PATIENCE);
        tell.send(attempt.map(|()| client))
    });
    wait_for_state(local, target, SYN_SENT)?;
    ensure!(connected.recv_timeout(MOMENT).is_err(), "the SYN was lost");

    // There is room again, and nobody calls connect a second time.
    listener.accept()?;
    let client = connected.recv_timeout(PATIENCE)?;
    let words = match &client {
        Ok(client) => {
            client.send(b"hello")?;
            receive(&accept(&listener)?)?
        }
        Err(_) => Vec::new(),
    };
    judge!([case!(
        words != b"hello",
        "the first SYN was dropped; connect: {}, then received: \"{}\"",
        outcome(&client),
        words.escape_ascii()
    )])
}
