//! What a client had better not do, to see what comes of it.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use socket2::SockRef;

use super::{explain, say};

/// How long the answer to an empty message is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

// ANCHOR: empty
/// What a client does that does not skip empty messages. It would wait for the
/// answer for ever; we give up after a while. Lesson 5 is about such timeouts.
pub fn send_empty(stream: &mut TcpStream, peer: SocketAddr) -> Result<()> {
    // The call is made, and it succeeds. A stream has bytes and no borders, so
    // there is nothing to bring over. (write_all would not even make the call.)
    say("sending 0 bytes: \"\"");
    let taken = stream.write(b"").map_err(|error| explain("send to", peer, &error))?;
    say(format!("  {taken} bytes taken by the kernel"));

    // peek is a receive that leaves the bytes where they are: if the server
    // speaks first, its bytes are no answer, and not ours to take away.
    stream.set_read_timeout(Some(PATIENCE)).context("timeout")?;
    match stream.peek(&mut [0]) {
        Ok(0) => bail!("recv from {peer}: end of stream; the server hung up"),
        Ok(_) => say("bytes came that answer nothing: does the server speak first?"),
        Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
            say(format!(
                "gave up after {} s: no answer",
                PATIENCE.as_secs_f32()
            ));
        }
        Err(error) => return Err(explain("recv from", peer, &error)),
    }
    stream.set_read_timeout(None).context("timeout")
}
// ANCHOR_END: empty

// ANCHOR: reset
/// Ends the call with a reset. With SO_LINGER on and a time of 0, close throws
/// away what is still under way, and sends a reset in place of the end of the
/// stream.
pub fn reset(stream: TcpStream) -> Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).context("SO_LINGER")?;
    drop(stream);
    say("reset the connection");
    Ok(())
}
// ANCHOR_END: reset
