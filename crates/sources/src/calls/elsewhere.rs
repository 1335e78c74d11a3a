//! Systems on which the calls of a program cannot be observed.

use std::convert::Infallible;
use std::io;
use std::process::Command;

use timeline::Actor;
use timeline::call::CallId;

use super::{Change, Started, TaskEvent, Tracing, change};

/// Would observe; there is never one.
#[derive(Debug)]
pub struct Tracer(Infallible);

impl Tracer {
    /// Fails.
    ///
    /// # Errors
    /// "Unsupported".
    pub fn new(
        options: Tracing,
        _report: impl FnMut(TaskEvent) + Send + 'static,
    ) -> io::Result<Self> {
        change::check(&options.changes)?;
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "socket calls can be observed on Linux alone (x86-64, aarch64)",
        ))
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn start(&self, _actor: Actor, _command: Command) -> io::Result<Started> {
        match self.0 {}
    }

    /// Is never called.
    pub fn reported_until(&self) -> u64 {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    #[cfg(unix)]
    pub fn hide(&self, _socket: impl std::os::fd::AsFd) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn hold(&self, _hold: bool) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn change(&self, _changes: Vec<Change>) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn go(&self, _call: CallId) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn signal(&self, _actor: Actor, _signal: i32) -> io::Result<()> {
        match self.0 {}
    }

    /// Is never called.
    ///
    /// # Errors
    /// None.
    pub fn kill(&self, _actor: Actor) -> io::Result<()> {
        match self.0 {}
    }
}
