//! One queue of the kernel for all programs: unix(7), datagram sockets with
//! abstract names. The line that was written first comes out first.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Instant;

use timeline::{Actor, Stream};

use super::{Arrival, Item, Lines, Queue};

/// No datagram is larger: the send buffer of a UNIX socket holds 208 KiB.
const LARGEST: usize = 256 * 1024;

pub(super) struct OneQueue {
    name: String,
    /// Our own sender; its words are control words.
    control: UnixDatagram,
}

impl OneQueue {
    pub(super) fn new(arrivals: Sender<Arrival>) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("dialtone-{}-{number}", process::id());
        let receiver = UnixDatagram::bind_addr(&address(&name)?)?;
        let control = sender(&name, "control")?;
        let own_name = name.clone();
        let receive = move || receive(&receiver, &own_name, &arrivals);
        thread::Builder::new()
            .name("outputs".into())
            .spawn(receive)?;
        Ok(Self { name, control })
    }
}

impl Queue for OneQueue {
    fn spawn(&self, actor: Actor, command: &mut Command) -> io::Result<Child> {
        let stream = |role: &str| -> io::Result<Stdio> {
            let socket = sender(&self.name, &format!("{}-{role}", actor.0))?;
            Ok(Stdio::from(OwnedFd::from(socket)))
        };
        command.stdout(stream("1")?).stderr(stream("2")?).spawn()
    }

    /// A word behind all that the program wrote: when it comes out, all is out.
    fn drain(&self, actor: Actor) {
        // It fails only when the receiving thread is gone, and with it the reader.
        let _ = self.control.send(actor.0.to_string().as_bytes());
    }
}

impl Drop for OneQueue {
    fn drop(&mut self) {
        let _ = self.control.send(b"end");
    }
}

fn address(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

fn sender(queue: &str, role: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::bind_addr(&address(&format!("{queue}-{role}"))?)?;
    socket.connect_addr(&address(queue)?)?;
    Ok(socket)
}

/// Takes datagrams out until the word "end" comes or nobody listens any more.
fn receive(receiver: &UnixDatagram, queue: &str, arrivals: &Sender<Arrival>) {
    let mut buffer = vec![0; LARGEST];
    let mut open: HashMap<(usize, &str), Lines> = HashMap::new();
    let tell = |item: Item| arrivals.send((Instant::now(), item)).is_ok();
    let line = |actor, stream, text| {
        tell(Item::Line(Actor(actor), stream, text));
    };
    while let Ok((length, from)) = receiver.recv_from(&mut buffer) {
        let piece = &buffer[..length];
        match role(&from, queue) {
            // A stranger: abstract names are open to every program.
            None => {}
            Some(Role::Control) => {
                let word = std::str::from_utf8(piece).expect("control words are text");
                let Ok(actor) = word.parse() else {
                    return; // The word is "end".
                };
                for (digit, stream) in STREAMS {
                    let mut lines = open.remove(&(actor, digit)).unwrap_or_default();
                    lines.finish(|text| line(actor, stream, text));
                }
                if !tell(Item::Drained(Actor(actor))) {
                    return;
                }
            }
            Some(Role::Writer(actor, digit, stream)) => {
                let lines = open.entry((actor, digit)).or_default();
                lines.feed(piece, |text| line(actor, stream, text));
            }
        }
    }
}

/// The last part of the name of a stream's socket.
const STREAMS: [(&str, Stream); 2] = [("1", Stream::Stdout), ("2", Stream::Stderr)];

enum Role {
    Control,
    Writer(usize, &'static str, Stream),
}

/// Who sent it, from the name of the sending socket.
fn role(from: &SocketAddr, queue: &str) -> Option<Role> {
    let name = std::str::from_utf8(from.as_abstract_name()?).ok()?;
    let role = name.strip_prefix(queue)?.strip_prefix('-')?;
    if role == "control" {
        return Some(Role::Control);
    }
    let (actor, digit) = role.split_once('-')?;
    let (digit, stream) = STREAMS.into_iter().find(|(known, _)| *known == digit)?;
    Some(Role::Writer(actor.parse().ok()?, digit, stream))
}
