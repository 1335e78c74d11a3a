//! How a program gets under observation before its first instruction.
//!
//! The thread that starts the program forks as always. Between fork and exec the
//! child says who it is, waits until the tracer has it, and puts the filter
//! before itself ([`filter_before_exec`]). So no call of the program escapes, and the program notices
//! nothing.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::thread;

use kernel::trace::filter::{FINE, Word, filter_before_exec};
use timeline::Actor;

use super::filter;
use super::orders::{Order, Orders};

/// Starts the program under observation. From then on the child is in the
/// hands of the tracer.
pub(super) fn launch(orders: &Orders, actor: Actor, mut command: Command) -> io::Result<Child> {
    let (ours, childs) = UnixStream::pair()?;
    filter_before_exec(&mut command, childs, filter::program());
    thread::scope(|scope| {
        let attaching = scope.spawn(|| attach(&ours, orders, actor));
        let spawned = command.spawn();
        if spawned.is_err() {
            // A child that failed early never spoke.
            let _ = ours.shutdown(Shutdown::Both);
        }
        let attached = attaching.join().expect("attaching does not panic");
        match (spawned, attached) {
            (Ok(child), Ok(_)) => {
                orders.give(Order::Launched(child.id() as i32))?;
                Ok(child)
            }
            (Err(error), Ok(Some(pid))) => {
                orders.give(Order::Failed(pid))?;
                Err(refused(&ours).unwrap_or(error))
            }
            (Err(error), Ok(None)) => Err(error),
            // A child that was killed looks like one that runs.
            (Ok(mut child), Err(error)) => child.wait().and(Err(error)),
            (Err(_), Err(error)) => Err(error),
        }
    })
}

/// Takes the child in, as soon as it says who it is; None when it says nothing.
fn attach(mut stream: &UnixStream, orders: &Orders, actor: Actor) -> io::Result<Option<i32>> {
    let mut word = Word::default();
    if stream.read_exact(&mut word).is_err() {
        return Ok(None);
    }
    let pid = i32::from_ne_bytes(word);
    let attached = orders.give(Order::Attach(pid, actor));
    let answer = attached
        .as_ref()
        .err()
        .map_or(FINE, |error| error.raw_os_error().unwrap_or(libc::EPERM));
    // It fails when the child was killed meanwhile; the tracer sees that.
    let _ = stream.write_all(&answer.to_ne_bytes());
    attached.map(|()| Some(pid)).map_err(|error| {
        let way_out = "a program cannot be observed twice (gdb, strace), and some sandboxes \
                       forbid it (--cap-add=SYS_PTRACE, kernel.yama.ptrace_scope below 3)";
        let text = format!("observe process {pid} with ptrace: {error}; {way_out}");
        io::Error::new(error.kind(), text)
    })
}

/// What the child said of the filter, if the kernel refused it.
fn refused(mut stream: &UnixStream) -> Option<io::Error> {
    let mut word = Word::default();
    // All that the child said is in the buffer already: it has ended.
    stream.set_nonblocking(true).ok()?;
    stream.read_exact(&mut word).ok()?;
    let error = io::Error::from_raw_os_error(i32::from_ne_bytes(word));
    let text = format!("put a seccomp filter before the program: {error}");
    Some(io::Error::new(error.kind(), text))
}
