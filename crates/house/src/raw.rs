//! Raw TCP sockets that take the other side of a lesson's program in a test. They
//! wait with a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

/// How long an event may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long a test watches to say that something does not come.
pub const MOMENT: Duration = Duration::from_millis(150);

/// Calls this address.
///
/// # Panics
/// When nobody takes the call.
pub fn call(addr: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(addr).expect("connect"))
}

/// A listener for a client to call, and where it is.
///
/// # Panics
/// When the system has no port left.
pub fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let addr = listener.local_addr().expect("getsockname");
    (listener, addr)
}

/// Takes the next call.
///
/// # Panics
/// When accept fails.
pub fn accept(listener: &TcpListener) -> TcpStream {
    patient(listener.accept().expect("accept").0)
}

/// A port that nobody listens on, and that is ours until the test program ends.
///
/// # Panics
/// When the system has no port left.
pub fn closed_port() -> SocketAddr {
    // A socket that is bound and does not listen keeps the port closed.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).expect("bind");
    let addr = socket.local_addr().expect("getsockname");
    std::mem::forget(socket);
    addr.as_socket().expect("an address of IPv4")
}

fn patient(stream: TcpStream) -> TcpStream {
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(PATIENCE)).expect("setsockopt");
    }
    stream
}

/// What came of a call on a socket that has a deadline. A machine that is halted for
/// a moment interrupts such a call (EINTR, signal(7)); then it is made again.
///
/// # Errors
/// Those of the call.
pub fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Exactly so many bytes, however they arrive.
///
/// # Panics
/// When they do not come.
pub fn read(mut stream: &TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).expect("recv");
    bytes
}

/// All that comes until the end of the stream.
///
/// # Panics
/// When another end comes, or none.
pub fn rest(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("recv");
    bytes
}

/// One message, and an answer that is as long.
///
/// # Panics
/// When the answer does not come.
pub fn exchange(mut stream: &TcpStream, message: impl AsRef<[u8]>) -> Vec<u8> {
    stream.write_all(message.as_ref()).expect("send");
    read(stream, message.as_ref().len())
}

/// Whether nothing comes for a moment: no bytes, no end, no error.
///
/// # Panics
/// When the socket takes no timeout.
pub fn nothing_comes(stream: &TcpStream) -> bool {
    nothing_comes_for(MOMENT, stream)
}

/// Whether nothing comes for so long.
///
/// # Panics
/// When the socket takes no timeout.
pub fn nothing_comes_for(time: Duration, stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(time)).expect("setsockopt");
    let outcome = again(|| stream.peek(&mut [0]));
    stream.set_read_timeout(Some(PATIENCE)).expect("setsockopt");
    matches!(outcome, Err(error) if is_timeout(&error))
}

/// Whether a time was up: systems have two names for it.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Closes with a reset in place of the end of the stream.
///
/// # Panics
/// When the socket takes no SO_LINGER.
pub fn reset(stream: TcpStream) {
    let linger = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    linger.expect("setsockopt");
}
