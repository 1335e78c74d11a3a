//! Listening and accepting: what a backlog limits, who waits where, and what
//! becomes of a call that finds nobody.

use std::{
    io::{ErrorKind, Write},
    mem::MaybeUninit,
    net::{TcpListener, TcpStream},
};

use anyhow::Result;
use claims::{
    case, judge,
    lab::{PATIENCE, accept, any_port, bound_socket, call, outcome, receive},
};
use socket2::{Domain, Socket, Type};

/// A server's socket with this backlog. std chooses the backlog itself.
fn listening(backlog: i32) -> std::io::Result<TcpListener> {
    let (socket, _) = bound_socket()?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

#[test]
fn accept_gives_a_new_port() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let (_client, accepted) = call(&listener)?;
    let (listens_at, talks_at) = (listener.local_addr()?, accepted.local_addr()?);
    judge!([case!(
        talks_at.port() != listens_at.port(),
        "the listener is at {listens_at}, the accepted socket at {talks_at}"
    )])
}

#[test]
fn listen_limits_clients() -> Result<()> {
    let listener = listening(1)?;
    let mut calls: Vec<_> = (0..10)
        .map(|_| call(&listener))
        .collect::<std::io::Result<_>>()?;
    // All ten are open now. Each says a word and is heard.
    let mut served = 0;
    for (client, server) in &mut calls {
        client.write_all(b"hello")?;
        served += usize::from(receive(server)? == b"hello");
    }
    judge!([case!(
        served < 10,
        "listen(1), and {served} of 10 clients talk at the same time"
    )])
}

#[test]
fn the_backlog_is_at_least_1() -> Result<()> {
    let listener = listening(0);
    let client = match &listener {
        Ok(listener) => TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE),
        Err(_) => Err(ErrorKind::NotConnected.into()),
    };
    judge!([case!(
        listener.is_err() || client.is_err(),
        "listen(0): {}, connect: {}",
        outcome(&listener),
        outcome(&client)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn n_plus_1_connections_complete_and_the_next_waits() -> Result<()> {
    use claims::lab::{MOMENT, SYN_SENT, wait_for_state};
    use std::{sync::mpsc, thread};

    const N: usize = 2;
    let listener = listening(N as i32)?;
    let target = listener.local_addr()?;

    // Nobody accepts.
    let completed: Vec<TcpStream> = (0..=N)
        .map(|_| TcpStream::connect_timeout(&target, PATIENCE))
        .collect::<std::io::Result<_>>()?;

    // The next client is bound, so that it can be found among all sockets.
    let (next, local) = bound_socket()?;
    let (tell, ended) = mpsc::channel();
    thread::spawn(move || tell.send(next.connect_timeout(&target.into(), PATIENCE)));
    let waits = wait_for_state(local, target, SYN_SENT);
    let within_a_moment = ended.recv_timeout(MOMENT);

    // A place in the queue becomes free. The kernel repeats the SYN after a
    // second, and the call goes through: it was neither refused nor lost.
    listener.accept()?;
    let in_the_end = ended.recv_timeout(PATIENCE)?;

    judge!([
        case!(
            completed.len() == N + 1,
            "listen({N}): {} connections completed",
            completed.len()
        ),
        case!(
            waits.is_ok() && within_a_moment.is_err(),
            "the next stays in SYN-SENT: {}",
            outcome(&waits)
        ),
        case!(
            in_the_end.is_ok(),
            "after one accept it ended with: {}",
            outcome(&in_the_end)
        ),
    ])
}

#[test]
fn connect_waits_for_accept() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    // accept is not called before all this is done.
    let mut client = TcpStream::connect_timeout(&listener.local_addr()?, PATIENCE)?;
    let sent = client.write_all(b"hello");
    let server = accept(&listener)?;
    let heard = receive(&server)? == b"hello";
    judge!([case!(
        !heard,
        "connect returned before accept, send: {}",
        outcome(&sent)
    )])
}

#[test]
fn the_listening_socket_carries_no_data() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.write_all(b"hello")?;
    // Of the same kernel object, seen as a socket that might receive.
    let from_listener = Socket::from(listener.try_clone()?).recv(&mut [MaybeUninit::uninit(); 16]);
    let server = accept(&listener)?;
    let from_accepted = receive(&server)?;
    let refused = matches!(&from_listener, Err(error) if error.kind() == ErrorKind::NotConnected);
    judge!([case!(
        refused && from_accepted == b"hello",
        "recv on the listener: {}, on the accepted socket: {} bytes",
        outcome(&from_listener),
        from_accepted.len()
    )])
}

#[test]
fn closing_the_listener_ends_the_calls() -> Result<()> {
    let listener = TcpListener::bind(any_port())?;
    let (mut client, mut server) = call(&listener)?;
    drop(listener);
    client.write_all(b"question")?;
    let question = receive(&server);
    server.write_all(b"answer")?;
    let answer = receive(&client);
    judge!([case!(
        question.is_err() || answer.is_err(),
        "after the listener was closed, question: {}, answer: {}",
        outcome(&question),
        outcome(&answer)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn connect_waits_forever_if_the_server_is_away() -> Result<()> {
    use claims::lab::full_listener;
    use std::{thread, time::Duration};

    let (_away, away_at) = bound_socket()?;

    // To the client, a SYN that a full queue drops is like one that a firewall
    // drops.
    let (full, _first) = full_listener()?;

    let targets = [
        ("a port where nobody listens", away_at),
        ("an address without a way", "127.255.255.255:9".parse()?),
        ("a full queue", full.local_addr()?),
    ];
    let attempts = targets.map(|(name, target)| {
        thread::spawn(move || -> Result<_> {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            // Left alone, the kernel gives up after more than two minutes. It
            // takes a shorter limit, and ends at the next repetition of the SYN.
            client.set_tcp_user_timeout(Some(Duration::from_millis(500)))?;
            let attempt = client.connect_timeout(&target.into(), PATIENCE);
            // An error of the kernel has a number; our own patience has none.
            let ended = match &attempt {
                Ok(()) => true,
                Err(error) => error.raw_os_error().is_some(),
            };
            Ok(case!(!ended, "{name}: {}", outcome(&attempt)))
        })
    });
    let mut cases = Vec::new();
    for attempt in attempts {
        cases.push(attempt.join().expect("the attempt does not panic")?);
    }
    judge!(cases)
}
