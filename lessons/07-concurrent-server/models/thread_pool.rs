//! A pool: a fixed number of threads, made once, that take call after call.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use super::self_call::call_yourself_when_stopped;
use super::service::{Call, PAUSE, Service};
use crate::Called;

/// Takes a call when a worker is free, and puts it into the workers' queue.
pub fn serve(listener: TcpListener, service: &Arc<Service>) -> Result<()> {
    let size = service.settings.workers.min(service.settings.max_clients);
    let (queue, calls) = mpsc::sync_channel(size);
    let calls = Arc::new(Mutex::new(calls));
    for _ in 0..size {
        let calls = calls.clone();
        let worker = thread::Builder::new().spawn(move || work(&calls));
        worker.context("thread for a worker: pass fewer --workers")?;
    }
    let own = call_yourself_when_stopped(&listener, service)?;
    while service.wait_for_place(size) {
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
        // A place is free, so a worker is free: the queue is never full.
        queue.send((call, connection)).context("no worker is left")?;
    }
    drop(listener);
    service.closed_the_listener();
    service.wait_until_all_ended();
    Ok(())
}

/// What each worker does all its life.
fn work(calls: &Mutex<Receiver<(Call, Arc<TcpStream>)>>) {
    loop {
        // In a `while let` the lock would be held until the call is over, and
        // the pool would serve one caller at a time.
        let next = calls.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((call, connection)) = next else { return };
        handle(call, connection);
    }
}

/// One call, from the first byte to the end, whatever end that is.
fn handle(mut call: Call, connection: Arc<TcpStream>) {
    // A panic would end the worker, and the pool would be smaller by one.
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
