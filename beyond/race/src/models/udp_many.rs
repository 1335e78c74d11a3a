//! UDP with fewer system calls: recvmmsg takes what has come, up to 64
//! datagrams, and sendmmsg hands over the answers. Both are Linux's.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread;

use anyhow::Result;
use lesson_7::models::service::{PAUSE, Service};
use lesson_7::models::udp::{LARGEST, answer, closed, wake_when_stopped};
use lesson_7::{Called, complain};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};

/// At most so many datagrams a call.
const MANY: usize = 64;

/// Answers all datagrams that have come, then waits for the next ones.
pub fn serve(socket: UdpSocket, service: &Arc<Service>) -> Result<()> {
    let own = wake_when_stopped(&socket, service)?;
    let mut memory = vec![0; MANY * LARGEST];
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(MANY, None);
    loop {
        let received = receive(&socket, &mut memory, &mut headers);
        let received = match received.called("recv on", own) {
            _ if service.stopping() => break,
            Ok(received) => received,
            Err(error) => {
                complain(error);
                thread::sleep(PAUSE);
                continue;
            }
        };
        service.count_system_calls(1);
        let mut answers = Vec::with_capacity(MANY);
        for (room, (length, peer)) in memory.chunks_mut(LARGEST).zip(received) {
            let Some(peer) = peer else { continue };
            let message = &mut room[..length];
            if answer(message, &peer, service) {
                answers.push(([IoSlice::new(message)], Some(peer)));
            }
        }
        send(&socket, &answers, service);
    }
    closed(socket);
    Ok(())
}

/// Who sent how much into each part of the memory.
fn receive(
    socket: &UdpSocket,
    memory: &mut [u8],
    headers: &mut MultiHeaders<SockaddrStorage>,
) -> io::Result<Vec<(usize, Option<SockaddrStorage>)>> {
    let rooms = memory.chunks_mut(LARGEST);
    let mut rooms: Vec<_> = rooms.map(|room| [IoSliceMut::new(room)]).collect();
    // WAITFORONE: waits for the first, and takes the others if they are there.
    // Who waited for all 64 would keep the first caller waiting.
    let flags = MsgFlags::MSG_WAITFORONE;
    let received = recvmmsg(socket.as_raw_fd(), headers, &mut rooms, flags, None)?;
    Ok(received.map(|one| (one.bytes, one.address)).collect())
}

/// sendmmsg sends as many as it can. The one that it cannot send is left out.
fn send(
    socket: &UdpSocket,
    answers: &[([IoSlice; 1], Option<SockaddrStorage>)],
    service: &Service,
) {
    let (slices, peers): (Vec<_>, Vec<_>) = answers.iter().cloned().unzip();
    let mut sent = 0;
    while sent < slices.len() {
        let mut headers = MultiHeaders::preallocate(slices.len() - sent, None);
        let peers = &peers[sent..];
        let Some(peer) = peers[0] else { return };
        let result = sendmmsg(
            socket.as_raw_fd(),
            &mut headers,
            &slices[sent..],
            peers,
            [],
            MsgFlags::empty(),
        );
        service.count_system_calls(1);
        let result = result.map_err(io::Error::from).called("send to", peer);
        sent += match result {
            Ok(results) => results.count().max(1),
            Err(error) => {
                complain(error);
                1
            }
        };
    }
}
