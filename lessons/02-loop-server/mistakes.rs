//! What a client had better not do, to see what comes of it.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail};
use socket2::SockRef;

use crate::{Called, say};

/// How long the answer to an empty message is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a client does that does not skip empty messages. It would wait for the
/// answer for ever; we give up after a while. Lesson 5 is about such timeouts.
pub fn send_empty(mut socket: &TcpStream, peer: SocketAddr) -> Result<()> {
    // The call is made, and it succeeds. A stream has bytes and no borders, so
    // there is nothing to bring over. (write_all would not even make the call.)
    say("sending 0 bytes: \"\"");
    let taken = socket.write(b"").called("send to", peer)?;
    say(format!("  {taken} bytes taken by the kernel"));

    // peek is a receive that leaves the bytes where they are: if the server
    // speaks first, its bytes are no answer, and not ours to take away.
    socket.set_read_timeout(Some(PATIENCE)).called("setsockopt of", peer)?;
    match socket.peek(&mut [0]) {
        Ok(0) => bail!("recv from {peer}: end of stream; the server hung up"),
        Ok(_) => say("bytes came that answer nothing: does the server speak first?"),
        Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
            let patience = PATIENCE.as_secs_f32();
            say(format!("gave up after {patience} s: no answer"));
        }
        Err(error) => return Err(error).called("recv from", peer),
    }
    socket.set_read_timeout(None).called("setsockopt of", peer)
}

/// Ends the call with a reset. With SO_LINGER on and a time of 0, close throws
/// away what is still under way, and sends a reset in place of the end of the
/// stream.
pub fn reset(socket: TcpStream) -> Result<()> {
    let linger = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
    linger.called("setsockopt", "SO_LINGER")?;
    drop(socket);
    say("reset the connection");
    Ok(())
}
