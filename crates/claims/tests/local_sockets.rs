//! Local sockets: AF_UNIX, for programs on one machine.

#![cfg(unix)]

use std::{
    fs,
    io::Write,
    os::unix::net::{UnixListener, UnixStream},
};

use anyhow::Result;
use claims::{case, judge, lab::outcome};
use tempfile::tempdir;

#[test]
fn af_unix_exchanges_data_through_the_file_system() -> Result<()> {
    use std::io::Read;

    let folder = tempdir()?;
    let path = folder.path().join("server");
    let listener = UnixListener::bind(&path)?;
    let mut client = UnixStream::connect(&path)?;
    let (mut server, _) = listener.accept()?;

    // The data is on its way: sent, not yet received.
    client.write_all(&[b'x'; 1000])?;
    let size = fs::metadata(&path)?.len();
    // The name is gone from the file system, and with it all that one could open.
    fs::remove_file(&path)?;
    client.write_all(b"hello")?;
    let received = server.read_exact(&mut [0; 1005]);

    judge!([
        case!(
            size > 0,
            "1000 bytes on their way, size of the file: {size}"
        ),
        case!(
            received.is_err(),
            "file removed, the talk goes on: {}",
            outcome(&received)
        ),
    ])
}

#[test]
fn a_local_socket_needs_a_path() -> Result<()> {
    use std::io::Read;

    let (mut one, mut other) = UnixStream::pair()?;
    one.write_all(b"hello")?;
    let received = other.read_exact(&mut [0; 5]);
    let named = one.local_addr()?.as_pathname().is_some();
    judge!([case!(
        named || received.is_err(),
        "a pair with a path: {named}, recv: {}",
        outcome(&received)
    )])
}

#[test]
fn the_socket_file_goes_with_the_server() -> Result<()> {
    let folder = tempdir()?;
    let path = folder.path().join("server");
    drop(UnixListener::bind(&path)?);
    let is_there = path.exists();
    let again = UnixListener::bind(&path);
    judge!([case!(
        !is_there && again.is_ok(),
        "server closed, file there: {is_there}, bind again: {}",
        outcome(&again)
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn local_datagrams_get_lost_as_those_of_udp_do() -> Result<()> {
    use std::os::unix::net::UnixDatagram;

    let (sender, receiver) = UnixDatagram::pair()?;
    sender.set_nonblocking(true)?;
    receiver.set_nonblocking(true)?;
    // The receiver is slow. The sender is told so, instead of losing datagrams.
    let mut sent = 0;
    let full = loop {
        match sender.send(&[b'x'; 1000]) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    let arrived = std::iter::from_fn(|| receiver.recv(&mut [0; 1000]).ok()).count();
    judge!([case!(
        arrived < sent,
        "{sent} sent, then \"{full}\"; {arrived} arrived"
    )])
}

#[cfg(target_os = "linux")]
#[test]
fn sock_seqpacket_is_obsolete() -> Result<()> {
    use std::mem::MaybeUninit;

    use socket2::{Domain, SockAddr, Socket, Type};

    let folder = tempdir()?;
    let path = SockAddr::unix(folder.path().join("server"))?;
    let open = || Socket::new(Domain::UNIX, Type::SEQPACKET, None);
    // It has what TCP has, connections, and what UDP has, boundaries.
    let talk = || -> std::io::Result<(usize, usize)> {
        let listener = open()?;
        listener.bind(&path)?;
        listener.listen(5)?;
        let client = open()?;
        client.connect(&path)?;
        let (server, _) = listener.accept()?;
        client.send(b"good")?;
        client.send(b"morning")?;
        let mut space = [MaybeUninit::uninit(); 64];
        Ok((server.recv(&mut space)?, server.recv(&mut space)?))
    };
    let received = talk();
    judge!([case!(
        !matches!(received, Ok((4, 7))),
        "4 and 7 bytes sent, received one by one: {received:?}"
    )])
}
