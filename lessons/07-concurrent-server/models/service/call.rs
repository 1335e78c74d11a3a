//! One running call: what it says, and how it ended.

use std::fmt::Display;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;

use super::{Service, count};
use crate::quoted;

/// A running call. When it is dropped, its place is free for another one.
///
/// It must outlive its connection: what it says last is that this is closed.
pub struct Call {
    number: u64,
    service: Arc<Service>,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    HungUp,
    TurnedAway,
    Broken,
    Panicked,
    CutOff,
}

impl Call {
    pub(super) fn new(number: u64, service: Arc<Service>, peer: SocketAddr) -> Self {
        let call = Self {
            number,
            service,
            end: None,
        };
        call.say(|| format!("accepted a call from {peer}"));
        call
    }

    /// Lets the deadline of the stop reach a connection in which a thread waits.
    pub fn share(&self, connection: TcpStream) -> Arc<TcpStream> {
        let connection = Arc::new(connection);
        let mut state = self.service.state();
        state.running.insert(self.number, Some(connection.clone()));
        if state.too_late {
            let _ = connection.shutdown(Shutdown::Both);
        }
        connection
    }

    /// An empty receive buffer, as large as the command line says.
    pub fn buffer(&self) -> Vec<u8> {
        vec![0; self.service.settings.room]
    }

    /// Makes the answer out of what was received.
    pub fn answer(&self, message: &mut [u8]) {
        self.say(|| format!("received {}", told(message)));
        self.service.answer(message);
        self.say(|| format!("sending {}", told(message)));
    }

    /// The conversation is over, in good order or with an error.
    pub fn ended(&mut self, how: io::Result<()>) {
        let too_late = self.service.state().too_late;
        self.end = Some(match how {
            _ if too_late => End::CutOff,
            Ok(()) => {
                self.say(|| "end of stream: the client hung up");
                End::HungUp
            }
            Err(error) => {
                self.say(|| error.to_string().to_lowercase());
                End::Broken
            }
        });
    }

    /// The conversation ended in a panic that somebody has caught.
    pub fn panicked(&mut self) {
        self.end = Some(End::Panicked);
    }

    fn say<T: Display>(&self, line: impl FnOnce() -> T) {
        self.service.say(|| format!("#{} {}", self.number, line()));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.service.state();
        let end = match self.end {
            Some(end) => end,
            // Nobody said how it ended, but it ends.
            None if thread::panicking() => End::Panicked,
            None if state.stop_by.is_some() => End::CutOff,
            None => End::TurnedAway,
        };
        // The last owner closes the socket.
        let shared = state.running.get_mut(&self.number).and_then(Option::take);
        drop(state);
        drop(shared);
        match end {
            End::TurnedAway => self.say(|| "turned away"),
            End::Panicked => self.say(|| "the handler panicked"),
            End::CutOff => self.say(|| "cut off: the time was over"),
            End::HungUp | End::Broken => {}
        }
        self.say(|| "closed the connection");
        // Only now: whoever waits for the end of all calls may end the program.
        let mut state = self.service.state();
        state.running.remove(&self.number);
        match end {
            End::HungUp => {}
            End::TurnedAway => state.turned_away += 1,
            End::Broken => state.broken += 1,
            End::Panicked => state.panicked += 1,
            End::CutOff => state.cut_off += 1,
        }
        self.service.changed.notify_all();
    }
}

fn told(bytes: &[u8]) -> String {
    format!("{}: {}", count(bytes.len(), "byte"), quoted(bytes))
}
