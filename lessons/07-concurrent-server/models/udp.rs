//! UDP: one socket for all callers, so one loop serves them all.
//!
//! There is no call that could keep the others waiting: each datagram says whom
//! it comes from, and an answer that finds no room is lost instead of waiting.

use std::fmt::Display;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use anyhow::Result;
use socket2::{Domain, Socket, Type};

use super::self_call::callable;
use super::service::{PAUSE, Service, count};
use crate::{Called, complain, quoted, say};

/// The largest datagram: the length in its header has 16 bits.
pub const LARGEST: usize = 65_535;

/// Answers one datagram after the other.
pub fn serve(socket: UdpSocket, service: &Arc<Service>) -> Result<()> {
    let own = wake_when_stopped(&socket, service)?;
    let mut buffer = vec![0; LARGEST];
    loop {
        let (length, peer) = match socket.recv_from(&mut buffer).called("recv on", own) {
            _ if service.stopping() => break,
            Ok(received) => received,
            Err(error) => {
                complain(error);
                thread::sleep(PAUSE);
                continue;
            }
        };
        handle(&socket, peer, &mut buffer[..length], service);
    }
    closed(socket);
    Ok(())
}

/// Nobody is answered any more.
pub fn closed(socket: UdpSocket) {
    drop(socket);
    say("closed the socket");
}

/// One datagram. Neither a panic nor an error ends the loop.
fn handle(socket: &UdpSocket, peer: SocketAddr, message: &mut [u8], service: &Service) {
    service.count_system_calls(1);
    if !answer(message, &peer, service) {
        return;
    }
    service.count_system_calls(1);
    if let Err(error) = socket.send_to(message, peer).called("send to", peer) {
        complain(error);
    }
}

/// Makes the answer. False if there is none, because the handler panicked.
pub fn answer(message: &mut [u8], peer: &impl Display, service: &Service) -> bool {
    let length = count(message.len(), "byte");
    service.say(|| format!("received {length} from {peer}: {}", quoted(message)));
    let answer = AssertUnwindSafe(|| service.answer(message));
    let panicked = panic::catch_unwind(answer).is_err();
    service.count_datagram(panicked);
    match panicked {
        true => service.say(|| "the handler panicked"),
        false => service.say(|| format!("sending {length} to {peer}: {}", quoted(message))),
    }
    !panicked
}

/// The loop waits in recv. A datagram from the program itself ends the wait.
pub fn wake_when_stopped(socket: &UdpSocket, service: &Arc<Service>) -> Result<SocketAddr> {
    let own = socket.local_addr().called("getsockname of", "the socket")?;
    let bell =
        Socket::new(Domain::for_address(own), Type::DGRAM, None).called("socket for", own)?;
    service.when_stopped(move |_| {
        // It fails if the queue is full. Then recv does not wait.
        let _ = bell.send_to(&[], &callable(own).into());
    })?;
    Ok(own)
}
