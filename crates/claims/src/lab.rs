//! What the experiments share: pairs of sockets, addresses, and ways to wait.
//!
//! Nothing here sleeps for a guessed time. An event is waited for, with a
//! deadline; that something does *not* happen is watched for a [`MOMENT`].

use std::{
    io::{self, ErrorKind, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::atomic::{AtomicU8, Ordering},
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Socket, Type};

/// How long an event may take that must come. It only ends experiments that
/// have gone wrong, so it can be generous to a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long we watch to say that something stays as it is.
pub const MOMENT: Duration = Duration::from_millis(100);

/// 127.0.0.1, on a port of the system's choice.
pub fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// A loopback address that no other experiment uses, so that a port on it can
/// be left and taken again. Linux has the whole of 127.0.0.0/8; elsewhere it is
/// 127.0.0.1.
pub fn own_address() -> IpAddr {
    static NEXT: AtomicU8 = AtomicU8::new(100);
    if !cfg!(target_os = "linux") {
        return Ipv4Addr::LOCALHOST.into();
    }
    // The process id keeps two runs of the same tests apart.
    let [low, high, ..] = std::process::id().to_le_bytes();
    Ipv4Addr::new(127, NEXT.fetch_add(1, Ordering::Relaxed), high, low).into()
}

/// The two ends of a TCP connection, the client's first. Reading and writing on
/// either gives up after [`PATIENCE`].
pub fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    call(&TcpListener::bind(any_port())?)
}

/// A client's call of this listener, accepted: the client's end first.
pub fn call(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    Ok((client, accept(listener)?))
}

/// The next call of this listener. Reading and writing give up after
/// [`PATIENCE`].
pub fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (server, _) = listener.accept()?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.set_write_timeout(Some(PATIENCE))?;
    Ok(server)
}

/// A UDP socket on 127.0.0.1 that gives up receiving after [`PATIENCE`].
pub fn udp_socket() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(any_port())?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// A TCP socket on 127.0.0.1 that is bound and does nothing yet, and its address.
pub fn bound_socket() -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&any_port().into())?;
    let address = address_of(&socket)?;
    Ok((socket, address))
}

/// The address to which a socket is bound.
pub fn address_of(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::other("not an IP address"))
}

/// One receive of up to 1,024 bytes.
pub fn receive(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer)?;
    Ok(buffer[..count].to_vec())
}

/// Whether a receive is still waiting after a [`MOMENT`]. End of stream, a
/// reset, and data all end the waiting.
pub fn nothing_comes(stream: &TcpStream) -> io::Result<bool> {
    let before = stream.read_timeout()?;
    stream.set_read_timeout(Some(MOMENT))?;
    let outcome = stream.peek(&mut [0]);
    stream.set_read_timeout(before)?;
    match outcome {
        Ok(_) => Ok(false),
        Err(error) if is_timeout(&error) => Ok(true),
        Err(_) => Ok(false),
    }
}

/// Whether the error says that a timeout passed. Unix and Windows report it
/// differently.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Looks every millisecond until `look` sees something. It is for what the
/// kernel shows but does not announce.
///
/// # Errors
///
/// When [`PATIENCE`] is over. The error names `what` was waited for.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> io::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            let message = format!("waited {PATIENCE:?} in vain: {what}");
            return Err(io::Error::new(ErrorKind::TimedOut, message));
        }
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// What an attempt came to, in words: `ok` or the error.
pub fn outcome<T>(attempt: &io::Result<T>) -> String {
    match attempt {
        Ok(_) => "ok".into(),
        Err(error) => error.to_string(),
    }
}

#[cfg(unix)]
pub use unix::*;

