//! Closing: how the other side learns of it, and what stays behind on the port.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use anyhow::{Result, ensure};
use claims::{
    case, judge,
    lab::{outcome, receive, tcp_pair, wait_for},
};
use socket2::Socket;

/// What a receive tells about the end of a conversation.
fn farewell(stream: &TcpStream) -> &'static str {
    match receive(stream) {
        Ok(data) if data.is_empty() => "EOF",
        Ok(_) => "data",
        Err(error) if error.kind() == ErrorKind::ConnectionReset => "reset",
        Err(_) => "another error",
    }
}

#[test]
fn linux_says_empty_data_and_windows_says_reset() -> Result<()> {
    // Both on one and the same system.
    let (client, server) = tcp_pair()?;
    drop(client);
    let orderly = farewell(&server);

    let (client, server) = tcp_pair()?;
    // A linger time of zero turns the close into a reset.
    let client = Socket::from(client);
    client.set_linger(Some(Duration::ZERO))?;
    drop(client);
    let abrupt = farewell(&server);

    judge!([case!(
        orderly == abrupt,
        "after an orderly close: {orderly}, after an abortive one: {abrupt}"
    )])
}

#[test]
fn after_the_peer_closed_the_first_write_succeeds() -> Result<()> {
    let (client, mut server) = tcp_pair()?;
    drop(client);
    ensure!(farewell(&server) == "EOF", "the close has arrived");

    let first = server.write(b"still there?");
    // That write is answered by a reset. As soon as it is here, a write fails.
    let later = wait_for("a write that fails", || server.write(b"hello?").err())?;

    judge!([case!(
        first.is_ok(),
        "first write: {}, a later one: {later}",
        outcome(&first)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn closing_with_unread_data_resets_the_connection() -> Result<()> {
    let (client, mut server) = tcp_pair()?;
    server.write_all(b"unread")?;
    // It has arrived and is not read: the client only looks at it.
    client.peek(&mut [0; 6])?;
    drop(client);
    let end = farewell(&server);
    judge!([case!(end == "reset", "the other side sees: {end}")])
}

#[test]
fn closing_at_once_loses_what_was_sent() -> Result<()> {
    let (mut client, mut server) = tcp_pair()?;
    // As much as the kernel takes without the peer reading anything.
    client.set_nonblocking(true)?;
    let block = [b'x'; 64 << 10];
    let mut sent = 0;
    while let Ok(count) = client.write(&block) {
        sent += count;
    }
    drop(client);
    let mut arrived = Vec::new();
    let end = server.read_to_end(&mut arrived);
    judge!([case!(
        arrived.len() < sent,
        "{sent} bytes sent, then closed; {} arrived, {}",
        arrived.len(),
        outcome(&end)
    )])
}

#[test]
fn after_eof_nothing_can_be_sent_to_the_peer() -> Result<()> {
    let (mut client, mut server) = tcp_pair()?;
    client.write_all(b"question")?;
    // The client has said all it had to say, and still listens.
    client.shutdown(Shutdown::Write)?;
    let mut question = Vec::new();
    server.read_to_end(&mut question)?;
    server.write_all(b"answer")?;
    let answer = receive(&client);
    judge!([case!(
        !matches!(&answer, Ok(data) if data == b"answer"),
        "sent after EOF, received: {}",
        outcome(&answer)
    )])
}

#[test]
fn after_the_peer_left_recv_returns_empty_data_again_and_again() -> Result<()> {
    let (client, server) = tcp_pair()?;
    drop(client);
    let ends: Vec<&str> = (0..1000).map(|_| farewell(&server)).collect();
    let same = ends.iter().all(|end| *end == "EOF");
    judge!([case!(
        same,
        "1000 receives, the first: {}, all alike: {same}",
        ends[0]
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_program_leaves_its_peer_without_an_end() -> Result<()> {
    let killed = |unread: &[u8]| -> Result<_> {
        let (client, mut server) = tcp_pair()?;
        server.write_all(unread)?;
        if !unread.is_empty() {
            // It has arrived and is not read.
            client.peek(&mut [0])?;
        }
        claims::lab::Keeper::of(client, None)?.kill()?;
        // A peer that knows nothing would wait, until the receive gives up.
        Ok(farewell(&server))
    };
    let (idle, behind) = (killed(b"")?, killed(b"unread")?);
    judge!([
        case!(idle != "EOF", "after SIGKILL the server sees: {idle}"),
        case!(
            behind != "reset",
            "after SIGKILL with something unread: {behind}"
        ),
    ])
}

/// The port after a conversation: who is in the way, and who comes back. All of
/// it is about TIME-WAIT as Linux keeps it.
#[cfg(target_os = "linux")]
mod restart {
    use std::{
        io,
        net::{SocketAddr, TcpStream},
    };

    use anyhow::Result;
    use claims::{
        Case, case,
        lab::{
            Keeper, TIME_WAIT, address_of, no_child_is_born, outcome, own_address, receive, states,
            wait_for,
        },
    };
    use socket2::{Domain, Socket, Type};

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum Closer {
        Server,
        Client,
    }

    /// A server's first three steps, with or without SO_REUSEADDR. std is not
    /// asked, because it sets the option on its own.
    pub fn start(address: SocketAddr, reuse: bool) -> io::Result<Socket> {
        let server = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        server.set_reuse_address(reuse)?;
        server.bind(&address.into())?;
        server.listen(5)?;
        Ok(server)
    }

    /// Which ends of a connection are in TIME-WAIT: the server's, the client's.
    pub fn in_time_wait(server: SocketAddr, client: SocketAddr) -> io::Result<[bool; 2]> {
        let states = states(server, client)?;
        Ok(states.map(|state| state.as_deref() == Some(TIME_WAIT)))
    }

    /// A server serves one client and ends. Returns the addresses of both, when
    /// nothing is left of either but what is in TIME-WAIT.
    pub fn first_run(reuse: bool, closer: Closer) -> Result<(SocketAddr, SocketAddr)> {
        let server = start((own_address(), 0).into(), reuse)?;
        let address = address_of(&server)?;
        let client = TcpStream::connect(address)?;
        let client_address = client.local_addr()?;
        let accepted: TcpStream = server.accept()?.0.into();
        let (first, second) = match closer {
            Closer::Server => (accepted, client),
            Closer::Client => (client, accepted),
        };
        drop(first);
        // The end of the stream shows that the first close has arrived.
        receive(&second)?;
        drop(second);
        drop(server);
        wait_for("TIME-WAIT", || {
            let left = states(address, client_address).ok()?.into_iter().flatten();
            let left: Vec<String> = left.collect();
            let settled = left.iter().all(|state| state == TIME_WAIT);
            (settled && !left.is_empty()).then_some(())
        })?;
        Ok((address, client_address))
    }

    /// Whether a second run gets the port of the first.
    pub fn second_run(first: bool, restart: bool, closer: Closer) -> Result<(bool, String)> {
        let _guard = no_child_is_born();
        let (address, _) = first_run(first, closer)?;
        let again = start(address, restart);
        let with = |reuse| if reuse { "with" } else { "without" };
        let who = match closer {
            Closer::Server => "server",
            Closer::Client => "client",
        };
        Ok((
            again.is_ok(),
            format!(
                "{who} closed first, first run {}, restart {} SO_REUSEADDR: {}",
                with(first),
                with(restart),
                outcome(&again)
            ),
        ))
    }

    /// A server is killed, with or without a client on the line; a new one
    /// wants its port. The case holds when it gets it.
    pub fn after_a_kill(with_a_client: bool) -> Result<Case> {
        let server = start((own_address(), 0).into(), false)?;
        let address = address_of(&server)?;
        let client = with_a_client
            .then(|| TcpStream::connect(address))
            .transpose()?;
        let accepted = match &client {
            Some(_) => Some(server.accept()?.0.into()),
            None => None,
        };
        // From here on, the server's sockets belong to another process alone.
        Keeper::of(server, accepted)?.kill()?;
        if let Some(client) = client {
            // It sees the end and closes too, as every client does.
            receive(&client)?;
        }
        let again = start(address, false);
        let who = if with_a_client { "one" } else { "no" };
        Ok(case!(
            again.is_ok(),
            "killed with {who} client, new start: {}",
            outcome(&again)
        ))
    }
}

#[cfg(target_os = "linux")]
#[test]
fn time_wait_belongs_to_whoever_closes_first() -> Result<()> {
    use restart::{Closer, first_run, in_time_wait};

    let (server, client) = first_run(false, Closer::Server)?;
    let of_server = in_time_wait(server, client)?;
    let (server, client) = first_run(false, Closer::Client)?;
    let of_client = in_time_wait(server, client)?;
    let seen = |who, [server, client]: [bool; 2]| {
        format!("{who} closed first: TIME-WAIT at the server {server}, at the client {client}")
    };
    judge!([
        case(of_server == [true, false], seen("server", of_server)),
        case(of_client == [false, true], seen("client", of_client)),
    ])
}

#[cfg(target_os = "linux")]
#[test]
fn a_restarted_server_finds_its_port_in_use() -> Result<()> {
    use restart::{Closer, second_run};

    let cases = [Closer::Server, Closer::Client]
        .map(|closer| second_run(false, false, closer))
        .into_iter()
        .map(|run| run.map(|(started, seen)| case(!started, seen)))
        .collect::<Result<Vec<_>>>()?;
    judge!(cases)
}

#[cfg(target_os = "linux")]
#[test]
fn so_reuseaddr_alone_frees_the_port() -> Result<()> {
    use restart::{Closer, second_run};

    // The server closes first in all of them: otherwise nothing is in the way.
    let with = |first| second_run(first, true, Closer::Server);
    let cases = [with(false)?, with(true)?].map(|(started, seen)| case(started, seen));
    judge!(cases)
}

#[cfg(target_os = "linux")]
#[test]
fn killing_the_process_frees_the_port() -> Result<()> {
    judge!([restart::after_a_kill(false)?, restart::after_a_kill(true)?])
}
