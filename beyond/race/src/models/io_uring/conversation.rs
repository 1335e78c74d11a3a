//! Where one call is. In a thread that would be on the stack.

use std::net::{Shutdown, TcpStream};

use lesson_7::models::service::Call;
use nix::errno::Errno;

/// One call, and which requests of it are on their way.
pub struct Conversation {
    pub connection: TcpStream,
    pub call: Call,
    pub receiving: bool,
    /// An answer is on its way out of a buffer of the pool.
    pub answering: bool,
    /// How much of it the kernel took, if not all.
    pub not_all: Option<Result<usize, Errno>>,
    /// What it did not take at once is being sent, with patience.
    pub sending: usize,
    /// What comes after that.
    pub unsent: Vec<u8>,
    /// The caller sends no more; it gets what is unsent, and that is the end.
    pub hung_up: bool,
    /// It is over. What is on its way still has to come back.
    pub over: bool,
}

impl Conversation {
    /// Nothing is on its way yet.
    pub fn new(connection: TcpStream, call: Call) -> Self {
        Self {
            connection,
            call,
            receiving: false,
            answering: false,
            not_all: None,
            sending: 0,
            unsent: Vec::new(),
            hung_up: false,
            over: false,
        }
    }

    /// Bytes are on their way, from either place.
    pub fn is_sending(&self) -> bool {
        self.answering || self.sending > 0
    }

    /// Puts bytes before all others that are unsent.
    pub fn put_first(&mut self, bytes: &[u8]) {
        self.unsent.splice(..0, bytes.iter().copied());
    }

    /// Nothing more can be sent to this caller.
    pub fn broken(&mut self, error: Errno) {
        if !self.over {
            self.call.ended(Err(error.into()));
            self.over = true;
            let _ = self.connection.shutdown(Shutdown::Both);
        }
    }
}