#[cfg(unix)]
mod unix {
    use std::{
        fs, io,
        os::fd::OwnedFd,
        process::{Child, Command, Stdio},
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use super::wait_for;

    static SPAWNING: Mutex<()> = Mutex::new(());

    /// While the guard lives, no [`Keeper`] is started.
    ///
    /// A child has copies of all descriptors of this process for the moment
    /// between its birth and its program. An experiment that closes a socket and
    /// then takes its port again must not run into such a copy.
    pub fn no_child_is_born() -> MutexGuard<'static, ()> {
        SPAWNING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another process that has sockets and does nothing with them. It ends at
    /// the latest when this value is dropped.
    ///
    /// It is `cat`, waiting for an input that never comes. The sockets are its
    /// standard output and error, so it needs no code that would inherit them.
    pub struct Keeper(Child);

    impl Keeper {
        /// Starts the process and gives the sockets away: what this process
        /// does not hold by another descriptor is then the keeper's alone.
        pub fn of(socket: impl Into<OwnedFd>, another: Option<OwnedFd>) -> io::Result<Self> {
            // Until here no other child has a copy of these sockets, and after
            // this statement this process has none either.
            let _guard = no_child_is_born();
            let child = Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(socket.into())
                .stderr(another.map_or_else(Stdio::null, Stdio::from))
                .spawn()?;
            is_born(&child)?;
            Ok(Keeper(child))
        }

        /// Kills the process (SIGKILL) and waits until it is gone.
        pub fn kill(&mut self) -> io::Result<()> {
            self.0.kill()?;
            self.0.wait().map(drop)
        }
    }

    /// The parent may run on a moment before exec(2) has closed the child's copies.
    /// The program has its name only afterwards. Where there is no /proc, we
    /// cannot wait for it.
    fn is_born(child: &Child) -> io::Result<()> {
        let name = format!("/proc/{}/comm", child.id());
        wait_for("the name of a new program", || {
            let name = fs::read_to_string(&name);
            name.map_or(true, |name| name == "cat\n").then_some(())
        })
    }

    impl Drop for Keeper {
        fn drop(&mut self) {
            // Its death is wanted; a keeper that is dead already is fine.
            let _ = self.kill();
        }
    }
}

#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs, io,
        net::{SocketAddr, TcpListener, TcpStream},
    };

    use super::{bound_socket, wait_for};

    /// State of a connection that the client waits for.
    pub const SYN_SENT: &str = "02";
    /// State of the end that closed first, for a minute.
    pub const TIME_WAIT: &str = "06";

    /// A listener whose queue is full, and the connection that fills it. Its
    /// kernel drops the SYN of every further call without a word.
    pub fn full_listener() -> io::Result<(TcpListener, TcpStream)> {
        let (socket, _) = bound_socket()?;
        socket.listen(0)?;
        let listener = TcpListener::from(socket);
        let first = TcpStream::connect(listener.local_addr()?)?;
        Ok((listener, first))
    }

    /// Waits until one end of a connection is in this state.
    pub fn wait_for_state(local: SocketAddr, remote: SocketAddr, state: &str) -> io::Result<()> {
        wait_for("a state of TCP", || {
            let [here, _] = states(local, remote).ok()?;
            (here.as_deref() == Some(state)).then_some(())
        })
    }

    /// The states of both ends of a connection, as the kernel's numbers in
    /// hexadecimal digits; None for an end that is gone.
    pub fn states(one: SocketAddr, other: SocketAddr) -> io::Result<[Option<String>; 2]> {
        let table = fs::read_to_string("/proc/net/tcp")?;
        // One address is not enough: the kernel gives a client's port to several
        // connections, as long as they lead to different servers.
        let of_end = |local, remote| {
            let mut ends = table.lines().filter_map(end);
            ends.find(|(from, to, _)| (*from, *to) == (local, remote))
        };
        let ends = [of_end(one, other), of_end(other, one)];
        Ok(ends.map(|end| end.map(|(.., state)| state.to_string())))
    }

    /// A line of the table: the socket's own address, its peer's, and its state.
    fn end(line: &str) -> Option<(SocketAddr, SocketAddr, &str)> {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
        Some((local, remote, fields.next()?))
    }

    /// The kernel prints the four bytes of the address as one number in the
    /// order of this machine, and the port as a number.
    fn address(field: &str) -> Option<SocketAddr> {
        let (ip, port) = field.split_once(':')?;
        let ip = u32::from_str_radix(ip, 16).ok()?.to_ne_bytes();
        let port = u16::from_str_radix(port, 16).ok()?;
        Some((ip, port).into())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_of_proc_net_tcp_is_read() {
            let ip = u32::from_ne_bytes([127, 0, 0, 1]);
            let line = format!(
                "   3: {ip:08X}:1F90 {ip:08X}:C350 06 00000000:00000000 03:000014FF 00000002     0        0 0 3 0"
            );
            let [local, remote] = ["127.0.0.1:8080", "127.0.0.1:50000"];
            let expected = (local.parse().unwrap(), remote.parse().unwrap(), TIME_WAIT);
            assert_eq!(end(&line), Some(expected));
        }
    }
}
