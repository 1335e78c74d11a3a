//! The two programs of a lesson on a stage without an audience.

use std::net::{SocketAddr, TcpStream};
use std::ops::{Deref, DerefMut};

use scene::{Actor, Ending, Program, Stage};

use crate::raw;
use crate::sides::LessonSide;

/// A stage on which a test starts the programs of its lesson.
pub struct Rehearsal {
    stage: Stage,
    server: LessonSide,
    client: LessonSide,
}

impl Rehearsal {
    /// Of these two programs.
    pub fn of(server: LessonSide, client: LessonSide) -> Self {
        let mut stage = Stage::rehearsal();
        stage.deadline(raw::PATIENCE);
        Self {
            stage,
            server,
            client,
        }
    }

    /// Starts a server with these arguments, and waits for nothing.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_server(&mut self, args: &[&str]) -> Actor {
        self.start_program("server", self.server.program().args(args))
    }

    /// Starts a client with these arguments, and waits for nothing.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_client(&mut self, args: &[&str]) -> Actor {
        self.start_program("client", self.client.program().args(args))
    }

    fn start_program(&mut self, lane: &str, program: Program) -> Actor {
        let started = self.stage.start(lane, &program);
        started.unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// A server on a port of the system's choice.
    ///
    /// # Panics
    /// When it does not say where it is.
    pub fn server(&mut self, args: &[&str]) -> (Actor, SocketAddr) {
        self.server_at("127.0.0.1:0", args)
    }

    /// A server at this address.
    ///
    /// # Panics
    /// When it does not say where it is.
    pub fn server_at(&mut self, addr: &str, args: &[&str]) -> (Actor, SocketAddr) {
        let server = self.start_server(&[&["--addr", addr], args].concat());
        let addr = self.stage.ready(server);
        (server, addr.unwrap_or_else(|error| panic!("{error:#}")))
    }

    /// A client of the server at this address.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn client(&mut self, addr: SocketAddr, args: &[&str]) -> Actor {
        let calls = [self.client.address(), &addr.to_string()];
        self.start_client(&[&calls, args].concat())
    }

    /// A client with these arguments calls a raw socket.
    ///
    /// # Panics
    /// When it does not call.
    pub fn called_by(&mut self, args: &[&str]) -> (Actor, TcpStream) {
        let (listener, addr) = raw::listener();
        let client = self.client(addr, args);
        (client, raw::accept(&listener))
    }

    /// Waits for the end of a program; gives how it ended, and all that it said.
    ///
    /// # Panics
    /// When it does not end.
    pub fn ended(&mut self, actor: Actor) -> (Ending, Vec<String>) {
        let ending = self.stage.wait_exit(actor);
        let ending = ending.unwrap_or_else(|error| panic!("{error:#}"));
        (ending, self.stage.lines(actor))
    }

    /// The one line of a program that fails with status 1: an error with a way out.
    ///
    /// # Panics
    /// When it ends otherwise, and when it says more or less.
    pub fn failure(&mut self, actor: Actor) -> String {
        let (ending, lines) = self.ended(actor);
        assert_eq!(ending, Ending::Status(1), "{lines:?}");
        let [error] = &lines[..] else {
            panic!("not one line: {lines:?}");
        };
        assert!(error.contains("; "), "no way out: {error}");
        error.clone()
    }
}

impl Deref for Rehearsal {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

impl DerefMut for Rehearsal {
    fn deref_mut(&mut self) -> &mut Stage {
        &mut self.stage
    }
}
