//! UDP sockets that take the other side of a program, and wait with a deadline.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use house::raw::again;

/// A socket that waits, but not for ever.
pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

/// Sends, and gives the answer.
pub fn ask(socket: &UdpSocket, to: SocketAddr, message: &[u8]) -> Vec<u8> {
    socket.send_to(message, to).unwrap();
    let (answer, peer) = receive(socket);
    assert_eq!(peer, to, "the answer comes from the address that was asked");
    answer
}

/// The next datagram, and who sent it.
pub fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65_535];
    let received = again(|| socket.recv_from(&mut buffer));
    let (length, peer) = received.expect("recvfrom");
    buffer.truncate(length);
    (buffer, peer)
}

/// Whether nothing has come. To be asked when nothing can come any more.
pub fn heard_nothing(socket: &UdpSocket) -> bool {
    socket.set_nonblocking(true).unwrap();
    let error = socket.recv_from(&mut [0; 16]).expect_err("a datagram came");
    error.kind() == ErrorKind::WouldBlock
}
