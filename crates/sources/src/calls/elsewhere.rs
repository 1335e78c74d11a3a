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

/// Functions that are never called, as there is no tracer to call them with.
macro_rules! never {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        impl Tracer {
            $(
                /// Is never called.
                ///
                /// # Errors
                /// None.
                pub fn $name(&self, $(_: $argument),*) -> $result {
                    match self.0 {}
                }
            )*
        }
    };
}

never! {
    start(Actor, Command) -> io::Result<Started>;
    reported_until() -> u64;
    hold(bool) -> io::Result<()>;
    change(Vec<Change>) -> io::Result<()>;
    go(CallId) -> io::Result<()>;
    signal(Actor, i32) -> io::Result<()>;
    kill(Actor) -> io::Result<()>;
}

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
}
