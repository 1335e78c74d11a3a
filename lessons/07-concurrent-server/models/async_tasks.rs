//! async: written like a thread per call, run like the event loop.
//!
//! The runtime has one thread (current-thread). So it differs from the event
//! loop next door in one thing only: who writes down where a call was when it
//! had to wait. There it is a struct, here the compiler makes it from `.await`.
//! A runtime with several threads would also share the work among the cores.

use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::time;

use super::service::{Call, PAUSE, Service};
use crate::Called;

/// Starts the runtime and the task that accepts, and waits for the stop.
pub fn serve(listener: net::TcpListener, service: &Arc<Service>) -> Result<()> {
    listener.set_nonblocking(true).called("fcntl of", "the listener")?;
    let own = listener.local_addr().called("getsockname of", "the listener")?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.called("runtime for", own)?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).context("async listener")?;
        let max_clients = u32::try_from(service.settings.max_clients)?;
        let places = Arc::new(Semaphore::new(service.settings.max_clients));
        let accepting = tokio::spawn(accept_calls(listener, own, service.clone(), places.clone()));
        // A task can be ended from outside wherever it waits: a thread cannot.
        let handle = accepting.abort_handle();
        service.when_stopped(move |_| handle.abort())?;
        match accepting.await {
            Err(end) if end.is_cancelled() => service.closed_the_listener(),
            end => bail!("the task that accepts has ended: {end:?}"),
        }
        // When all places are free again, all calls have ended. What is left at
        // the deadline is dropped together with the runtime.
        let all_ended = places.acquire_many(max_clients);
        let _ = time::timeout(service.time_left(), all_ended).await;
        Ok(())
    })
}

/// Takes a call, gives it to a new task, and takes the next.
async fn accept_calls(
    listener: TcpListener,
    own: SocketAddr,
    service: Arc<Service>,
    places: Arc<Semaphore>,
) {
    loop {
        if places.available_permits() == 0 {
            service.full(service.settings.max_clients);
        }
        let Ok(place) = places.clone().acquire_owned().await else {
            return; // nobody closes the semaphore
        };
        let (connection, peer) = match listener.accept().await.called("accept on", own) {
            Ok(accepted) => accepted,
            Err(error) => {
                service.accept_failed(error);
                time::sleep(PAUSE).await;
                continue;
            }
        };
        let call = service.open(peer);
        tokio::spawn(async move {
            handle(call, connection).await;
            drop(place);
        });
    }
}

/// One call, from the first byte to the end, whatever end that is.
async fn handle(mut call: Call, mut connection: TcpStream) {
    // A panic unwinds to the start of this task: the runtime catches it there.
    let how = converse(&call, &mut connection).await;
    call.ended(how);
}

// ANCHOR: converse
/// A loop of messages. The task waits in read and in write_all, the thread does
/// not: at each `.await` it goes to another task that is ready.
async fn converse(call: &Call, connection: &mut TcpStream) -> io::Result<()> {
    let mut buffer = call.buffer();
    loop {
        let length = connection.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let message = &mut buffer[..length];
        call.answer(message);
        connection.write_all(message).await?;
    }
}
// ANCHOR_END: converse
