//! One at a time: the server of lesson 2, in the shape of its neighbours.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use anyhow::Result;

use super::self_call::call_yourself_when_stopped;
use super::service::{Call, PAUSE, Service};
use crate::Called;

/// Takes one call after the other.
pub fn serve(listener: TcpListener, service: &Arc<Service>) -> Result<()> {
    let own = call_yourself_when_stopped(&listener, service)?;
    loop {
        let (connection, peer) = match listener.accept().called("accept on", own) {
            _ if service.stopping() => break,
            Ok(accepted) => accepted,
            Err(error) => {
                service.accept_failed(error);
                thread::sleep(PAUSE);
                continue;
            }
        };
        let call = service.open(peer);
        let connection = call.share(connection);
        // The next accept comes when this caller has hung up.
        handle(call, connection);
    }
    drop(listener);
    service.closed_the_listener();
    Ok(())
}

/// One call, from the first byte to the end, whatever end that is.
fn handle(mut call: Call, connection: Arc<TcpStream>) {
    // A panic would unwind through serve to main, and end the program.
    let conversation = AssertUnwindSafe(|| converse(&call, &connection));
    match panic::catch_unwind(conversation) {
        Ok(how) => call.ended(how),
        Err(_) => call.panicked(),
    }
}

/// A loop of messages. The thread waits in read and in write_all.
fn converse(call: &Call, mut connection: &TcpStream) -> io::Result<()> {
    let mut buffer = call.buffer();
    loop {
        let length = connection.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let message = &mut buffer[..length];
        call.answer(message);
        connection.write_all(message)?;
    }
}
