//! A thread for each call: while one thread waits, the others go on.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::Result;

use super::self_call::call_yourself_when_stopped;
use super::service::{Call, PAUSE, Service};
use crate::{Called, complain};

/// Takes a call, gives it to a new thread, and takes the next.
pub fn serve(listener: TcpListener, service: &Arc<Service>) -> Result<()> {
    let own = call_yourself_when_stopped(&listener, service)?;
    while service.wait_for_place(service.settings.max_clients) {
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
        // thread::spawn would panic when the system has no thread left. The
        // builder gives the error back, and the closure with the call in it is
        // dropped: that hangs up.
        let thread = thread::Builder::new().spawn(move || handle(call, connection));
        if let Err(error) = thread.called("thread for", peer) {
            complain(error);
        }
    }
    drop(listener);
    service.closed_the_listener();
    service.wait_until_all_ended();
    Ok(())
}

/// One call, from the first byte to the end, whatever end that is.
fn handle(mut call: Call, connection: Arc<TcpStream>) {
    // A panic unwinds to the start of this thread and ends no other.
    let how = converse(&call, &connection);
    call.ended(how);
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
